#include "workload/content_mode.h"

#include <fmt/format.h>

#include <charconv>

namespace s3lt {

Result<ContentMode> parse_content_mode(std::string_view text) {
  if (text == "unique") return ContentMode();
  if (text == "shared") return ContentMode::shared();
  const std::size_t equals = text.find('=');
  const std::string_view word = text.substr(0, equals);
  if (word != "dedupe" && word != "compress") {
    return usage_error(fmt::format("\"{}\" is none of unique, shared, dedupe=N% and compress=N%", text));
  }
  std::string_view number = equals == text.npos ? std::string_view() : text.substr(equals + 1);
  if (number.ends_with('%')) number.remove_suffix(1);
  unsigned percent = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), percent);
  if (parsed.ec != std::errc{} || parsed.ptr != number.data() + number.size() || percent > 100) {
    return usage_error(
        fmt::format("\"{}\": {} needs a whole number from 0 to 100, as in {}=30%", text, word, word));
  }
  return word == "dedupe" ? ContentMode::dedupe(percent) : ContentMode::compress(percent);
}

std::string name(ContentMode mode) {
  switch (mode.kind()) {
    case ContentMode::Kind::unique:
      return "unique";
    case ContentMode::Kind::shared:
      return "shared";
    case ContentMode::Kind::dedupe:
      return fmt::format("dedupe={}%", mode.percent());
    case ContentMode::Kind::compress:
      return fmt::format("compress={}%", mode.percent());
    default:
      return fmt::format("mode {}", mode.byte());
  }
}

}  // namespace s3lt
