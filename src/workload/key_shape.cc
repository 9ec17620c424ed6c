#include "workload/key_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/units.h"

namespace s3lt {
namespace {

// The text up to the next '/', which is taken away too; nothing where there is none.
std::optional<std::string_view> take_part(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::string_view part = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  return part;
}

template <typename T>
bool read_number(std::string_view text, T& out, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_size_label(std::string_view text) {
  const auto size = parse_size(text);
  return size && format_size_label(*size) == text;
}

}  // namespace

std::string write_key(std::string_view stem, const KeyParts& parts) {
  return fmt::format("{}{}/{}/{}/{:08x}", stem, parts.size, parts.pattern, parts.stamp.micros,
                     parts.stamp.suffix);
}

std::optional<KeyParts> parse_key_tail(std::string_view tail) {
  const auto size = take_part(tail);
  const auto pattern = size ? take_part(tail) : std::nullopt;
  const auto micros = pattern ? take_part(tail) : std::nullopt;
  if (!micros || tail.size() != 8) return std::nullopt;
  KeyParts parts{*size, *pattern, {}};
  if (!is_digits(*micros) || !read_number(*micros, parts.stamp.micros) || parts.stamp.micros >> 62 != 0) {
    return std::nullopt;
  }
  if (!read_number(tail, parts.stamp.suffix, 16)) return std::nullopt;
  return parts;
}

bool is_test_key(std::string_view behind_prefix) {
  const auto worker = take_part(behind_prefix);
  const auto size = worker ? take_part(behind_prefix) : std::nullopt;
  if (!size || behind_prefix.empty() || !is_digits(*worker)) return false;
  return *size == "other" || *size == "elephant" || is_size_label(*size);
}

bool is_test_key_under(std::string_view prefix, std::string_view key) {
  constexpr int parts_behind_prefix = 4;  // worker, size, pattern, time
  if (!key.starts_with(prefix)) return false;
  std::size_t end = prefix.size();
  for (int part = 0; part <= parts_behind_prefix; ++part) {
    if (is_test_key(key.substr(end))) return true;
    const std::size_t slash = end < 2 ? key.npos : key.rfind('/', end - 2);
    if (slash == key.npos) return false;
    end = slash + 1;
  }
  return false;
}

std::string_view tester_prefix_below(std::string_view prefix, std::string_view key) {
  if (!key.starts_with(prefix)) return {};
  for (std::size_t slash = key.find('/', prefix.size()); slash != key.npos;
       slash = key.find('/', slash + 1)) {
    if (is_test_key(key.substr(slash + 1))) return key.substr(0, slash + 1);
  }
  return {};
}

}  // namespace s3lt
