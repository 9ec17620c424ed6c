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
};

// The error shows the expression with a caret under the mistake.
Result<ChangeRule> parse_change_rule(const std::string& text);

struct RuleResult {
  const ChangeRule* rule = nullptr;
  const ComparedFigure* worst = nullptr;  // of those that it is about; null: neither run has such a figure
  bool failed = false;                    // a change is beyond the limit, and no chance
};
std::vector<RuleResult> apply_rules(const std::vector<ChangeRule>& rules, const Comparison& comparison);

}  // namespace s3lt
