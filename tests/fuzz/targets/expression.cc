// Expressions of --slo and --fail-if: what is refused is shown with a caret on the line of the expression's
// columns, and what is read is within bounds and read again as it was.
#include <algorithm>
#include <cmath>

#include "fuzz/target.h"
#include "results/change_rule.h"
#include "results/slo.h"

namespace s3lt::fuzz {
namespace {

void check_error(const std::string& message, std::string_view text) {
  require(std::ranges::count(message, '\n') >= 2, "the expression and a caret stand below the sentence");
  const std::string_view last = std::string_view(message).substr(message.rfind('\n') + 1);
  require(last.starts_with("  ") && last.ends_with('^'), "the last line is the caret's");
  require(last.find_first_not_of(" \t") == last.size() - 1, "nothing but blanks stands before it");
  require(last.size() <= text.size() + 3, "it stands below the expression, or right behind it");
}

void check_slo(std::string_view text) {
  const auto slo = parse_slo(text);
  if (!slo) return check_error(slo.error().message, text);
  require(std::isfinite(slo->limit) && slo->limit >= 0, "a limit is a number");
  require(slo->kept_by(slo->limit) ==
              (slo->relation == Slo::Relation::at_most || slo->relation == Slo::Relation::at_least),
          "a limit is within where the relation says so");
  const Figure& figure = slo->of.figure;
  require((figure.kind == Figure::Kind::percentile) == (figure.percentile > 0) && figure.percentile < 100,
          "a percentile is one");
  const auto again = parse_slo(slo->text);
  require(again && again->limit == slo->limit && again->of.figure == figure &&
              again->of.pattern == slo->of.pattern && again->of.size == slo->of.size,
          "it is read again as it was");
  const SloScope scope{.pattern = "baseload", .operations = {OperationKind::get}, .sizes = {"1KB"}};
  if (const auto checked = s3lt::check_slo(*slo, {&scope, 1}); !checked)
    check_error(checked.error().message, text);
  const SloResult nothing = judge_slos({&*slo, 1}, {}, 1)[0];
  require(!nothing.passed && !nothing.value && !nothing.why.empty(), "without data it is missed");
}

void check_rule(const std::string& text) {
  const auto rule = parse_change_rule(text);
  if (!rule) return check_error(rule.error().message, text);
  require(std::isfinite(rule->limit) && !rule->figure.empty(), "a rule has a figure and a number");
  require(rule->above ? rule->limit >= 0 : rule->limit <= 0, "a rule is about the direction that it names");
  if (const auto known = s3lt::check_rule(*rule, {}); !known) check_error(known.error().message, text);
}

}  // namespace

void expression(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t kind = input.byte();
  if (kind == 'r') return check_rule(std::string(input.text()));
  check_slo(input.text());
}

}  // namespace s3lt::fuzz
