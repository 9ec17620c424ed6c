#include "measure/batched_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/random.h"

namespace s3lt {
namespace {

using testing::Each;
using testing::SizeIs;

Cell cell_of(std::initializer_list<std::int64_t> micros) {
  Cell cell;
  for (const std::int64_t us : micros) {
    ++cell.counters.count;
    cell.counters.bytes_moved += 1024;
    cell.response.record(us);
  }
  return cell;
}

TEST(BatchedSeries, IsBoundedAndLosesNothing) {
  BatchedSeries series;
  constexpr int seconds = 100'000;
  for (int i = 0; i < seconds; ++i) {
    const Cell cell = cell_of({1000, 2000 + i % 7 * 100});
    series.add(1, &cell);
  }
  EXPECT_LE(series.batches().size(), BatchedSeries::most);
  EXPECT_GT(series.batches().size(), BatchedSeries::most / 2 - 1);
  Batch all;
  for (const Batch& batch : series.batches()) all.add(batch);
  EXPECT_EQ(all.seconds, seconds);
  EXPECT_EQ(all.count, 2 * seconds);
  EXPECT_EQ(all.bytes_moved, 2.0 * 1024 * seconds);
  double samples = 0;
  for (const auto& [index, n] : all.response) samples += n;
  EXPECT_EQ(samples, 2 * seconds);
  EXPECT_THAT(series.rates(&Batch::count), Each(2.0));
}

TEST(BatchedSeries, SecondsWithoutAnOperationCountInItsRate) {
  RunCourse course;
  Snapshot second;
  for (int i = 0; i < 20; ++i) {
    second.from = seconds(i);
    second.to = seconds(i + 1);
    second.cells.clear();
    if (i >= 5 && i % 2 == 1) second.cells[{"p", OperationKind::get, "1KB"}] = cell_of({10});
    second.cells[{"p", OperationKind::put, "1KB"}] = cell_of({10});
    second.cells[{"p", OperationKind::put, "1MB"}] = cell_of({10});
    course.add(second);
  }
  const std::vector<double> gets = course.operations().at({"p", OperationKind::get}).rates(&Batch::count);
  ASSERT_THAT(gets, SizeIs(20));
  EXPECT_EQ(std::accumulate(gets.begin(), gets.end(), 0.0), 8);
  EXPECT_EQ(gets[0], 0);
  EXPECT_THAT(course.operations().at({"p", OperationKind::put}).rates(&Batch::count), Each(2.0));
}

TEST(BatchedSeries, AnIntervalOfAPercentileHoldsItAndNarrowsWithMoreSamples) {
  Random random = Random::stream(9, {1});
  double width_before = 1e9;
  for (const int seconds : {20, 200, 2000}) {
    BatchedSeries series;
    Histogram total;
    for (int i = 0; i < seconds; ++i) {
      Cell cell;
      for (int k = 0; k < 20; ++k)
        cell.response.record(1000 + static_cast<std::int64_t>(random.uniform() * 1000));
      total.add(cell.response);
      series.add(1, &cell);
    }
    const auto interval = series.percentile_interval(total, 90, 0.99);
    ASSERT_TRUE(interval);
    EXPECT_LE(interval->low, 1901);
    EXPECT_GE(interval->high, 1899);
    EXPECT_LT(interval->high - interval->low, width_before / 2) << seconds;
    width_before = interval->high - interval->low;
  }
  EXPECT_FALSE(BatchedSeries().percentile_interval({}, 99, 0.95));
}

TEST(BatchedSeries, WhatEndsAfterTheLoadIsInPercentilesAndInNoRate) {
  RunCourse course;
  const auto add = [&](double from, double to, double grace, Cell cell) {
    Snapshot second;
    second.from = seconds(from);
    second.to = seconds(to);
    second.grace = seconds(grace);
    second.cells[{"p", OperationKind::get, "1KB"}] = std::move(cell);
    course.add(second);
  };
  Cell late = cell_of({5000, 6000});
  late.counters.late = 2;
  late.counters.late_bytes = late.counters.bytes_moved;
  for (int i = 0; i < 10; ++i) add(i, i + 1, 0, cell_of({10, 20, 30}));
  add(10, 10.2, 0.1, cell_of({10}));  // a tenth of a second of load
  add(10.2, 11.2, 1, late);
  const BatchedSeries& gets = course.operations().at({"p", OperationKind::get});
  EXPECT_THAT(gets.rates(&Batch::count),
              testing::ElementsAre(3, 3, 3, 3, 3, 3, 3, 3, 3, testing::DoubleNear(4 / 1.1, 1e-9)));
  double samples = 0;
  for (const auto& [index, n] : gets.batches().back().response) samples += n;
  EXPECT_EQ(samples, 3 + 1 + 2);

  RunCourse short_run;
  EXPECT_TRUE(BatchedSeries().rates(&Batch::count).empty());
  Snapshot only;
  only.to = only.grace = seconds(2);
  only.cells[{"p", OperationKind::get, "1KB"}] = late;
  short_run.add(only);
  EXPECT_TRUE(short_run.operations().begin()->second.rates(&Batch::count).empty());
}

}  // namespace
}  // namespace s3lt
