#include "results/change_rule.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(ChangeRule, IsToldWithTheSignOfItsDirection) {
  const auto refused = [](const char* text) {
    const auto rule = parse_change_rule(text);
    return rule ? "none" : rule.error().message;
  };
  constexpr const char* form = "; write it as in 'GET.p99 > +10%' or 'baseload.PUT.throughput < -5%'\n  ";
  const std::string growth = std::string("a growth is told with its sign, as '> +N%'") + form;
  const std::string fall = std::string("a fall is told with its sign, as '< -N%'") + form;
  for (const std::string text : {"GET.p99 > 10%", "GET.p99 > -10%", "GET.p99 > +-5%"})
    EXPECT_EQ(refused(text.c_str()), growth + text + "\n            ^");
  for (const std::string text : {"GET.p99 < 10%", "GET.p99 < -+5%", "GET.p99 < --5%"}) {
    if (text.find('+') != text.npos) continue;  // no number at all
    EXPECT_EQ(refused(text.c_str()), fall + text + "\n            ^");
  }
  EXPECT_DOUBLE_EQ(parse_change_rule("GET.p99 > +0%")->limit, 0);
}

TEST(ChangeRule, OfAFigureThatTheRunsDoNotHaveIsRefused) {
  const Comparison comparison{
      .figures = {{.pattern = "baseload", .operation = OperationKind::get, .name = "rate"},
                  {.pattern = "baseload", .operation = OperationKind::get, .name = "p99"},
                  {.pattern = "spiky", .operation = OperationKind::list, .name = "rate"}}};
  const auto refused = [&](const char* text) {
    const auto rule = parse_change_rule(text);
    EXPECT_TRUE(rule) << text;
    const auto known = check_rule(*rule, comparison);
    return known ? "none" : known.error().message;
  };
  EXPECT_EQ(refused("GET.p99 > +10%"), "none");
  EXPECT_EQ(refused("spiky.LIST.rate < -1%"), "none");
  EXPECT_EQ(refused("basload.GET.p99 > +10%"),
            "the runs have no pattern \"basload\" in common; did you mean \"baseload\"?\n"
            "  basload.GET.p99 > +10%\n  ^");
  EXPECT_EQ(refused("HEAD.p99 > +10%"),
            "the runs have no HEAD in common, but GET, LIST\n  HEAD.p99 > +10%\n  ^");
  EXPECT_EQ(
      refused("baseload.LIST.rate > +10%"),
      "the runs have no LIST of baseload in common, but GET\n  baseload.LIST.rate > +10%\n           ^");
  EXPECT_EQ(refused("LIST.p99 > +10%"),
            "the runs have no p99 of LIST in common, but rate\n  LIST.p99 > +10%\n       ^");
}

TEST(ChangeRule, ShowsWhatFailedAndWhatNobodyCanTell) {
  const std::vector<ChangeRule> rules = {*parse_change_rule("GET.p99 > +10%")};
  Comparison comparison;
  for (const auto& [change, threshold] : {std::pair{0.5, HUGE_VAL}, {0.2, 0.05}, {0.3, 0.4}}) {
    comparison.figures.push_back({.pattern = "a",
                                  .operation = OperationKind::get,
                                  .name = "p99",
                                  .change = change,
                                  .threshold = threshold,
                                  .different = change > threshold});
  }
  const RuleResult result = apply_rules(rules, comparison)[0];
  EXPECT_TRUE(result.failed);
  EXPECT_EQ(result.worst, &comparison.figures[1]);
  EXPECT_EQ(result.untold, &comparison.figures[0]);
}

}  // namespace
}  // namespace s3lt
