// The pattern files that are compiled into the binary (src/workload/patterns/): first those that `all` runs,
// in the order in which CMakeLists.txt names them, then the extras. Thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace s3lt {

struct PatternText {
  std::string_view name, toml;
  bool in_all = true;
};
std::span<const PatternText> pattern_texts();

}  // namespace s3lt
