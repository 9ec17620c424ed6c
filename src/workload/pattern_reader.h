// What the readers of pattern files share (pattern_file.cc, pattern_sizes.cc, pattern_schedule.cc): typed
// access to TOML whose every mistake has a place and a remedy. Thread-safe.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "workload/pattern.h"

namespace s3lt {

// What is wrong with a file, on its way out of the reader; parse_patterns makes it an Error.
struct Mistake {
  toml::source_position where;
  std::string what;
};
[[noreturn]] void refuse(const toml::node& node, std::string what);

// A field that is not in `fields` is a mistake, so that a misspelt one is never a silent default.
void allow_only(const toml::table& table, std::string_view place, std::span<const std::string_view> fields);

double number(const toml::node& node, std::string_view field);  // 0 or more
double number_above_zero(const toml::node& node, std::string_view field);
// A whole number of least to most; `form` shows the right one.
std::uint64_t whole_number(const toml::node& node, std::string_view field, std::uint64_t least,
                           std::uint64_t most);
std::string text(const toml::node& node, std::string_view field);
Duration duration(const toml::node& node, std::string_view field, bool allow_zero = false);
std::uint64_t object_size(const toml::node& node, std::string_view size);  // of one PUT
const toml::table& table_of(const toml::node& node, std::string_view field);
const toml::node& needed(const toml::table& table, std::string_view place, std::string_view field);

// `sizes`: a list, weights, or a distribution.
void read_sizes(const toml::node& node, Pattern& pattern);
// [mix], and the [[burst]]s that stand in its place; [schedule].
void read_mixes(const toml::table& table, Pattern& pattern);
void read_schedule(const toml::table& table, Pattern& pattern);

}  // namespace s3lt
