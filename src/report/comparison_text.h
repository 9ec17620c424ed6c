// A comparison of two runs as a table for people. Pure functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "report/text.h"
#include "results/change_rule.h"

namespace s3lt {

// One sentence: "No difference: …", or which figures differ, by how much.
std::string comparison_verdict(const Comparison& comparison);

// Why nobody can tell whether a figure differs: "too few independent seconds"; empty where one can.
std::string blind_text(const ComparedFigure& figure);

struct ComparedRuns {
  std::string a, b;                      // describe the runs
  std::vector<std::string> forced_past;  // what they did not have in common
};
// Both runs, and what to know of them; their figures, the change and the least one that would say something;
// the rules; ends in the verdict.
std::string comparison_text(const Comparison& comparison, const ComparedRuns& runs,
                            const std::vector<RuleResult>& rules, const TextStyle& style);

}  // namespace s3lt
