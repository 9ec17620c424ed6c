#include "results/slo_watch.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

using std::chrono::seconds;

// A run of GETs, fed by the second.
struct Course {
  SloWatch watch;
  Snapshot total{};
  Duration at{};

  Course(const std::string& slo, RunHorizon horizon, bool steady = true)
      : watch({*parse_slo(slo)},
              {{.pattern = "baseload", .operations = {OperationKind::get}, .steady = steady}}, horizon) {
    at = total.from = total.to = horizon.warmup;
  }
  // A second with `good` GETs of 1 ms, `slow` ones of 100 ms, and `failed` ones.
  std::optional<std::string> second(std::uint64_t good, std::uint64_t slow = 0, std::uint64_t failed = 0,
                                    std::uint64_t bytes = 0) {
    Snapshot one;
    one.from = at;
    one.to = at += seconds(1);
    Cell& cell = one.cells[{"baseload", OperationKind::get, "1KB"}];
    cell.counters.count = good + slow + failed;
    cell.counters.bytes_moved = bytes;
    cell.counters.errors = failed;
    for (std::uint64_t i = 0; i < good; ++i) cell.response.record(1000);
    for (std::uint64_t i = 0; i < slow; ++i) cell.response.record(100'000);
    total.append(one);
    return watch.look(one, total);
  }
  // The first second, from 1, that is said to be hopeless; 0: none of them.
  int hopeless_at(int most, std::uint64_t good, std::uint64_t slow = 0, std::uint64_t failed = 0,
                  std::uint64_t bytes = 0) {
    for (int i = 1; i <= most; ++i) {
      if (second(good, slow, failed, bytes)) return i;
    }
    return 0;
  }
};

const RunHorizon minute{.duration = seconds(60)};

TEST(SloWatch, APercentileIsHopelessWhereTheRestCannotMakeUpForIt) {
  // After t seconds with s slow ones of 100 a second, at most 3 * 100 * (60 - t) good ones follow. With p90
  // and all of them slow: 100 t > 0.1 * (100 t + 300 (60 - t)), so t > 15.
  EXPECT_EQ(Course("GET.p90 < 50ms", minute).hopeless_at(40, 0, 100), 16);
  // A grace in which as many may end, and clients that are under way, are the run's as well.
  EXPECT_EQ(Course("GET.p90 < 50ms", {.duration = seconds(60), .grace = seconds(8)}).hopeless_at(40, 0, 100),
            18);
  EXPECT_EQ(Course("GET.p90 < 50ms", {.duration = seconds(60), .clients = 2400}).hopeless_at(40, 0, 100), 18);
  // Not before ten seconds were seen, however clear it is.
  EXPECT_EQ(Course("GET.p99.9 < 50ms", minute).hopeless_at(40, 0, 100), 10);
  EXPECT_EQ(Course("GET.p90 < 50ms", minute).hopeless_at(60, 92, 8), 0) << "it keeps it";
  // Of a run that hardly misses it, the rest could still turn it for most of its time.
  EXPECT_EQ(Course("GET.p90 < 50ms", minute).hopeless_at(60, 89, 11), 0);
}

TEST(SloWatch, TheReasonSaysWhatWasSeenAndWhatCanFollow) {
  Course course("GET.p90 < 50ms", minute);
  for (int i = 0; i < 15; ++i) EXPECT_FALSE(course.second(0, 100));
  EXPECT_EQ(course.second(0, 100),
            "GET.p90 < 50ms can no longer be met: 1,600 of 1,600 took no less than 50ms, and at most 13,200 "
            "can follow");
}

TEST(SloWatch, NothingIsHopelessInARunWithoutAnEnd) {
  EXPECT_EQ(Course("GET.p99 < 50ms", {}).hopeless_at(1000, 0, 10), 0);
  EXPECT_EQ(Course("GET.rate > 1000/s", {}).hopeless_at(1000, 1), 0);
  EXPECT_EQ(Course("error_rate < 1%", {}).hopeless_at(1000, 0, 0, 1), 0);
}

TEST(SloWatch, WhatIsCertainIsSaidAtOnceAlsoWithoutAnEnd) {
  EXPECT_EQ(Course("GET.max < 50ms", {}).hopeless_at(5, 0, 1), 1);
  EXPECT_EQ(Course("error_rate <= 0%", {}, false).hopeless_at(5, 10, 0, 1), 1);
  EXPECT_EQ(Course("GET.max < 150ms", {}).hopeless_at(5, 0, 1), 0);
}

TEST(SloWatch, OperationsThatAreLeftAreCounted) {
  // 1000 in all, p50: more than 500 slow ones.
  EXPECT_EQ(Course("GET.p50 < 50ms", {.operations = 1000}, false).hopeless_at(10, 0, 100), 6);
  EXPECT_EQ(Course("error_rate < 20%", {.operations = 1000}).hopeless_at(10, 0, 0, 100), 2);
}

TEST(SloWatch, AnErrorRateIsHeldAgainstAllThatCanFollow) {
  // 100 t / (100 t + 300 (60 - t)) >= 10%, as for p90; equal is a miss as well.
  EXPECT_EQ(Course("error_rate < 10%", minute).hopeless_at(40, 0, 0, 100), 15);
  EXPECT_EQ(Course("error_rate <= 10%", minute).hopeless_at(40, 0, 0, 100), 16);
  EXPECT_EQ(Course("error_rate > 10%", minute).hopeless_at(60, 100), 0) << "errors can always come";
}

TEST(SloWatch, AMeanIsHeldAgainstARestThatTakesNoTime) {
  // 100 ms * 100 t / (100 t + 300 (60 - t)) >= 10 ms, as above.
  EXPECT_EQ(Course("GET.mean < 10ms", minute).hopeless_at(40, 0, 100), 15);
}

TEST(SloWatch, ARateMayGrowToThreeTimesTheBestSecond) {
  // 100 t + 300 (60 - t) < 60 x
  EXPECT_EQ(Course("GET.rate > 260/s", minute).hopeless_at(60, 100), 13);
  EXPECT_EQ(Course("GET.rate > 1000/s", minute).hopeless_at(60, 100), 10);
  EXPECT_EQ(Course("GET.rate > 90/s", minute).hopeless_at(60, 100), 0);
  EXPECT_EQ(Course("GET.throughput > 1MB/s", minute).hopeless_at(60, 1, 0, 0, 1000), 10);
  EXPECT_EQ(Course("GET.rate > 1000/s", minute).hopeless_at(60, 0), 0) << "nothing seen is no estimate";
  Course burst("GET.rate > 260/s", minute);
  EXPECT_FALSE(burst.second(200));
  // 200 + 10 t + 600 (59 - t) < 60 * 260
  EXPECT_EQ(burst.hopeless_at(40, 10), 34);
}

TEST(SloWatch, AnUpperLimitOfARateIsBrokenByWhatWasDone) {
  EXPECT_EQ(Course("GET.rate < 50/s", minute).hopeless_at(60, 100), 30);
  EXPECT_EQ(Course("GET.rate < 50/s", {.duration = seconds(60), .grace = seconds(10)}).hopeless_at(60, 100),
            35);
}

TEST(SloWatch, LoadsThatChangeByThemselvesAreNotEstimated) {
  EXPECT_EQ(Course("GET.p99 < 50ms", minute, false).hopeless_at(59, 0, 100), 0);
  EXPECT_EQ(Course("GET.rate > 1000/s", minute, false).hopeless_at(59, 1), 0);
}

TEST(SloWatch, TheLastSecondsAreNotWorthEnding) {
  Course course("GET.p99 < 50ms", minute);
  EXPECT_EQ(course.hopeless_at(50, 100), 0);
  for (int t = 51; t <= 60; ++t) EXPECT_FALSE(course.second(0, 1000)) << t;
}

TEST(SloWatch, TheWarmUpIsNoPartOfTheRunThatCounts) {
  const RunHorizon warm{.duration = seconds(70), .warmup = seconds(10)};
  EXPECT_EQ(Course("GET.p90 < 50ms", warm).hopeless_at(40, 0, 100), 16);
  EXPECT_EQ(Course("GET.rate < 50/s", warm).hopeless_at(60, 100), 30);
}

}  // namespace
}  // namespace s3lt
