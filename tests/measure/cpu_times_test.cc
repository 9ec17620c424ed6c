#include "measure/cpu_times.h"

#include <gtest/gtest.h>

#include <thread>

namespace s3lt {
namespace {

TEST(CpuTimes, ReadsTheTimeOnTheRunQueueInNanoseconds) {
  EXPECT_EQ(run_queue_seconds("958681610 123161322 142\n"), 0.123161322);
  EXPECT_FALSE(run_queue_seconds("958681610"));
  EXPECT_FALSE(run_queue_seconds(""));
}

TEST(CpuTimes, ReadsTheMachinesTimesInTicks) {
  const auto times = parse_host_times("cpu  100 20 30 4000 50 6 7 800 99 9", 100);
  ASSERT_TRUE(times);
  EXPECT_DOUBLE_EQ(times->used, 1.63) << "guests are in user and nice already";
  EXPECT_DOUBLE_EQ(times->stolen, 8);
  EXPECT_DOUBLE_EQ(times->idle, 40.5);
  EXPECT_FALSE(parse_host_times("cpu0 1 2 3 4 5 6 7 8", 100));
  EXPECT_FALSE(parse_host_times("cpu  1 2 3", 100));
}

TEST(CpuTimes, TheThreadsOwnTimeGrowsAsItComputesAndNotAsOthersDo) {
  const ThreadClock clock;
  const ThreadTimes before = clock.read();
  double others = 0;
  std::thread([&] {
    const ThreadClock mine;
    while (mine.read().cpu < 0.05) others += 1;
  }).join();
  EXPECT_LT(clock.read().cpu - before.cpu, 0.05);
  volatile std::uint64_t work = 0;
  for (int i = 0; i < 1000 && clock.read().cpu - before.cpu < 0.06; ++i) {
    for (int j = 0; j < 1'000'000; ++j) work = work + 1;
  }
  EXPECT_GE(clock.read().cpu - before.cpu, 0.06);
  EXPECT_GE(clock.read().run_queue, before.run_queue);
}

TEST(CpuTimes, TheMachineUsesAtLeastWhatThisThreadDoes) {
  const auto times = host_times();
  ASSERT_TRUE(times);
  EXPECT_GT(times->used, 0);
}

}  // namespace
}  // namespace s3lt
