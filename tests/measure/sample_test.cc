#include "measure/sample.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "measure/recorder.h"

namespace s3lt {
namespace {

const TimePoint start = TimePoint{} + seconds(100);
TimePoint after(std::int64_t nanos) {
  return start + Duration(nanos);
}

TEST(PhaseTimes, EachLastsToTheNextInstantAndTheyAddUpToTheWhole) {
  const PhaseTimes phases = phase_times({.start = start,
                                         .first_begun = after(1'000'600),
                                         .begun = after(3'000'600),
                                         .connected = after(6'000'600),
                                         .secured = after(10'000'600),
                                         .sent = after(15'000'600),
                                         .request_sent = after(21'000'600),
                                         .first_byte = after(28'000'600),
                                         .end = after(36'000'900)});
  EXPECT_EQ(phases, (PhaseTimes{.queue = 6000,
                                .retry = 2000,
                                .connect = 3000,
                                .tls = 4000,
                                .send = 6000,
                                .wait = 7000,
                                .receive = 8000}));
  EXPECT_EQ(phases.sum(), 36'000);
}

TEST(PhaseTimes, WhatDidNotHappenTookNoTime) {
  // A connect that failed; one whose TLS did.
  EXPECT_EQ(phase_times({.start = start, .first_begun = start, .begun = start, .end = after(5'000'000)}),
            (PhaseTimes{.connect = 5000}));
  EXPECT_EQ(phase_times({.start = start,
                         .first_begun = start,
                         .begun = start,
                         .connected = after(2'000'000),
                         .end = after(5'000'000)}),
            (PhaseTimes{.connect = 2000, .tls = 3000}));
  // No answer; cut while sending; answered before the request was sent.
  const PhaseInstants sends{
      .start = start, .first_begun = after(1000), .begun = after(1000), .sent = after(1000)};
  PhaseInstants at = sends;
  at.request_sent = after(2000), at.end = after(9000);
  EXPECT_EQ(phase_times(at), (PhaseTimes{.queue = 1, .send = 1, .wait = 7}));
  at = sends, at.end = after(9000);
  EXPECT_EQ(phase_times(at), (PhaseTimes{.queue = 1, .send = 8}));
  at = sends, at.let_go = after(3000), at.request_sent = after(5000), at.end = after(9000);
  EXPECT_EQ(phase_times(at), (PhaseTimes{.queue = 1, .go_ahead = 2, .send = 2, .wait = 4}));
  at = sends, at.let_go = after(3000), at.first_byte = after(2900), at.end = after(9000);
  EXPECT_EQ(phase_times(at), (PhaseTimes{.queue = 1, .go_ahead = 2, .receive = 6})) << "refused before its body";
  at = sends, at.first_byte = after(4000), at.end = after(9000);
  EXPECT_EQ(phase_times(at), (PhaseTimes{.queue = 1, .send = 3, .receive = 5}));
}

OperationSample sample_of(std::int64_t micros) {
  OperationSample sample;
  sample.micros = micros;
  sample.key = std::to_string(micros);
  return sample;
}

TEST(KeepSlowest, AnySplitOfTheOperationsKeepsTheSame) {
  Random random(5);
  std::vector<OperationSample> all;
  for (int i = 0; i < 1000; ++i)
    all.push_back(sample_of(static_cast<std::int64_t>(random.below(1'000'000'000))));
  std::vector<OperationSample> whole;
  keep_slowest(whole, all);
  ASSERT_EQ(whole.size(), slowest_kept);
  for (std::size_t parts : {2, 7, 400}) {
    std::vector<std::vector<OperationSample>> split(parts);
    for (const OperationSample& s : all) keep_slowest(split[random.below(parts)], {s});
    std::vector<OperationSample> merged;
    for (const auto& part : split) keep_slowest(merged, part);
    ASSERT_EQ(merged.size(), slowest_kept);
    for (std::size_t i = 0; i < slowest_kept; ++i)
      EXPECT_EQ(merged[i].key, whole[i].key) << parts << " parts, " << i;
  }
  for (std::size_t i = 1; i < slowest_kept; ++i) EXPECT_GE(whole[i - 1].micros, whole[i].micros);
}

TEST(Recorder, APatternThatIsSlowByDesignLeavesTheOthersTheirSlowest) {
  Recorder recorder;
  const CellId slow = recorder.cell({"elephant", OperationKind::put, "1MB"});
  const CellId quick = recorder.cell({"baseload", OperationKind::get, "1KB"});
  const auto see = [&](CellId id, const char* pattern, std::int64_t micros) {
    if (!recorder.is_slow(id, micros)) return;
    OperationSample& sample = recorder.slow(id, micros);
    sample = sample_of(micros);
    sample.pattern = pattern;
  };
  for (int i = 1; i <= 100; ++i) {
    see(slow, "elephant", 1'000'000 + i);
    see(quick, "baseload", i);
  }
  Snapshot total = recorder.take(seconds(0), seconds(1));
  total.append(recorder.take(seconds(1), seconds(2)));
  ASSERT_EQ(total.slowest.size(), 2 * slowest_kept);
  EXPECT_EQ(total.slowest.front().micros, 1'000'100);
  EXPECT_EQ(total.slowest[slowest_kept].pattern, "baseload");
  EXPECT_EQ(total.slowest[slowest_kept].micros, 100);
  EXPECT_EQ(total.slowest.back().micros, 91);
}

TEST(Recorder, HandsOverTheSlowestOfAllItsSecondsAndForgetsThemWhenTold) {
  Recorder recorder;
  const CellId cell = recorder.cell({"baseload", OperationKind::get, "1KB"});
  const auto see = [&](std::int64_t micros) {
    if (recorder.is_slow(cell, micros)) recorder.slow(cell, micros) = sample_of(micros);
  };
  for (int i = 1; i <= 100; ++i) see(i);
  Snapshot total = recorder.take(seconds(0), seconds(1));
  ASSERT_EQ(total.slowest.size(), slowest_kept);
  EXPECT_EQ(total.slowest.front().micros, 100);
  EXPECT_EQ(total.slowest.back().micros, 91);
  for (const std::int64_t micros : {5, 95, 1000}) see(micros);
  const Snapshot next = recorder.take(seconds(1), seconds(2));
  ASSERT_EQ(next.slowest.size(), 2U) << "5 is none of the slowest";
  total.append(next);
  EXPECT_EQ(total.slowest.front().micros, 1000);
  EXPECT_EQ(total.slowest.back().micros, 93) << "95 twice";
  recorder.forget_slowest();
  EXPECT_TRUE(recorder.take(seconds(2), seconds(3)).slowest.empty());
  see(3);
  EXPECT_EQ(recorder.take(seconds(3), seconds(4)).slowest.size(), 1U);
}

}  // namespace
}  // namespace s3lt
