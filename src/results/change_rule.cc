#include "results/change_rule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/nearest.h"
#include "results/figure_expression.h"

namespace s3lt {
namespace {

constexpr std::array<std::string_view, 8> figure_names = {"rate", "throughput", "errors", "p50",
                                                          "p90",  "p95",        "p99",    "p99.9"};
constexpr std::string_view form = "write it as in 'GET.p99 > +10%' or 'baseload.PUT.throughput < -5%'";
constexpr FigureGrammar grammar{.figures = figure_names,
                                .figure_noun = "a figure that is compared",
                                .form = form,
                                .operation_needed = true};

// As a comparison names it; empty where it does not compare it.
std::string compared_name(const Figure& figure) {
  if (figure.kind == Figure::Kind::rate) return "rate";
  if (figure.kind == Figure::Kind::throughput) return "throughput";
  if (figure.kind == Figure::Kind::error_rate) return "errors";
  const std::string name = fmt::format("p{}", figure.percentile);
  const bool compared = figure.kind == Figure::Kind::percentile && figure.time == Figure::Time::response &&
                        std::ranges::find(figure_names, name) != figure_names.end();
  return compared ? name : "";
}

// The names before the comparison; sets rule.pattern, .operation and .figure.
Result<void> read_names(ExpressionReader& in, ChangeRule& rule) {
  const auto of = read_figure(in, grammar);
  if (!of) return std::unexpected(of.error());
  if (!of->size.empty())
    return wrong_expression(in.text, of->size_at,
                            fmt::format("sizes are shown, but not compared: leave {} out", of->size));
  rule.pattern = of->pattern;
  rule.operation = *of->operation;
  rule.figure = compared_name(of->figure);
  rule.pattern_at = of->pattern_at;
  rule.operation_at = of->operation_at;
  rule.figure_at = of->figure_at;
  if (!rule.figure.empty()) return {};
  const std::string_view word = in.text.substr(of->figure_at, in.at - of->figure_at);
  return wrong_expression(
      in.text, of->figure_at,
      fmt::format("\"{}\" is not a figure that is compared; {}", word, suggest(word, figure_names)));
}

}  // namespace

Result<ChangeRule> parse_change_rule(const std::string& text) {
  ChangeRule rule{.text = text};
  const auto wrong = [&](std::size_t at, std::string_view why) { return wrong_expression(text, at, why); };
  ExpressionReader in{text};
  in.skip_blanks();
  if (auto names = read_names(in, rule); !names) return std::unexpected(names.error());
  in.skip_blanks();
  if (in.at >= text.size() || (text[in.at] != '<' && text[in.at] != '>'))
    return wrong(in.at, fmt::format("'>' or '<' is missing; {}", form));
  rule.above = text[in.at++] == '>';
  in.skip_blanks();
  const std::size_t begin = in.at;
  const char sign = rule.above ? '+' : '-';
  const bool has_sign = in.at < text.size() && text[in.at] == sign;
  if (has_sign) ++in.at;
  const char* end = text.data() + text.size();
  const auto number = std::from_chars(text.data() + in.at, end, rule.limit);
  if (number.ec != std::errc{} || !std::isfinite(rule.limit))
    return wrong(begin, fmt::format("a change in percent is missing; {}", form));
  const std::size_t number_at = in.at;
  in.at = static_cast<std::size_t>(number.ptr - text.data());
  if (in.at >= text.size() || text[in.at] != '%')
    return wrong(in.at, fmt::format("'%' is missing: a change is told in percent; {}", form));
  ++in.at;
  in.skip_blanks();
  if (in.at < text.size()) return wrong(in.at, fmt::format("nothing may follow; {}", form));
  if (!has_sign || text[number_at] == '-')
    return wrong(begin, fmt::format("a {} is told with its sign, as '{} {}N%'; {}",
                                    rule.above ? "growth" : "fall", rule.above ? '>' : '<', sign, form));
  rule.limit *= rule.above ? 0.01 : -0.01;
  return rule;
}

Result<void> check_rule(const ChangeRule& rule, const Comparison& comparison) {
  std::vector<std::string_view> patterns, operations, figures;
  const auto add = [](std::vector<std::string_view>& names, std::string_view name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const ComparedFigure& figure : comparison.figures) {
    add(patterns, figure.pattern);
    if (!rule.pattern.empty() && figure.pattern != rule.pattern) continue;
    add(operations, name(figure.operation));
    if (figure.operation == rule.operation) add(figures, figure.name);
  }
  if (comparison.figures.empty())
    return wrong_expression(rule.text, rule.operation_at, "the runs have no operation in common");
  if (operations.empty())
    return wrong_expression(rule.text, rule.pattern_at,
                            fmt::format("the runs have no pattern \"{}\" in common; {}", rule.pattern,
                                        suggest(rule.pattern, patterns)));
  const std::string of = rule.pattern.empty() ? "" : " of " + rule.pattern;
  if (figures.empty())
    return wrong_expression(rule.text, rule.operation_at,
                            fmt::format("the runs have no {}{} in common, but {}", name(rule.operation), of,
                                        fmt::join(operations, ", ")));
  if (std::ranges::find(figures, rule.figure) == figures.end())
    return wrong_expression(rule.text, rule.figure_at,
                            fmt::format("the runs have no {} of {}{} in common, but {}", rule.figure,
                                        name(rule.operation), of, fmt::join(figures, ", ")));
  return {};
}

std::vector<RuleResult> apply_rules(const std::vector<ChangeRule>& rules, const Comparison& comparison) {
  std::vector<RuleResult> results;
  for (const ChangeRule& rule : rules) {
    RuleResult result{.rule = &rule};
    for (const ComparedFigure& figure : comparison.figures) {
      if (figure.operation != rule.operation || figure.name != rule.figure) continue;
      if (!rule.pattern.empty() && figure.pattern != rule.pattern) continue;
      const bool beyond = rule.above ? figure.change > rule.limit : figure.change < rule.limit;
      const bool fails = beyond && figure.different;
      const bool worse = result.worst == nullptr || (rule.above ? figure.change > result.worst->change
                                                                : figure.change < result.worst->change);
      // What failed is shown, and not a larger change that may be chance.
      if (fails != result.failed ? fails : worse) result.worst = &figure;
      result.failed = result.failed || fails;
      if (std::isinf(figure.threshold) && result.untold == nullptr) result.untold = &figure;
    }
    results.push_back(result);
  }
  return results;
}

}  // namespace s3lt
