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
  ComparedFigure rare = figure("p99.9", 0.4, blind);
  rare.few_samples = true;
  EXPECT_EQ(
      comparison_verdict({.figures = {figure("rate", 0.01, 0.03), figure("errors", 0, blind),
                                      figure("p99", 0.4, blind), rare}}),
      "No difference could be shown, although GET p99 changed by +40.0%, with too few independent seconds to "
      "tell; every other change is below 3%, no more than chance, or as hard to tell; 1 of 3 figures has "
      "too few independent seconds to tell; 1 of 3 figures has too few samples to tell: a longer run would.");
}

TEST(ComparisonVerdict, RunsThatCannotShowAnythingAreNotAlike) {
  EXPECT_EQ(comparison_verdict({.figures = {figure("rate", 0, blind), figure("errors", 0, 0.03)}}),
            "Nothing can be said: the runs are too short, or have too few operations.");
  EXPECT_EQ(comparison_verdict({}), "Nothing to compare: the runs have no operation in common.");
}

TEST(ComparisonText, WhatToKnowStandsAboveTheFigures) {
  const std::vector<ChangeRule> rules = {*parse_change_rule("GET.p99 > +10%")};
  const Comparison comparison{.figures = {figure("p99", 0.4, blind)}, .warnings = {"Do not trust A."}};
  const std::string text =
      comparison_text(comparison, {"one", "other", {"clients: 8 and 16", "--size: 1KB and none"}},
                      apply_rules(rules, comparison), {.width = 200});
  EXPECT_TRUE(text.starts_with(
      "A: one\nB: other\n\n"
      "compared by --force, though these runs did not do the same: clients: 8 and 16; --size: "
      "1KB and none\n\nDo not trust A.\n\nbaseload\n"))
      << text;
  EXPECT_NE(text.find("GET.p99 > +10%: passed (+40.0%, which may be chance); GET p99 of baseload has too few "
                      "independent seconds to tell, a longer run would\n"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace s3lt
