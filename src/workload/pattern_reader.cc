#include "workload/pattern_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/nearest.h"
#include "base/units.h"

namespace s3lt {

void refuse(const toml::node& node, std::string what) {
  throw Mistake{node.source().begin, std::move(what)};
}

void allow_only(const toml::table& table, std::string_view place, std::span<const std::string_view> fields) {
  for (const auto& [key, node] : table) {
    if (std::find(fields.begin(), fields.end(), key.str()) != fields.end()) continue;
    throw Mistake{key.source().begin,
                  fmt::format("{} has no field \"{}\": {}", place, key.str(), suggest(key.str(), fields))};
  }
}

double number(const toml::node& node, std::string_view field) {
  if (const auto n = node.value<double>(); n && node.is_number() && std::isfinite(*n) && *n >= 0) return *n;
  refuse(node, fmt::format("{} must be a number, 0 or more", field));
}

double number_above_zero(const toml::node& node, std::string_view field) {
  if (const auto n = node.value<double>(); n && node.is_number() && std::isfinite(*n) && *n > 0) return *n;
  refuse(node, fmt::format("{} must be a number above 0", field));
}

std::uint64_t whole_number(const toml::node& node, std::string_view field, std::uint64_t least,
                           std::uint64_t most) {
  const auto n = node.value_exact<std::int64_t>();
  if (n && *n >= 0 && static_cast<std::uint64_t>(*n) >= least && static_cast<std::uint64_t>(*n) <= most) {
    return static_cast<std::uint64_t>(*n);
  }
  refuse(node, fmt::format("{} must be a whole number, {} to {}", field, least, most));
}

std::string text(const toml::node& node, std::string_view field) {
  if (const auto t = node.value_exact<std::string>()) return *t;
  refuse(node, fmt::format("{} must be a text in quotes", field));
}

Duration duration(const toml::node& node, std::string_view field, bool allow_zero) {
  const auto written = node.value_exact<std::string>();
  if (!written) refuse(node, fmt::format("{} must be a time in quotes, such as \"5m\" or \"200ms\"", field));
  const auto parsed = parse_duration(*written, allow_zero);
  if (!parsed) refuse(node, fmt::format("{}: {}", field, parsed.error().message));
  return *parsed;
}

std::uint64_t object_size(const toml::node& node, std::string_view size) {
  const auto bytes = parse_size(size);
  if (!bytes) refuse(node, bytes.error().message);
  if (*bytes == 0) refuse(node, "a size must be more than 0 bytes");
  if (*bytes > largest_object) refuse(node, fmt::format("{} is more than S3 keeps in an object, 5TiB", size));
  return *bytes;
}

const toml::table& table_of(const toml::node& node, std::string_view field) {
  if (const toml::table* t = node.as_table()) return *t;
  refuse(node, fmt::format("{} must be a table, as in [{}]", field, field));
}

const toml::node& needed(const toml::table& table, std::string_view place, std::string_view field) {
  if (const toml::node* node = table.get(field)) return *node;
  refuse(table, fmt::format("{} needs {}", place, field));
}

}  // namespace s3lt
