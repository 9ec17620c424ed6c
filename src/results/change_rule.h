// What `compare --fail-if` asks for: "GET.p99 > +10%", "baseload.PUT.throughput < -5%". Pure functions,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "results/comparison.h"

namespace s3lt {

struct ChangeRule {
  std::string text;     // as it was written
  std::string pattern;  // empty: of any
  OperationKind operation{};
  std::string figure;
  bool above = true;  // '>'
  double limit = 0;   // of the change: 0.1 is +10%
  // Where the names begin in the text, for a caret.
  std::size_t pattern_at = 0, operation_at = 0, figure_at = 0;
};

// The error shows the expression with a caret under the mistake.
Result<ChangeRule> parse_change_rule(const std::string& text);
// Whether the runs have such a figure in common; the error says what they have.
Result<void> check_rule(const ChangeRule& rule, const Comparison& comparison);

struct RuleResult {
  const ChangeRule* rule = nullptr;
  const ComparedFigure* worst =
      nullptr;          // of those that it is about; null: the runs have no such figure in common
  bool failed = false;  // a change is beyond the limit, and no chance
  const ComparedFigure* untold = nullptr;  // one of them of which nobody can tell
};
std::vector<RuleResult> apply_rules(const std::vector<ChangeRule>& rules, const Comparison& comparison);

}  // namespace s3lt
