// The pattern files that are compiled into the binary (src/workload/patterns/*.toml), in the order of their
// names. Thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace s3lt {

struct PatternText {
  std::string_view name, toml;
};
std::span<const PatternText> pattern_texts();

}  // namespace s3lt
