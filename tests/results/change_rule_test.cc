#include "results/change_rule.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

TEST(ChangeRule, ReadsPatternOperationFigureAndLimit) {
  const auto rule = parse_change_rule(" baseload.DELETE-BATCH.p999 < -2.5 % ");
  ASSERT_FALSE(rule) << "a blank before the % is no number";
  const auto good = parse_change_rule(" baseload.DELETE-BATCH.p999 < -2.5% ");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->pattern, "baseload");
  EXPECT_EQ(good->operation, OperationKind::delete_batch);
  EXPECT_EQ(good->figure, "p99.9");
  EXPECT_FALSE(good->above);
  EXPECT_DOUBLE_EQ(good->limit, -0.025);
}

TEST(ChangeRule, FailsOnlyWhereAChangeIsBeyondItsLimitAndNoChance) {
  const auto rule = parse_change_rule("GET.p99 > +10%");
  ASSERT_TRUE(rule);
  const auto failed = [&](double change, bool different) {
    Comparison comparison;
    comparison.figures = {
        {.pattern = "a", .operation = OperationKind::put, .name = "p99", .change = 9, .different = true},
        {.pattern = "a", .operation = OperationKind::get, .name = "p50", .change = 9, .different = true},
        {.pattern = "a",
         .operation = OperationKind::get,
         .name = "p99",
         .change = change,
         .different = different}};
    return apply_rules({*rule}, comparison)[0].failed;
  };
  EXPECT_TRUE(failed(0.2, true));
  EXPECT_FALSE(failed(0.2, false));
  EXPECT_FALSE(failed(0.09, true));
  EXPECT_FALSE(failed(-0.5, true));
}

TEST(ChangeRule, OfAFigureThatNeitherRunHasPasses) {
  const auto rule = parse_change_rule("LIST.rate < -10%");
  ASSERT_TRUE(rule);
  const std::vector<ChangeRule> rules = {*rule};
  const auto results = apply_rules(rules, {});
  EXPECT_FALSE(results[0].failed);
  EXPECT_EQ(results[0].worst, nullptr);
}

}  // namespace
}  // namespace s3lt
