#include "workload/pattern.h"

#include <fmt/format.h>

#include "base/nearest.h"
#include "workload/pattern_texts.h"

namespace s3lt {

std::vector<std::string_view> builtin_pattern_names() {
  std::vector<std::string_view> names;
  for (const PatternText& text : pattern_texts()) names.push_back(text.name);
  return names;
}

std::vector<std::string_view> all_pattern_names() {
  std::vector<std::string_view> names;
  for (const PatternText& text : pattern_texts()) {
    if (text.in_all) names.push_back(text.name);
  }
  return names;
}

std::string_view builtin_pattern_text(std::string_view name) {
  for (const PatternText& text : pattern_texts()) {
    if (text.name == name) return text.toml;
  }
  return {};
}

Result<Pattern> builtin_pattern(std::string_view name) {
  const std::string_view text = builtin_pattern_text(name);
  if (text.empty()) {
    return usage_error(fmt::format("there is no pattern \"{}\" (a file of your own ends in .toml): {}", name,
                                   suggest(name, builtin_pattern_names())));
  }
  auto patterns = parse_patterns(text, fmt::format("built-in {}.toml", name));
  if (!patterns) return std::unexpected(patterns.error());
  return std::move(patterns->front());
}

}  // namespace s3lt
