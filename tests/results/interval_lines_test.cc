#include "results/interval_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <sstream>
#include <vector>

#include "base/random.h"
#include "results/sample_run.h"

namespace s3lt {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// As a thread delivers it: a little after its time, each a sample_snapshot() with one more GET that took a
// time of its own.
Snapshot second(int number) {
  Snapshot snapshot = sample_snapshot();
  snapshot.from = number == 0 ? Duration::zero() : seconds(number + 0.0004);
  snapshot.to = seconds(number + 1.0004);
  Cell& cell = snapshot.cells[{"baseload", OperationKind::get, "1KB"}];
  ++cell.counters.count;
  cell.response.record(3000 + 40 * number % 100'000);
  cell.lag.record(number % 1000 + 1);
  return snapshot;
}

Cell whole(const std::vector<Snapshot>& parts) {
  Cell sum;
  for (const Snapshot& part : parts) {
    for (const char* size : {"1KB", "100MB"}) sum.add(part.cells.at({"baseload", OperationKind::get, size}));
  }
  return sum;
}

struct Logged {
  double from = 0, length = 0;
  Histogram histogram;
};

// By tag, in the order of the lines.
std::map<std::string, std::vector<Logged>> logged(const std::string& text) {
  std::map<std::string, std::vector<Logged>> out;
  for (const std::string& line : lines_of(text)) {
    std::istringstream fields(line);
    std::string tag, from, length, max, encoded;
    std::getline(fields, tag, ',');
    std::getline(fields, from, ',');
    std::getline(fields, length, ',');
    std::getline(fields, max, ',');
    std::getline(fields, encoded);
    auto histogram = Histogram::decode_compressed_base64(encoded);
    EXPECT_TRUE(histogram) << line;
    EXPECT_TRUE(tag.starts_with("Tag="));
    if (histogram) out[tag.substr(4)].push_back({std::stod(from), std::stod(length), std::move(*histogram)});
  }
  return out;
}

void expect_same(const Histogram& a, const Histogram& b) {
  ASSERT_EQ(a.count(), b.count());
  for (int i = 0; i < Histogram::counts_length; ++i)
    ASSERT_EQ(a.count_at(i), b.count_at(i)) << "counter " << i;
}

TEST(IntervalLines, TheFirstDayHasALineASecondAndEverythingElseAMinute) {
  IntervalLines intervals;
  std::vector<Snapshot> parts;
  std::string histograms;
  for (int number = 0; number < 60; ++number) {
    parts.push_back(second(number));
    const IntervalText text = intervals.add(parts.back());
    EXPECT_THAT(lines_of(text.series), SizeIs(1));
    const bool has_minute = text.histograms.find("minute.") != std::string::npos;
    EXPECT_EQ(has_minute, number == 59) << "in second " << number;
    histograms += text.histograms;
  }
  const auto by_tag = logged(histograms);
  EXPECT_THAT(by_tag.at("baseload.GET"), SizeIs(60));
  Histogram merged;
  for (const Logged& each : by_tag.at("baseload.GET")) merged.add(each.histogram);
  const Cell expected = whole(parts);
  expect_same(merged, expected.response);
  for (const char* tag :
       {"minute.baseload.GET.service", "minute.baseload.GET.ttfb", "minute.baseload.GET.lag",
        "minute.baseload.PUT.failed", "minute.baseload.GET.1KB", "minute.baseload.GET.100MB"}) {
    ASSERT_THAT(by_tag.at(tag), SizeIs(1)) << tag;
    EXPECT_NEAR(by_tag.at(tag)[0].length, 60, 0.01) << tag;
  }
  expect_same(by_tag.at("minute.baseload.GET.lag")[0].histogram, expected.lag);
  expect_same(by_tag.at("minute.baseload.GET.service")[0].histogram, expected.service);
}

TEST(IntervalLines, AfterADaySecondsFoldIntoMinutesWithoutLoss) {
  constexpr int day = 24 * 60 * 60;
  IntervalLines intervals;
  EXPECT_THAT(lines_of(intervals.add(second(day - 1)).series), SizeIs(1)) << "the last second of the day";
  std::vector<Snapshot> parts;
  IntervalText text;
  for (int number = day; number < day + 60; ++number) {
    EXPECT_THAT(text.series + text.histograms, IsEmpty()) << "before second " << number;
    parts.push_back(second(number));
    text = intervals.add(parts.back());
  }
  const auto series = lines_of(text.series);
  ASSERT_THAT(series, SizeIs(1));
  const boost::json::value line = boost::json::parse(series[0]);
  EXPECT_NEAR(line.at("from").to_number<double>(), day, 0.01);
  EXPECT_NEAR(line.at("to").to_number<double>(), day + 60, 0.01);
  EXPECT_EQ(line.at_pointer("/patterns/baseload/operations/GET/count").to_number<int>(), 60 * 5);
  const auto by_tag = logged(text.histograms);
  ASSERT_THAT(by_tag.at("baseload.GET"), SizeIs(1));
  expect_same(by_tag.at("baseload.GET")[0].histogram, whole(parts).response);
  EXPECT_TRUE(by_tag.contains("minute.baseload.GET.ttfb"));
  EXPECT_THAT(intervals.finish().series, IsEmpty()) << "nothing is left";
}

// A second of three patterns with four operations each, 240 operations over two decades of latency: half of
// what `run all` with five sizes has to tell every minute, whose size on the disk docs/formats.md states.
Snapshot second_of_half(int number) {
  Snapshot snapshot;
  snapshot.from = seconds(number);
  snapshot.to = seconds(number + 1);
  Random random = Random::stream(static_cast<std::uint64_t>(number % 5), {1});
  for (const char* pattern : {"baseload", "spiky", "elephant"}) {
    for (const OperationKind kind :
         {OperationKind::get, OperationKind::put, OperationKind::head, OperationKind::list}) {
      Cell& cell = snapshot.cells[{pattern, kind, "1KB"}];
      for (int i = 0; i < 20; ++i) {
        const auto us = static_cast<std::int64_t>(300 * std::pow(100, random.uniform()));
        ++cell.counters.count;
        ++cell.counters.attempts;
        ++cell.counters.requests;
        cell.response.record(us);
        cell.service.record(us);
        cell.ttfb.record(us / 2);
      }
    }
  }
  return snapshot;
}

TEST(IntervalLines, AMonthTakesNoMoreThanIsStated) {
  constexpr int day = 24 * 60 * 60;
  const auto minute_from = [](IntervalLines& intervals, int begin) {
    std::size_t bytes = 0;
    for (int number = begin; number < begin + 60; ++number) {
      const IntervalText text = intervals.add(second_of_half(number));
      bytes += text.series.size() + text.histograms.size();
    }
    return static_cast<double>(bytes);
  };
  IntervalLines intervals;
  const double of_first_day = minute_from(intervals, 0);
  std::vector<double> later;
  for (int days = 1; days < 30; days += 4) later.push_back(minute_from(intervals, days * day));
  for (const double bytes : later) {
    EXPECT_LT(bytes, of_first_day / 3) << "folded into a line";
    EXPECT_NEAR(bytes, later.front(), 0.02 * later.front()) << "the same on every day";
  }
  const double month = (of_first_day + 29 * later.front()) * 24 * 60;
  EXPECT_LT(month, 5e9 / 2) << "docs/formats.md: 5 GB for twice this";
}

TEST(IntervalLines, TheMinuteThatTheEndOfTheRunCutsIsTold) {
  IntervalLines intervals;
  intervals.add(second(60));
  intervals.add(second(61));
  const auto by_tag = logged(intervals.finish().histograms);
  ASSERT_THAT(by_tag.at("minute.baseload.GET.ttfb"), SizeIs(1));
  EXPECT_NEAR(by_tag.at("minute.baseload.GET.ttfb")[0].length, 2, 0.01);
  EXPECT_FALSE(by_tag.contains("baseload.GET")) << "its seconds have been told";
}

Snapshot second_of_endpoints(int number, int endpoints) {
  Snapshot snapshot = second(number);
  for (int i = 0; i < endpoints; ++i) {
    EndpointCell& cell = snapshot.endpoints[{"http://10.0.0." + std::to_string(i), OperationKind::get}];
    cell.outcomes[static_cast<std::size_t>(Outcome::ok)] = 3;
    cell.service.record(100 * (i + 1), 3);
    cell.outcomes[static_cast<std::size_t>(Outcome::throttled)] = 1;
  }
  return snapshot;
}

TEST(IntervalLines, EndpointsAreToldOnceAMinute) {
  IntervalLines intervals;
  IntervalText all;
  for (int number = 0; number < 60; ++number) {
    const IntervalText text = intervals.add(second_of_endpoints(number, 2));
    EXPECT_EQ(text.series.find("10.0.0.1") != std::string::npos, number == 59) << number;
    all.histograms += text.histograms;
    all.series = text.series;
  }
  const auto by_tag = logged(all.histograms);
  for (const char* tag : {"minute.endpoints.http://10.0.0.0.GET", "minute.endpoints.http://10.0.0.1.GET"}) {
    ASSERT_THAT(by_tag.at(tag), SizeIs(1));
    EXPECT_EQ(by_tag.at(tag)[0].histogram.count(), 180U);
    EXPECT_NEAR(by_tag.at(tag)[0].length, 60, 0.01);
  }
  const auto line = boost::json::parse(all.series).as_object();
  const auto& outcomes = line.at("endpoints").at("http://10.0.0.1").at("GET").at("outcomes");
  EXPECT_EQ(outcomes.at("ok").to_number<int>(), 180);
  EXPECT_EQ(outcomes.at("throttled").to_number<int>(), 60);
}

TEST(IntervalLines, AfterADayEndpointsAreToldOnceAnHourWithoutLoss) {
  constexpr int day = 24 * 60 * 60;
  IntervalLines intervals;
  std::string histograms, series;
  for (int number = day; number < day + 3600 + 90; ++number) {
    const IntervalText text = intervals.add(second_of_endpoints(number, 2));
    histograms += text.histograms;
    series += text.series;
  }
  const auto hours = logged(histograms).at("minute.endpoints.http://10.0.0.1.GET");
  ASSERT_THAT(hours, SizeIs(1));
  EXPECT_NEAR(hours[0].from, day, 0.01);
  EXPECT_NEAR(hours[0].length, 3600, 0.01);
  EXPECT_EQ(hours[0].histogram.count(), 3600U * 3);
  const auto lines = lines_of(series);
  ASSERT_THAT(lines, SizeIs(61));
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(lines[i].find("10.0.0.1") != std::string::npos, i == 59) << i;
  const IntervalText rest = intervals.finish();
  EXPECT_EQ(logged(rest.histograms).at("minute.endpoints.http://10.0.0.1.GET")[0].histogram.count(), 90U * 3);
  EXPECT_NE(rest.series.find("10.0.0.1"), std::string::npos);
}

TEST(IntervalLines, OneEndpointAloneTakesNoRoomButInTheTotal) {
  IntervalLines intervals;
  for (int number = 0; number < 60; ++number) {
    const IntervalText text = intervals.add(second_of_endpoints(number, 1));
    EXPECT_EQ((text.series + text.histograms).find("10.0.0."), std::string::npos);
  }
  EXPECT_TRUE(logged(total_histogram_lines(second_of_endpoints(0, 1)))
                  .contains("total.endpoints.http://10.0.0.0.GET"));
}

TEST(IntervalLines, TheTotalsHaveEveryDistributionOfEveryOperationAndSize) {
  const auto by_tag = logged(total_histogram_lines(sample_snapshot()));
  for (const char* tag : {"total.baseload.GET", "total.baseload.GET.1KB", "total.baseload.GET.service",
                          "total.baseload.GET.ttfb", "total.baseload.PUT.failed", "total.baseload.TRIM"}) {
    EXPECT_TRUE(by_tag.contains(tag)) << tag;
  }
  EXPECT_FALSE(by_tag.contains("total.baseload.GET.lag")) << "a closed loop has none";
}

}  // namespace
}  // namespace s3lt
