#include "measure/client_use.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

ThreadUse second_of(double cpu, double run_queue, std::uint64_t operations = 100) {
  return {.wall = 1,
          .cpu = cpu,
          .run_queue = run_queue,
          .loaded = operations > 0 ? 1.0 : 0.0,
          .operations = operations};
}

ClientUse one_second(const ThreadUse& thread, HostUse host = {}) {
  ClientUse use;
  use.threads[{0, 0}] = thread;
  use.host = host;
  use.weigh();
  return use;
}

TEST(ClientUse, AThreadIsBusyWhileItComputesAndWhileItWaitsForACpu) {
  const ThreadUse thread = one_second(second_of(0.5, 0.25)).threads.at({0, 0});
  EXPECT_DOUBLE_EQ(thread.busy_share(), 0.75);
  EXPECT_DOUBLE_EQ(thread.busy_run_queue, 0.25);
  EXPECT_DOUBLE_EQ(thread.saturated_part(), 0);
}

TEST(ClientUse, AThreadWithoutTimeToSpareIsSaturatedWhateverTookItsTime) {
  EXPECT_DOUBLE_EQ(one_second(second_of(0.9, 0)).threads.at({0, 0}).saturated_part(), 1);
  EXPECT_DOUBLE_EQ(one_second(second_of(0.3, 0.6)).threads.at({0, 0}).saturated_part(), 1);
  EXPECT_DOUBLE_EQ(one_second(second_of(0.84, 0)).threads.at({0, 0}).saturated_part(), 0);
}

TEST(ClientUse, WhatTheHypervisorKeptCountsAsBusy) {
  // Half of what the machine asked for was not given: a thread that got 0.45 s wanted 0.9 s.
  const HostUse robbed{.used = 1, .stolen = 1};
  const ThreadUse thread = one_second(second_of(0.45, 0), robbed).threads.at({0, 0});
  EXPECT_DOUBLE_EQ(thread.busy_share(), 0.9);
  EXPECT_DOUBLE_EQ(thread.saturated_part(), 1);
}

TEST(ClientUse, NobodyIsBusyForLongerThanThereIsTime) {
  EXPECT_DOUBLE_EQ(one_second(second_of(0.8, 0.4), {.used = 1, .stolen = 3}).threads.at({0, 0}).busy_share(),
                   1);
}

TEST(ClientUse, SecondsWithoutLoadDoNotCount) {
  ClientUse total = one_second(second_of(0.9, 0));
  for (int i = 0; i < 9; ++i) total.add(one_second(second_of(0.01, 0, 0)));
  const ThreadUse& thread = total.threads.at({0, 0});
  EXPECT_DOUBLE_EQ(thread.loaded, 1);
  EXPECT_DOUBLE_EQ(thread.saturated_part(), 1);
  EXPECT_DOUBLE_EQ(thread.wall, 10);
}

TEST(ClientUse, ASaturatedSecondIsLoadedThoughNothingEndedInIt) {
  EXPECT_DOUBLE_EQ(one_second(second_of(0.95, 0, 0)).threads.at({0, 0}).saturated_part(), 1)
      << "hashing large bodies";
}

TEST(ClientUse, ABurstWithMostOfTheOperationsOutweighsLongQuietTime) {
  ClientUse total = one_second(second_of(0.95, 0, 10'000));
  for (int i = 0; i < 9; ++i) total.add(one_second(second_of(0.05, 0, 10)));
  EXPECT_GT(total.threads.at({0, 0}).saturated_part(), 0.9);
}

TEST(ClientUse, ThreadsStayApartAndTheWorstIsTheBusiest) {
  ClientUse use;
  use.threads[{0, 0}] = second_of(0.1, 0);
  use.threads[{0, 1}] = second_of(0.95, 0);
  use.threads[{7, 0}] = second_of(0.5, 0);
  use.weigh();
  ASSERT_NE(use.busiest(), nullptr);
  EXPECT_DOUBLE_EQ(use.busiest()->cpu, 0.95);
  EXPECT_EQ(ClientUse().busiest(), nullptr);
}

TEST(ClientUse, HostsMergeLikeThreads) {
  ClientUse here, there;
  here.threads[{0, 0}] = second_of(0.1, 0);
  there.threads[{1, 0}] = second_of(0.2, 0);
  here.loop_lag.record(100);
  there.loop_lag.record(300);
  here.sockets = {
      .clients = 4, .waiting = 2, .segments_sent = 100, .retransmitted = 1, .least_rtt_us = {{"a:1", 50}}};
  there.sockets = {
      .clients = 4, .waiting = 4, .segments_sent = 100, .least_rtt_us = {{"a:1", 40}, {"b:1", 70}}};
  here.path.links["eth0"] = {.bytes_per_second = 100, .seconds = 1, .full_seconds = 1, .received = 95};
  there.path.links["eth0"] = {.bytes_per_second = 100, .seconds = 1, .received = 5};
  here.path.probes = there.path.probes = 2;
  here.path.queue.record(5);
  there.path.queue.record(9);
  here.add(there);
  EXPECT_EQ(here.threads.size(), 2U);
  EXPECT_EQ(here.loop_lag.count(), 2U);
  EXPECT_EQ(here.loop_lag.max(), 300);
  EXPECT_EQ(here.sockets.clients, 8U);
  EXPECT_EQ(here.sockets.waiting, 6U);
  EXPECT_EQ(here.sockets.segments_sent, 200U);
  EXPECT_EQ(here.sockets.retransmitted, 1U);
  EXPECT_EQ(here.sockets.least_rtt_us, (std::map<std::string, std::int64_t>{{"a:1", 40}, {"b:1", 70}}));
  EXPECT_DOUBLE_EQ(here.path.links.at("eth0").seconds, 2);
  EXPECT_DOUBLE_EQ(here.path.links.at("eth0").full_seconds, 1);
  EXPECT_EQ(here.path.links.at("eth0").received, 100U);
  EXPECT_EQ(here.path.queue.max(), 9);
  EXPECT_EQ(here.path.probes, 4U);
}

}  // namespace
}  // namespace s3lt
