#include "config/dotenv.h"

#include <fmt/format.h>

#include <algorithm>

namespace s3lt {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim_left(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Whether nothing but white space and a comment follows a closing quote.
bool ends_value(std::string_view behind) {
  const std::string_view rest = trim_left(behind);
  return rest.empty() || (rest.front() == '#' && rest.size() < behind.size());
}

// `text` is what follows the equals sign.
std::string_view literal_value(std::string_view text) {
  const std::string_view value = trim_left(text);
  if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
    // The first quote that can be the closing one, so that quotes inside the value need no escape.
    for (std::size_t at = value.find(value.front(), 1); at != std::string_view::npos;
         at = value.find(value.front(), at + 1)) {
      if (ends_value(value.substr(at + 1))) return value.substr(1, at - 1);
    }
  }
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if (at > 0 && is_blank(text[at - 1])) return trim_right(trim_left(text.substr(0, at)));
  }
  return trim_right(value);
}

}  // namespace

Result<std::vector<DotenvEntry>> parse_dotenv(std::string_view text, std::string_view file) {
  std::vector<DotenvEntry> entries;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // the byte order mark of some editors
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trim_left(line);
    if (line.empty() || line.front() == '#') continue;
    if (line.find('\0') != std::string_view::npos) {
      return usage_error(
          fmt::format("{}:{}: the line holds a zero byte; save the file as plain text", file, number));
    }
    if (line.starts_with("export") && line.size() > 6 && is_blank(line[6])) line = trim_left(line.substr(6));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return usage_error(
          fmt::format("{}:{}: the line has no '='; write NAME=value, or # before a comment", file, number));
    }
    const std::string_view name = trim_right(line.substr(0, equals));
    if (!is_name(name)) {
      return usage_error(fmt::format(
          "{}:{}: no valid name before the '='; write NAME=value with a name of letters, digits and _", file,
          number));
    }
    entries.push_back({std::string(name), std::string(literal_value(line.substr(equals + 1))), number});
  }
  return entries;
}

}  // namespace s3lt
