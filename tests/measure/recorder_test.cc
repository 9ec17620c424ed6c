#include "measure/recorder.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

const CellKey get_1kb{"baseload", OperationKind::get, "1KB"}, put_1kb{"baseload", OperationKind::put, "1KB"},
    get_1mb{"baseload", OperationKind::get, "1MB"};

Counters counters_of(Recorder& recorder, const CellKey& key) {
  return recorder.take(seconds(0), seconds(1)).cells.at(key).counters;
}

TEST(Recorder, GivesTheSameCellForTheSameKey) {
  Recorder recorder;
  const CellId get = recorder.cell(get_1kb), put = recorder.cell(put_1kb);
  EXPECT_NE(get, put);
  EXPECT_EQ(recorder.cell(get_1kb), get);
}

TEST(Recorder, TellsTheAttemptsOfEachEndpointApartByOperation) {
  Recorder recorder;
  recorder.set_endpoints({"http://a", "http://b"});
  const CellId get = recorder.cell(get_1kb), other_get = recorder.cell(get_1mb), put = recorder.cell(put_1kb);
  recorder.attempt(get, {.outcome = Outcome::ok, .status = 200, .endpoint = 1, .service_us = 100});
  recorder.attempt(other_get, {.outcome = Outcome::ok, .status = 200, .endpoint = 1, .service_us = 120});
  recorder.attempt(get, {.outcome = Outcome::throttled, .status = 503, .endpoint = 1, .service_us = 5});
  recorder.attempt(put, {.outcome = Outcome::connect, .endpoint = 0});
  recorder.attempt(put, {.outcome = Outcome::cancelled, .endpoint = 0});
  recorder.attempt(put, {.outcome = Outcome::ok, .endpoint = 2});  // of no list: nobody's
  const Snapshot taken = recorder.take(seconds(0), seconds(1));
  ASSERT_EQ(taken.endpoints.size(), 2U);
  const EndpointCell& gets = taken.endpoints.at({"http://b", OperationKind::get});
  EXPECT_EQ(gets.attempts(), 3U);
  EXPECT_EQ(gets.errors(), 1U);
  EXPECT_EQ(gets.outcomes[static_cast<std::size_t>(Outcome::throttled)], 1U);
  EXPECT_EQ(gets.service.count(), 2U);  // ok ones only
  EXPECT_EQ(gets.service.at_rank(1), 100);
  const EndpointCell& puts = taken.endpoints.at({"http://a", OperationKind::put});
  EXPECT_EQ(puts.attempts(), 1U);  // what was cut says nothing
  EXPECT_EQ(puts.errors(), 1U);
  EXPECT_TRUE(recorder.take(seconds(1), seconds(2)).endpoints.empty());
}

TEST(Recorder, AnOkOperationCountsItsBytesAndItsTimes) {
  Recorder recorder;
  recorder.operation(recorder.cell(get_1kb), {.outcome = Outcome::ok,
                                              .bytes = 1024,
                                              .response_us = 300,
                                              .service_us = 200,
                                              .ttfb_us = 100,
                                              .lag_us = 50});
  const Snapshot taken = recorder.take(seconds(0), seconds(1));
  const Cell& cell = taken.cells.at(get_1kb);
  EXPECT_EQ(cell.counters.count, 1U);
  EXPECT_EQ(cell.counters.bytes, 1024U);
  EXPECT_EQ(cell.counters.errors, 0U);
  EXPECT_EQ(cell.response.max(), 300);
  EXPECT_EQ(cell.service.max(), 200);
  EXPECT_EQ(cell.ttfb.max(), 100);
  EXPECT_EQ(cell.lag.max(), 50);
  EXPECT_TRUE(cell.failed.empty());
}

TEST(Recorder, AClosedLoopHasNoLagAndAnAnswerWithoutAByteNoTtfb) {
  Recorder recorder;
  recorder.operation(recorder.cell(get_1kb), {.outcome = Outcome::ok, .response_us = 300, .service_us = 300});
  const Snapshot taken = recorder.take(seconds(0), seconds(1));
  EXPECT_TRUE(taken.cells.at(get_1kb).lag.empty());
  EXPECT_TRUE(taken.cells.at(get_1kb).ttfb.empty());
}

TEST(Recorder, AFailedOperationIsAnErrorWithItsTimeApartAndNoBytes) {
  Recorder recorder;
  recorder.operation(
      recorder.cell(put_1kb),
      {.outcome = Outcome::server_error, .bytes = 1024, .response_us = 9000, .service_us = 10});
  const Snapshot taken = recorder.take(seconds(0), seconds(1));
  const Cell& cell = taken.cells.at(put_1kb);
  EXPECT_EQ(cell.counters.count, 1U);
  EXPECT_EQ(cell.counters.failed_with[static_cast<std::size_t>(Outcome::server_error)], 1U);
  EXPECT_EQ(cell.counters.errors, 1U);
  EXPECT_EQ(cell.counters.bytes, 0U);
  EXPECT_EQ(cell.failed.max(), 9000);
  EXPECT_TRUE(cell.response.empty());
  EXPECT_TRUE(cell.service.empty());
}

TEST(Recorder, NotFoundIsCountedButIsNoErrorAndHasNoTime) {
  Recorder recorder;
  recorder.operation(recorder.cell(get_1kb), {.outcome = Outcome::not_found, .response_us = 10});
  const Snapshot taken = recorder.take(seconds(0), seconds(1));
  const Cell& cell = taken.cells.at(get_1kb);
  EXPECT_EQ(cell.counters.count, 1U);
  EXPECT_EQ(cell.counters.not_found, 1U);
  EXPECT_EQ(cell.counters.errors, 0U);
  EXPECT_TRUE(cell.response.empty());
  EXPECT_TRUE(cell.failed.empty());
}

TEST(Recorder, ACancelledOperationStandsApartButItsMovedBytesCount) {
  Recorder recorder;
  const CellId id = recorder.cell(put_1kb);
  recorder.moved(id, 700);
  recorder.cancelled(id);
  recorder.operation(id, {.outcome = Outcome::cancelled, .bytes = 1024, .response_us = 5});
  const Counters counters = counters_of(recorder, put_1kb);
  EXPECT_EQ(counters.count, 0U);
  EXPECT_EQ(counters.cancelled, 2U);
  EXPECT_EQ(counters.errors, 0U);
  EXPECT_EQ(counters.bytes, 0U);
  EXPECT_EQ(counters.bytes_moved, 700U);
}

TEST(Recorder, AttemptsAreTheSumOfTheirOutcomesAndKeepTheirStatus) {
  Recorder recorder;
  const CellId id = recorder.cell(get_1kb);
  recorder.attempt(id, {.outcome = Outcome::throttled, .status = 503});
  recorder.attempt(id, {.outcome = Outcome::throttled, .status = 503, .requests = 2});
  recorder.attempt(id, {.outcome = Outcome::reset});
  recorder.attempt(id, {.outcome = Outcome::ok, .status = 200});
  const Counters counters = counters_of(recorder, get_1kb);
  EXPECT_EQ(counters.attempts, 4U);
  EXPECT_EQ(counters.requests, 5U);
  EXPECT_EQ(counters.outcomes[static_cast<std::size_t>(Outcome::throttled)], 2U);
  EXPECT_EQ(counters.outcomes[static_cast<std::size_t>(Outcome::reset)], 1U);
  EXPECT_EQ(counters.outcomes[static_cast<std::size_t>(Outcome::ok)], 1U);
  EXPECT_EQ(counters.status, (std::vector<std::pair<int, std::uint64_t>>{{503, 2}, {200, 1}}));
  EXPECT_EQ(counters.count, 0U);
}

TEST(Recorder, ASeededWriteIsAPutThatIsAlsoCountedAsSeeded) {
  Recorder recorder;
  recorder.operation(recorder.cell(put_1kb), {.outcome = Outcome::ok, .bytes = 1024, .seeded = true});
  recorder.operation(recorder.cell(put_1kb), {.outcome = Outcome::ok, .bytes = 1024});
  const Counters counters = counters_of(recorder, put_1kb);
  EXPECT_EQ(counters.count, 2U);
  EXPECT_EQ(counters.bytes, 2048U);
  EXPECT_EQ(counters.seeded, 1U);
}

TEST(Recorder, EachIntervalHoldsOnlyItsOwnAndAQuietCellIsLeftOut) {
  Recorder recorder;
  const CellId get = recorder.cell(get_1kb), put = recorder.cell(put_1kb);
  recorder.operation(get, {.outcome = Outcome::ok, .response_us = 100, .service_us = 100});
  recorder.connection();
  recorder.reconnect();
  const Snapshot first = recorder.take(seconds(0), seconds(1));
  EXPECT_EQ(first.cells.size(), 1U);
  EXPECT_EQ(first.client.connections, 1U);
  EXPECT_EQ(first.client.reconnects, 1U);

  recorder.operation(put, {.outcome = Outcome::ok, .response_us = 700, .service_us = 700});
  const Snapshot second = recorder.take(seconds(1), seconds(2));
  EXPECT_EQ(second.cells.size(), 1U);
  EXPECT_EQ(second.cells.at(put_1kb).response.min(), 700);
  EXPECT_EQ(second.client.connections, 0U);
  EXPECT_EQ(first.cells.at(get_1kb).response.count(), 1U) << "a snapshot stays as it was handed over";
}

TEST(Recorder, TheThreadsCpuTimeIsThatOfTheInterval) {
  Recorder recorder;
  (void)recorder.take(seconds(0), seconds(0));
  const auto busy_until = now() + std::chrono::milliseconds(30);
  volatile unsigned spins = 0;
  while (now() < busy_until) spins = spins + 1;
  const double busy = recorder.take(seconds(0), seconds(1)).client.cpu_seconds;
  const double idle = recorder.take(seconds(1), seconds(2)).client.cpu_seconds;
  EXPECT_GT(busy, 0.001);
  EXPECT_LT(busy, 0.5);
  EXPECT_LT(idle, busy);
}

TEST(Recorder, TheFirstTenErrorsOfAKindAreWantedWhateverTheirSize) {
  Recorder recorder;
  const CellId small = recorder.cell(get_1kb), large = recorder.cell(get_1mb), put = recorder.cell(put_1kb);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(recorder.wants_error(i % 2 ? small : large, Outcome::throttled, 503, "SlowDown"));
  }
  EXPECT_FALSE(recorder.wants_error(small, Outcome::throttled, 503, "SlowDown"));
  EXPECT_FALSE(recorder.wants_error(large, Outcome::throttled, 503, "SlowDown"));
  EXPECT_TRUE(recorder.wants_error(small, Outcome::throttled, 429, "SlowDown"));
  EXPECT_TRUE(recorder.wants_error(small, Outcome::throttled, 503, "ServiceUnavailable"));
  EXPECT_TRUE(recorder.wants_error(put, Outcome::throttled, 503, "SlowDown"));
  (void)recorder.take(seconds(0), seconds(1));
  EXPECT_FALSE(recorder.wants_error(small, Outcome::throttled, 503, "SlowDown"))
      << "ten in a run, not a second";
}

TEST(Recorder, AServerThatMakesUpCodesDoesNotFillTheMemory) {
  Recorder recorder;
  const CellId id = recorder.cell(get_1kb);
  int wanted = 0;
  for (int i = 0; i < 10'000; ++i)
    wanted += recorder.wants_error(id, Outcome::client_error, 400, std::to_string(i));
  EXPECT_GT(wanted, 10);
  EXPECT_LT(wanted, 1000);
}

}  // namespace
}  // namespace s3lt
