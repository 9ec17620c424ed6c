#include "cli/patterns.h"

#include <fmt/format.h>

#include <cstdio>

#include "workload/pattern.h"

namespace s3lt {

int patterns_command(const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "list") {
    for (const std::string_view name : builtin_pattern_names()) {
      const auto pattern = builtin_pattern(name);
      fmt::print("{:<12} {}\n", name, pattern ? pattern->summary : "");
    }
    return 0;
  }
  if (words.size() == 2 && words[0] == "show") {
    const auto pattern = builtin_pattern(words[1]);
    if (!pattern) {
      fmt::print(stderr, "s3loadtest: {}\n", pattern.error().message);
      return 2;
    }
    fmt::print("{}", builtin_pattern_text(words[1]));
    return 0;
  }
  fmt::print(stderr,
             "s3loadtest: patterns takes `list` or `show NAME`, as in `s3loadtest patterns show baseload`\n");
  return 2;
}

}  // namespace s3lt
