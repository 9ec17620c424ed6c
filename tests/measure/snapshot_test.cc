#include "measure/snapshot.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

const CellKey get_1kb{"baseload", OperationKind::get, "1KB"}, put_1kb{"baseload", OperationKind::put, "1KB"};

Snapshot stretch(double from, double to, std::int64_t response_us, std::uint64_t alive) {
  Snapshot snapshot;
  snapshot.from = seconds(from);
  snapshot.to = seconds(to);
  Cell& cell = snapshot.cells[get_1kb];
  cell.counters.count = 1;
  cell.counters.count_status(200);
  cell.counters.outcomes[0] = 1;
  cell.response.record(response_us);
  snapshot.keys["baseload"] = {.written = alive + 1, .deleted = 1, .alive = alive};
  snapshot.client = {.cpu_seconds = 0.5, .connections = 2, .reconnects = 1};
  snapshot.errors.resize(1);
  return snapshot;
}

TEST(Snapshot, ThreadsOfTheSameSecondMergeIntoTheFiguresOfAll) {
  Snapshot total = stretch(1, 2, 100, 10);
  Snapshot other = stretch(1, 2, 300, 5);
  other.cells[put_1kb].counters.count = 7;
  total.merge(other);
  EXPECT_EQ(total.from, seconds(1));
  EXPECT_EQ(total.to, seconds(2));
  EXPECT_EQ(total.cells.at(get_1kb).counters.count, 2U);
  EXPECT_EQ(total.cells.at(get_1kb).counters.outcomes[0], 2U);
  EXPECT_EQ(total.cells.at(get_1kb).counters.status, (std::vector<std::pair<int, std::uint64_t>>{{200, 2}}));
  EXPECT_EQ(total.cells.at(get_1kb).response.min(), 100);
  EXPECT_EQ(total.cells.at(get_1kb).response.max(), 300);
  EXPECT_EQ(total.cells.at(put_1kb).counters.count, 7U);
  EXPECT_EQ(total.keys.at("baseload").alive, 15U);
  EXPECT_EQ(total.keys.at("baseload").written, 17U);
  EXPECT_DOUBLE_EQ(total.client.cpu_seconds, 1.0);
  EXPECT_EQ(total.client.connections, 4U);
  EXPECT_EQ(total.errors.size(), 2U);
}

TEST(Snapshot, TheNextSecondAddsUpButItsKeysReplaceTheOldOnes) {
  Snapshot total;
  total.append(stretch(1, 2, 100, 10));
  EXPECT_EQ(total.from, seconds(1)) << "an empty snapshot begins with what comes first";
  total.append(stretch(2, 3, 300, 12));
  EXPECT_EQ(total.from, seconds(1));
  EXPECT_EQ(total.to, seconds(3));
  EXPECT_EQ(total.cells.at(get_1kb).counters.count, 2U);
  EXPECT_EQ(total.keys.at("baseload").alive, 12U);
  EXPECT_EQ(total.client.reconnects, 2U);
}

TEST(Snapshot, AClearedCellIsEmpty) {
  Cell cell = stretch(0, 1, 100, 1).cells.at(get_1kb);
  EXPECT_FALSE(cell.counters.empty());
  cell.clear();
  EXPECT_TRUE(cell.counters.empty());
  EXPECT_TRUE(cell.counters.status.empty());
  EXPECT_TRUE(cell.response.empty());
}

TEST(Snapshot, StartsOfTheWarmUpAreLeftOutAndThoseThatWaitedAsItEndedAreNot) {
  Snapshot warmup, total;
  warmup.cells[{"p", OperationKind::get, "1KB"}].counters.count = 80;
  warmup.cells[{"p", OperationKind::trim, ""}].counters.count = 7;
  warmup.arrivals["p"] = {.intended = 100, .not_sent = 10, .waiting = 10};
  warmup.keys["p"].no_key = 3;
  total.arrivals["p"] = {.intended = 300, .not_sent = 15};
  total.keys["p"].no_key = 4;
  total.leave_out_arrivals(warmup);
  EXPECT_EQ(total.arrivals["p"].intended, 210U);
  EXPECT_EQ(total.arrivals["p"].not_sent, 5U);
  EXPECT_EQ(total.keys["p"].no_key, 1U);
}

}  // namespace
}  // namespace s3lt
