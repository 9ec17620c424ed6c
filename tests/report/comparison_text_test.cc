#include "report/comparison_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace s3lt {
namespace {

ComparedFigure figure(const char* name, double change, double threshold, bool different = false) {
  return {.pattern = "baseload",
          .operation = OperationKind::get,
          .name = name,
          .a = 1000,
          .b = 1000 * (1 + change),
          .change = change,
          .threshold = threshold,
          .different = different};
}
constexpr double blind = std::numeric_limits<double>::infinity();

TEST(ComparisonVerdict, NamesTheLargestDifferencesFirst) {
  const Comparison comparison{
      .figures = {figure("p50", 0.1, 0.05, true), figure("p99", -0.5, 0.2, true), figure("p90", 0.02, 0.03)}};
  EXPECT_EQ(comparison_verdict(comparison),
            "B differs from A: GET p99 -50.0% (1ms to 500us), GET p50 +10.0% (1ms to 1.1ms).");
}

TEST(ComparisonVerdict, NoDifferenceIsWorthAsMuchAsTheRunsCouldHaveShown) {
  EXPECT_EQ(comparison_verdict({.figures = {figure("rate", 0.01, 0.03), figure("p50", 0.04, 0.1)}}),
            "No difference: every change is below 3%, or no more than chance.");
  EXPECT_EQ(
      comparison_verdict({.figures = {figure("rate", 0.01, 0.03), figure("p50", 0.4, 16.5)}}),
      "No difference: every change is below 3%, or no more than chance; but GET p50 would have had to change "
      "by 1650.0% to show.");
  EXPECT_EQ(
      comparison_verdict(
          {.figures = {figure("rate", 0.01, 0.03), figure("errors", 0, blind), figure("p99", 0.4, blind)}}),
      "No difference: every change is below 3%, or no more than chance; 1 of 2 figures has too few samples "
      "to tell.");
}

TEST(ComparisonVerdict, RunsThatCannotShowAnythingAreNotAlike) {
  EXPECT_EQ(comparison_verdict({.figures = {figure("rate", 0, blind), figure("errors", 0, 0.03)}}),
            "Nothing can be said: the runs are too short, or have too few operations.");
  EXPECT_EQ(comparison_verdict({}), "Nothing to compare: the runs have no operation in common.");
}

}  // namespace
}  // namespace s3lt
