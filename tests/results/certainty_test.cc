#include "results/certainty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/random.h"
#include "results/certainty_json.h"
#include "results/notes.h"

namespace s3lt {
namespace {

using testing::HasSubstr;

// The seconds of a run; `fill(i, second)` says what happened in each.
template <class Fill>
std::pair<RunCourse, Snapshot> course_of(int length, Fill fill) {
  RunCourse course;
  Snapshot total;
  for (int i = 0; i < length; ++i) {
    Snapshot second;
    second.from = seconds(i);
    second.to = seconds(i + 1);
    fill(i, second);
    course.add(second);
    total.append(second);
  }
  return {std::move(course), std::move(total)};
}

// `rate(second)` GETs a second of about 1 ms each.
template <class Rate>
std::pair<RunCourse, Snapshot> run_of(int length, Rate rate) {
  Random random = Random::stream(4, {2});
  return course_of(length, [&](int i, Snapshot& second) {
    Cell& cell = second.cells[{"p", OperationKind::get, "1KB"}];
    const int n = static_cast<int>(rate(i) + 10 * random.uniform());
    for (int k = 0; k < n; ++k) {
      ++cell.counters.count;
      cell.response.record(900 + static_cast<std::int64_t>(200 * random.uniform()));
    }
  });
}

const RunCourse::Key gets{"p", OperationKind::get};

TEST(Certainty, ASteadyRunIsSureOfItsRateAndMedian) {
  const auto [course, total] = run_of(60, [](int) { return 100.0; });
  const Certainty sure = certainty_of(course, total, {});
  EXPECT_EQ(sure.patterns.at("p").found, Steadiness::Found::steady);
  EXPECT_THAT(sure.patterns.at("p").why,
              HasSubstr("no drift found, where a change of rate or response time by "));
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

// As a storage that freezes for `length` seconds makes it in an open loop: what was due then ends afterwards.
std::pair<RunCourse, Snapshot> frozen_run(int begin, int length) {
  RunCourse course;
  Snapshot total;
  for (int i = 0; i < 30; ++i) {
    Snapshot second;
    second.from = seconds(100 + i);
    second.to = seconds(101 + i);
    Cell& cell = second.cells[{"p", OperationKind::get, "1KB"}];
    const bool frozen = i >= begin && i < begin + length;
    const int n = frozen ? 0 : i == begin + length ? 500 * (length + 1) : 500;
    cell.counters.count = static_cast<std::uint64_t>(n);
    for (int k = 0; k < n; ++k)
      cell.response.record(n == 500 ? 90 + k % 10 : 1 + 2000 * std::max(0, 500 * length - k));
    course.add(second);
    total.append(second);
  }
  return {std::move(course), std::move(total)};
}

TEST(Certainty, ARunThatStoodStillForTwoSecondsIsNotSteadyAndSaysWhen) {
  const auto [course, total] = frozen_run(15, 2);
  const Certainty sure = certainty_of(course, total, {});
  const Steadiness& found = sure.patterns.at("p");
  EXPECT_EQ(found.found, Steadiness::Found::drifting);
  EXPECT_EQ(found.why, "stood still from 115.0s to 117.0s: no operation ended where 500/s are usual");
  ASSERT_EQ(found.stops.size(), 1U);
  EXPECT_THAT(notes_on_stops(sure), testing::ElementsAre("p " + found.why));
  const Steadiness again = steadiness_of(steady_object(found));
  EXPECT_EQ(again.why, found.why);
  ASSERT_EQ(again.stops.size(), 1U);
  EXPECT_NEAR(again.stops[0].high, 117, 0.001);
}

// The drain falls into the second in which the stand-still ends; what waited through it tells when that was.
TEST(Certainty, AStandStillEndsWithinTheSecondAfterItsLastWholeOne) {
  const auto [course, total] = course_of(30, [&](int i, Snapshot& second) {
    second.arrivals["p"].intended = static_cast<std::uint64_t>(200 * (i + 1));
    Cell& cell = second.cells[{"p", OperationKind::get, "1KB"}];
    cell.counters.count = i == 8 ? 0 : i == 9 ? 400 : 200;
    if (i != 8) cell.response.record(i == 9 ? 1'990'000 : 300, cell.counters.count);
    second.cells[{"p", OperationKind::trim, ""}].counters.count = i == 8 ? 0 : 50;
  });
  const std::string sentence = "stood still from 8.0s to 10.0s: no operation ended where 200/s are due";
  EXPECT_EQ(certainty_of(course, total, {}).patterns.at("p").why, sentence);
  const Certainty ramp = certainty_of(course, total, {{"p", "its rate changes by design"}});
  EXPECT_EQ(ramp.patterns.at("p").why, sentence) << "what was due is known";
}

TEST(Certainty, AnOpenLoopThatIsMeantToDoLittleDoesNotStandStill) {
  std::uint64_t intended = 0;
  const auto [course, total] = course_of(30, [&](int i, Snapshot& second) {
    const std::uint64_t rate = i < 15 ? 1000 : i < 25 ? 30 : 0;  // steps down
    second.arrivals["p"].intended = intended += rate;
    second.cells[{"p", OperationKind::get, "1KB"}].counters.count = rate;
  });
  const Steadiness found =
      certainty_of(course, total, {{"p", "its rate changes by design"}}).patterns.at("p");
  EXPECT_TRUE(found.stops.empty());
  EXPECT_EQ(found.why, "its rate changes by design");
}

TEST(Certainty, AStandStillIsFoundInARunOfHours) {
  const auto [course, total] = run_of(3000, [](int i) { return i == 1234 || i == 1235 ? -10.0 : 100.0; });
  const Steadiness found = certainty_of(course, total, {}).patterns.at("p");
  EXPECT_THAT(found.why, HasSubstr("stood still from 1234.0s to 1236.0s"));
}

TEST(Certainty, SecondsWithoutAnOperationAreNothingWhereFewEnd) {
  const auto [course, total] = run_of(60, [](int i) { return i % 7 == 3 ? -10.0 : 5.0; });
  EXPECT_TRUE(certainty_of(course, total, {}).patterns.at("p").stops.empty());
}

TEST(Certainty, ATestThatCouldNotHaveFoundAnythingProvesNoSameness) {
  // A second of each third has its operations late, at another place in each: nothing drifts.
  const auto [course, total] = course_of(30, [&](int i, Snapshot& second) {
    Cell& cell = second.cells[{"p", OperationKind::get, "1KB"}];
    cell.counters.count = 500;
    cell.response.record(i == 3 || i == 16 || i == 28 ? 600'000 : 100 + i % 3, 500);
  });
  const Steadiness found = certainty_of(course, total, {}).patterns.at("p");
  EXPECT_EQ(found.found, Steadiness::Found::unknown);
  EXPECT_THAT(found.why, HasSubstr("no drift found, but the mean response time of GET varies so much that "
                                   "only a change of "));
}

TEST(Certainty, APatternOfBurstsIsNotTestedAndItsRateIsNoMeanOfChance) {
  const auto [course, total] = run_of(60, [](int i) { return i < 20 ? 100.0 : 0.0; });
  const Certainty sure = certainty_of(course, total, {{"p", "it works in bursts"}});
  EXPECT_EQ(sure.patterns.at("p").found, Steadiness::Found::unknown);
  EXPECT_EQ(sure.patterns.at("p").why, "it works in bursts");
  EXPECT_FALSE(sure.operations.at(gets).rate);
  EXPECT_TRUE(sure.operations.at(gets).percentiles[0]);
}

// A test of means has no power where a standstill makes them vary without bounds.
TEST(Certainty, ARunThatStoodStillWasNotSteady) {
  const auto [course, total] = run_of(30, [](int i) { return i == 15 || i == 16 ? -20.0 : 500.0; });
  const Steadiness found = certainty_of(course, total, {}).patterns.at("p");
  EXPECT_EQ(found.found, Steadiness::Found::drifting);
  EXPECT_THAT(found.why, HasSubstr("stood still from 15.0s to 17.0s"));
  const auto [slow, few] = run_of(30, [](int i) { return i % 3 == 0 ? -20.0 : 0.0; });
  EXPECT_NE(certainty_of(slow, few, {}).patterns.at("p").found, Steadiness::Found::drifting)
      << "some 3 a second";
}

TEST(Certainty, AShortRunClaimsNothing) {
  const auto [course, total] = run_of(3, [](int) { return 100.0; });
  const Certainty sure = certainty_of(course, total, {});
  EXPECT_EQ(sure.patterns.at("p").found, Steadiness::Found::unknown);
  EXPECT_THAT(sure.patterns.at("p").why, HasSubstr("too short"));
  EXPECT_FALSE(sure.operations.at(gets).rate);
}

}  // namespace
}  // namespace s3lt
