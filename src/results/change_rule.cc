#include "results/change_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/nearest.h"

namespace s3lt {
namespace {

constexpr std::array<std::string_view, 8> figure_names = {"rate", "throughput", "errors", "p50",
                                                          "p90",  "p95",        "p99",    "p99.9"};
constexpr std::string_view form = "write it as in 'GET.p99 > +10%' or 'baseload.PUT.throughput < -5%'";

std::unexpected<Error> wrong(const std::string& text, std::size_t at, std::string_view why) {
  return usage_error(fmt::format("{}\n  {}\n  {:>{}}", why, text, '^', at + 1));
}

struct Reader {
  const std::string& text;
  std::size_t at = 0;
  void skip_blanks() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  }
  std::string_view until(std::string_view stops) {
    const std::size_t end = std::min(text.find_first_of(stops, at), text.size());
    const std::string_view word = std::string_view(text).substr(at, end - at);
    at = end;
    return word;
  }
};

// The names before the comparison; sets rule.pattern, .operation and .figure.
Result<void> read_names(Reader& in, ChangeRule& rule) {
  std::size_t begin = in.at;
  std::string_view word = in.until(". \t<>");
  const auto find_operation = [](std::string_view name) { return std::ranges::find(operation_names, name); };
  if (find_operation(word) == operation_names.end() && in.at < in.text.size() && in.text[in.at] == '.') {
    Reader ahead{in.text, in.at + 1};
    const std::string_view next = ahead.until(". \t<>");
    // Before a figure it is an operation, however it is spelt; else a pattern.
    if (std::ranges::find(figure_names, next) == figure_names.end()) {
      rule.pattern = word;
      begin = in.at + 1;
      word = next;
      in.at = ahead.at;
    }
  }
  const auto* operation = find_operation(word);
  if (operation == operation_names.end())
    return wrong(in.text, begin,
                 fmt::format("\"{}\" is not an operation; {}", word, suggest(word, operation_names)));
  rule.operation = static_cast<OperationKind>(operation - operation_names.begin());
  if (in.at >= in.text.size() || in.text[in.at] != '.')
    return wrong(in.text, in.at, fmt::format("a figure of {} is missing; {}", word, form));
  begin = ++in.at;
  word = in.until(" \t<>");
  if (word == "p999") word = "p99.9";
  if (std::ranges::find(figure_names, word) == figure_names.end())
    return wrong(
        in.text, begin,
        fmt::format("\"{}\" is not a figure that is compared; {}", word, suggest(word, figure_names)));
  rule.figure = word;
  return {};
}

}  // namespace

Result<ChangeRule> parse_change_rule(const std::string& text) {
  ChangeRule rule{.text = text};
  Reader in{text};
  in.skip_blanks();
  if (auto names = read_names(in, rule); !names) return std::unexpected(names.error());
  in.skip_blanks();
  if (in.at >= text.size() || (text[in.at] != '<' && text[in.at] != '>'))
    return wrong(text, in.at, fmt::format("'>' or '<' is missing; {}", form));
  rule.above = text[in.at++] == '>';
  in.skip_blanks();
  const std::size_t begin = in.at;
  if (in.at < text.size() && text[in.at] == '+') ++in.at;
  const char* end = text.data() + text.size();
  const auto number = std::from_chars(text.data() + in.at, end, rule.limit);
  if (number.ec != std::errc{})
    return wrong(text, begin, fmt::format("a change in percent is missing; {}", form));
  in.at = static_cast<std::size_t>(number.ptr - text.data());
  if (in.at >= text.size() || text[in.at] != '%')
    return wrong(text, in.at, fmt::format("'%' is missing: a change is told in percent; {}", form));
  ++in.at;
  in.skip_blanks();
  if (in.at < text.size()) return wrong(text, in.at, fmt::format("nothing may follow; {}", form));
  rule.limit /= 100;
  return rule;
}

std::vector<RuleResult> apply_rules(const std::vector<ChangeRule>& rules, const Comparison& comparison) {
  std::vector<RuleResult> results;
  for (const ChangeRule& rule : rules) {
    RuleResult result{.rule = &rule};
    for (const ComparedFigure& figure : comparison.figures) {
      if (figure.operation != rule.operation || figure.name != rule.figure) continue;
      if (!rule.pattern.empty() && figure.pattern != rule.pattern) continue;
      const bool beyond = rule.above ? figure.change > rule.limit : figure.change < rule.limit;
      result.failed = result.failed || (beyond && figure.different);
      const bool worse = result.worst == nullptr || (rule.above ? figure.change > result.worst->change
                                                                : figure.change < result.worst->change);
      if (worse) result.worst = &figure;
    }
    results.push_back(result);
  }
  return results;
}

}  // namespace s3lt
