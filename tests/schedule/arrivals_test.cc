#include "schedule/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace s3lt {
namespace {

using std::chrono::milliseconds;

const Phases always({}, 0);

std::vector<Duration> starts(Arrivals arrivals, Duration until) {
  std::vector<Duration> out;
  for (; arrivals.next() < until; arrivals.advance()) out.push_back(arrivals.next());
  return out;
}

std::vector<Duration> of_all_threads(const RateCourse& course, ArrivalKind kind, std::uint64_t clients,
                                     unsigned threads, const Phases& phases, Duration until) {
  std::vector<Duration> out;
  for (unsigned thread = 0; thread < threads; ++thread) {
    const auto mine = starts(
        Arrivals(course, kind, {clients, threads, thread}, phases, Random::stream(7, {thread})), until);
    out.insert(out.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(out);
  return out;
}

TEST(RateCourse, CountsWhatIsDueAndKnowsWhen) {
  // 10 s from 100/s up to 300/s, 5 s at 300/s, then 50/s.
  const RateCourse course{{{100, 300, seconds(10)}, {300, 300, seconds(5)}, {50, 50, Duration::zero()}}};
  EXPECT_DOUBLE_EQ(course.at(Duration::zero()), 100);
  EXPECT_DOUBLE_EQ(course.at(seconds(5)), 200);
  EXPECT_DOUBLE_EQ(course.at(seconds(12)), 300);
  EXPECT_DOUBLE_EQ(course.at(seconds(100)), 50);
  EXPECT_DOUBLE_EQ(course.due(seconds(5)), 750);
  EXPECT_DOUBLE_EQ(course.due(seconds(15)), 3500);
  EXPECT_DOUBLE_EQ(course.due(seconds(17)), 3600);
  for (double n = 0; n < 4000; n += 7.5) {
    EXPECT_NEAR(course.due(course.when(n)), n, 1e-4) << n;
  }
}

TEST(RateCourse, ARampThatComesToRestEnds) {
  const RateCourse course{{{100, 0, seconds(10)}}};
  EXPECT_NE(course.when(499), Duration::max());
  EXPECT_EQ(course.when(501), Duration::max());
}

TEST(RateCourse, ScaledItsTimesShrinkAndItsRatesStay) {
  const RateCourse course = RateCourse{{{10, 20, seconds(60)}, {20, 20, seconds(0)}}}.scaled(60);
  EXPECT_DOUBLE_EQ(course.at(milliseconds(500)), 15);
  EXPECT_DOUBLE_EQ(course.due(seconds(1)), 15);
}

TEST(Arrivals, ConstantOnesAreEvenHoweverTheyAreShared) {
  for (const unsigned threads : {1u, 2u, 3u, 8u}) {
    for (const std::uint64_t clients : {std::uint64_t(1), std::uint64_t(7), std::uint64_t(64)}) {
      const auto all = of_all_threads(RateCourse::constant(500), ArrivalKind::constant, clients, threads,
                                      always, seconds(4));
      ASSERT_EQ(all.size(), 2000u) << threads << " threads, " << clients << " clients";
      for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_NEAR(to_seconds(all[i]), static_cast<double>(i) / 500, 1e-8);
      }
    }
  }
}

TEST(Arrivals, PoissonOnesHaveTheRateAndItsSpread) {
  // Counts in windows of a Poisson process: mean and variance are the same.
  for (const unsigned threads : {1u, 3u}) {
    const auto all =
        of_all_threads(RateCourse::constant(1000), ArrivalKind::poisson, 16, threads, always, seconds(400));
    std::vector<double> windows(4000);
    for (const Duration t : all) ++windows[static_cast<std::size_t>(t / milliseconds(100))];
    double mean = 0, variance = 0;
    for (const double n : windows) mean += n / 4000;
    for (const double n : windows) variance += (n - mean) * (n - mean) / 3999;
    EXPECT_NEAR(mean, 100, 5 * 10 / std::sqrt(4000.0)) << threads;
    EXPECT_NEAR(variance / mean, 1, 5 * std::sqrt(2 / 3999.0)) << threads;
  }
}

TEST(Arrivals, FollowARamp) {
  const RateCourse course{{{100, 1000, seconds(10)}, {1000, 1000, Duration::zero()}}};
  const auto all = of_all_threads(course, ArrivalKind::constant, 8, 2, always, seconds(12));
  for (int second = 0; second < 12; ++second) {
    const auto n = std::ranges::count_if(all, [&](Duration t) { return t / seconds(1) == second; });
    EXPECT_NEAR(static_cast<double>(n), second < 10 ? 145 + 90 * second : 1000, 1.01) << second;
  }
}

TEST(Arrivals, NothingIsMeantToBeginInAGap) {
  const Phases phases({.kind = Schedule::Kind::burst_and_gap, .burst = seconds(1), .gap = seconds(2)}, 0);
  for (const ArrivalKind kind : {ArrivalKind::constant, ArrivalKind::poisson}) {
    const auto all = of_all_threads(RateCourse::constant(1000), kind, 4, 2, phases, seconds(9));
    for (const Duration t : all) EXPECT_EQ(phases.at(t).kind, PhaseKind::burst) << to_seconds(t);
    EXPECT_NEAR(static_cast<double>(all.size()), 3000, kind == ArrivalKind::constant ? 6 : 300);
    EXPECT_TRUE(std::ranges::any_of(all, [](Duration t) { return t >= seconds(6); }));
  }
}

TEST(Arrivals, OfAThreadWithoutClientsNoneCome) {
  const Arrivals none(RateCourse::constant(10), ArrivalKind::constant, {2, 4, 3}, always, Random(1));
  EXPECT_EQ(none.next(), Duration::max());
}

OpenLoop open_loop(double rate, std::uint64_t most_waiting) {
  return {Arrivals(RateCourse::constant(rate), ArrivalKind::constant, {}, always, Random(1)), most_waiting};
}

TEST(OpenLoop, IntendedStartsWaitInTheirOrderAndNeverSlip) {
  OpenLoop loop = open_loop(100, 1000);
  EXPECT_EQ(loop.take(Duration::zero()), Duration::zero());
  EXPECT_EQ(loop.take(Duration::zero()), milliseconds(10)) << "one that is to come";
  // Nobody is free for a second: 98 wait, and begin late.
  for (int i = 2; i <= 100; ++i) EXPECT_EQ(loop.take(seconds(1)), milliseconds(10 * i));
  EXPECT_EQ(loop.take(seconds(1)), milliseconds(1010));
  EXPECT_EQ(loop.intended(), 100u) << "without those two that had not come yet";
  loop.came();
  loop.came();
  EXPECT_EQ(loop.intended(), 102u);
  EXPECT_EQ(loop.not_sent(), 0u);
}

TEST(OpenLoop, BeyondTheMostThatWaitTheyAreCountedAsNotSent) {
  OpenLoop loop = open_loop(100, 20);
  loop.admit(seconds(1));
  EXPECT_EQ(loop.intended(), 101u);
  EXPECT_EQ(loop.waiting(), 20u);
  EXPECT_EQ(loop.not_sent(), 81u);
  // What came first is kept; room is for what comes later.
  EXPECT_EQ(loop.take(seconds(1)), Duration::zero());
  loop.admit(milliseconds(1010));
  EXPECT_EQ(loop.waiting(), 20u);
  loop.stop(milliseconds(1020));
  loop.admit(seconds(2));
  EXPECT_EQ(loop.intended(), 103u) << "none behind the stop";
  EXPECT_EQ(loop.take(seconds(2)), milliseconds(10)) << "what waits is still done";
  EXPECT_EQ(loop.waiting(), 19u);
  loop.cut();
  EXPECT_EQ(loop.waiting(), 0u);
  EXPECT_EQ(loop.not_sent(), 101u) << "all but those that were taken";
}

TEST(OpenLoop, NothingIsMeantToBeginAtItsEndOrLater) {
  OpenLoop loop(Arrivals(RateCourse::constant(100), ArrivalKind::constant, {}, always, Random(1)), 1000,
                seconds(1));
  EXPECT_EQ(loop.take(Duration::zero()), Duration::zero());
  for (int i = 1; i < 100; ++i) EXPECT_EQ(loop.take(seconds(5)), milliseconds(10 * i));
  EXPECT_EQ(loop.take(seconds(5)), Duration::max());
  EXPECT_EQ(loop.intended(), 100u);
}

}  // namespace
}  // namespace s3lt
