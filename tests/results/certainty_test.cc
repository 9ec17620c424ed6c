#include "results/certainty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace s3lt {
namespace {

using testing::HasSubstr;

// `rate(second)` GETs a second of about 1 ms each.
template <class Rate>
std::pair<RunCourse, Snapshot> run_of(int length, Rate rate) {
  Random random = Random::stream(4, {2});
  RunCourse course;
  Snapshot total;
  for (int i = 0; i < length; ++i) {
    Snapshot second;
    second.from = seconds(i);
    second.to = seconds(i + 1);
    Cell& cell = second.cells[{"p", OperationKind::get, "1KB"}];
    const int n = static_cast<int>(rate(i) + 10 * random.uniform());
    for (int k = 0; k < n; ++k) {
      ++cell.counters.count;
      cell.response.record(900 + static_cast<std::int64_t>(200 * random.uniform()));
    }
    course.add(second);
    total.append(second);
  }
  return {std::move(course), std::move(total)};
}

const RunCourse::Key gets{"p", OperationKind::get};

TEST(Certainty, ASteadyRunIsSureOfItsRateAndMedian) {
  const auto [course, total] = run_of(60, [](int) { return 100.0; });
  const Certainty sure = certainty_of(course, total, {});
  EXPECT_EQ(sure.patterns.at("p").found, Steadiness::Found::steady);
  const OperationCertainty& get = sure.operations.at(gets);
  ASSERT_TRUE(get.rate && get.percentiles[0]);
  EXPECT_LT(get.rate->low, 104.5);
  EXPECT_GT(get.rate->high, 104.5);
  EXPECT_LT(get.rate->high - get.rate->low, 4);
  EXPECT_NEAR(get.percentiles[0]->low, 1000, 10);
  EXPECT_NEAR(get.percentiles[0]->high, 1000, 10);
  EXPECT_FALSE(get.few[3]) << "60 samples are beyond p99";
  EXPECT_TRUE(get.few[4]) << "6 beyond p99.9";
}

TEST(Certainty, ADriftIsNamedWithWhatChangedAndByHowMuch) {
  const auto [course, total] = run_of(60, [](int i) { return 200.0 - 2 * i; });
  const Steadiness found = certainty_of(course, total, {}).patterns.at("p");
  EXPECT_EQ(found.found, Steadiness::Found::drifting);
  EXPECT_THAT(found.why, HasSubstr("the rate of GET fell from 18"));
  EXPECT_THAT(found.why, HasSubstr("/s in the first third to 10"));
  EXPECT_NEAR(found.change, -80 / 145.5, 0.05);
  EXPECT_LT(found.p_value, 0.001);
}

TEST(Certainty, APatternOfBurstsIsNotTestedAndItsRateIsNoMeanOfChance) {
  const auto [course, total] = run_of(60, [](int i) { return i < 20 ? 100.0 : 0.0; });
  const Certainty sure = certainty_of(course, total, {{"p", "it works in bursts"}});
  EXPECT_EQ(sure.patterns.at("p").found, Steadiness::Found::not_tested);
  EXPECT_EQ(sure.patterns.at("p").why, "it works in bursts");
  EXPECT_FALSE(sure.operations.at(gets).rate);
  EXPECT_TRUE(sure.operations.at(gets).percentiles[0]);
}

// A test of means has no power where a standstill makes them vary without bounds.
TEST(Certainty, ARunThatStoodStillWasNotSteady) {
  const auto [course, total] = run_of(30, [](int i) { return i == 15 || i == 16 ? -20.0 : 500.0; });
  const Steadiness found = certainty_of(course, total, {}).patterns.at("p");
  EXPECT_EQ(found.found, Steadiness::Found::drifting);
  EXPECT_EQ(found.why, "it stood still from 15s to 17s");
  const auto [slow, few] = run_of(30, [](int i) { return i % 3 == 0 ? -20.0 : 0.0; });
  EXPECT_NE(certainty_of(slow, few, {}).patterns.at("p").found, Steadiness::Found::drifting)
      << "some 3 a second";
}

TEST(Certainty, AShortRunClaimsNothing) {
  const auto [course, total] = run_of(3, [](int) { return 100.0; });
  const Certainty sure = certainty_of(course, total, {});
  EXPECT_EQ(sure.patterns.at("p").found, Steadiness::Found::not_tested);
  EXPECT_THAT(sure.patterns.at("p").why, HasSubstr("too short"));
  EXPECT_FALSE(sure.operations.at(gets).rate);
}

}  // namespace
}  // namespace s3lt
