#include "cli/patterns.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/console.h"
#include "workload/pattern.h"

namespace s3lt {

int patterns_command(const std::vector<std::string>& words) {
  if (words.size() == 1 && words[0] == "list") {
    const auto in_all = all_pattern_names();
    std::string seven = "Patterns that `all` means:\n", extras = "\nExtras, outside of `all`:\n";
    for (const std::string_view name : builtin_pattern_names()) {
      const auto pattern = builtin_pattern(name);
      const bool extra = std::ranges::find(in_all, name) == in_all.end();
      (extra ? extras : seven) += fmt::format("  {:<11} {}\n", name, pattern ? pattern->summary : "");
    }
    return print_and_end(seven + extras);
  }
  if (words.size() == 2 && words[0] == "show") {
    const auto pattern = builtin_pattern(words[1]);
    if (!pattern) return fail(pattern.error());
    return print_and_end(builtin_pattern_text(words[1]));
  }
  return fail_usage("patterns takes `list` or `show NAME`, as in `s3loadtest patterns show baseload`");
}

}  // namespace s3lt
