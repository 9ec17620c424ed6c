// A comparison of two runs as a table for people. Pure functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "report/text.h"
#include "results/change_rule.h"

namespace s3lt {

// One sentence: "No difference: …", or which figures differ, by how much.
std::string comparison_verdict(const Comparison& comparison);

// Both runs' figures, their change and the least one that would say something; the rules; ends in the
// verdict. `a` and `b` describe the runs.
std::string comparison_text(const Comparison& comparison, const std::string& a, const std::string& b,
                            const std::vector<RuleResult>& rules, const TextStyle& style);

}  // namespace s3lt
