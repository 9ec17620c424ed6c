#include "results/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace s3lt {
namespace {

using testing::HasSubstr;

constexpr std::int64_t ms = 1000;

// Ten seconds of a closed loop of 16 clients that GET from a storage that takes 20 ms, mostly to the first
// byte, by a thread with room to spare: the storage is the limit. Each test changes what it is about.
struct Measured {
  Snapshot total;
  Measured() {
    total.to = seconds(10);
    Cell& get = cell(OperationKind::get);
    for (int i = 0; i < 1000; ++i) {
      ++get.counters.count;
      get.response.record(20 * ms);
      get.service.record(20 * ms);
      get.ttfb.record(19 * ms);
    }
    use().threads[{0, 0}] = {.wall = 10,
                             .cpu = 2,
                             .run_queue = 0.5,
                             .loaded = 10,
                             .busy = 2.5,
                             .busy_cpu = 2,
                             .busy_run_queue = 0.5,
                             .operations = 1000};
    for (int i = 0; i < 500; ++i) use().loop_lag.record(100);
    use().sockets = {.clients = 160,
                     .waiting = 158,
                     .asked = 158,
                     .segments_sent = 10'000,
                     .retransmitted = 3,
                     .segments_received = 50'000,
                     .out_of_order = 40,
                     .least_rtt_us = {{"10.0.0.1:80", 300}}};
    for (int i = 0; i < 9; ++i) use().path.queue.record(80);
  }
  ClientUse& use() { return total.client.use; }
  Cell& cell(OperationKind kind) { return total.cells[{"baseload", kind, "1MB"}]; }
  ThreadUse& thread() { return use().threads.at({0, 0}); }
  Verdict verdict() const { return judge(total); }
  std::string bottleneck() const { return judge(total).bottleneck; }
  // As bodies that take nearly all of the time.
  void move_bodies() {
    Cell& get = cell(OperationKind::get);
    get.ttfb.clear();
    for (int i = 0; i < 1000; ++i) get.ttfb.record(1 * ms);
  }
  // As an open loop of clients that are seldom all busy.
  void open_loop(std::int64_t lag_us) {
    total.arrivals["baseload"] = {.intended = 1000};
    for (int i = 0; i < 1000; ++i) cell(OperationKind::get).lag.record(lag_us);
  }
};

TEST(Verdict, ClientsThatWaitWhileTheClientAndTheNetworkHaveRoomMeanTheStorage) {
  const Verdict verdict = Measured().verdict();
  EXPECT_EQ(verdict.bottleneck, "storage");
  EXPECT_EQ(verdict.why,
            "99% of the clients waited for the storage at a time, while this client's busiest thread was "
            "busy for 25% of "
            "the time, and the network showed no limit");
}

TEST(Verdict, NothingIsSaidOfTooLittleLoad) {
  Measured run;
  run.thread().loaded = 1;
  EXPECT_EQ(run.bottleneck(), "unknown");
  EXPECT_THAT(run.verdict().why, HasSubstr("less than two seconds"));
  EXPECT_EQ(judge({}).bottleneck, "unknown");
}

TEST(Verdict, WhereNothingSucceededThereIsNoLimit) {
  Measured run;
  Cell& get = run.cell(OperationKind::get);
  for (Histogram* times : {&get.response, &get.service, &get.ttfb}) times->clear();
  for (int i = 0; i < 1000; ++i) get.failed.record(50);
  for (int i = 0; i < 500; ++i) run.use().loop_lag.record(9 * ms);
  EXPECT_EQ(run.bottleneck(), "unknown") << "refusals are answered faster than timers come";
  EXPECT_THAT(run.verdict().why, HasSubstr("not one operation succeeded"));
}

TEST(Verdict, AThreadWithoutTimeToSpareIsTheLimit) {
  Measured run;
  run.thread().busy = 9.5;
  run.thread().busy_cpu = 9.3;
  run.thread().busy_run_queue = 0.2;
  run.thread().saturated = 9;
  EXPECT_EQ(run.verdict().bottleneck, "client-cpu");
  EXPECT_THAT(run.verdict().why, HasSubstr("no time to spare for 95% of its load: it computed for 93%"));
  EXPECT_THAT(run.verdict().why, HasSubstr("more threads, machines"));
  run.thread().busy = 4;
  run.thread().saturated = 4;
  run.thread().saturated_operations = 300;
  EXPECT_EQ(run.bottleneck(), "storage") << "most of the load met a thread with room";
  run.thread().saturated_operations = 700;
  EXPECT_EQ(run.bottleneck(), "client-cpu") << "most operations did not";
}

TEST(Verdict, AClientThatIsNearlyTheLimitIsNoWitnessAgainstTheStorage) {
  Measured run;
  run.thread().busy = 6.9;
  EXPECT_EQ(run.bottleneck(), "storage");
  run.thread().busy = 7.5;
  EXPECT_EQ(run.bottleneck(), "unknown");
  EXPECT_THAT(run.verdict().why, HasSubstr("busy for 75% of the time, too much to rule out"));
  run.thread().busy = 8.6;
  EXPECT_EQ(run.bottleneck(), "client-cpu") << "though no second was saturated for itself";
  EXPECT_THAT(run.verdict().why, HasSubstr("no time to spare for 86% of its load"));
}

TEST(Verdict, AThreadThatWaitsForACpuIsStarvedByItsMachine) {
  Measured run;
  run.thread().busy = 9.9;
  run.thread().busy_cpu = 4;
  run.thread().busy_run_queue = 5.9;
  run.thread().saturated = 10;
  EXPECT_EQ(run.bottleneck(), "client-cpu");
  EXPECT_THAT(run.verdict().why, HasSubstr("waited for a CPU for 59%"));
  EXPECT_THAT(run.verdict().why, HasSubstr("too few CPUs"));
}

TEST(Verdict, OneSaturatedThreadOfManyIsEnough) {
  Measured run;
  run.use().threads[{0, 1}] = {.wall = 10, .loaded = 10, .busy = 9.9, .busy_cpu = 9.9, .saturated = 10};
  EXPECT_EQ(run.bottleneck(), "client-cpu");
}

TEST(Verdict, TimersAsLateAsOperationsTakeAreTheClients) {
  Measured run;
  for (int i = 0; i < 100; ++i) run.use().loop_lag.record(11 * ms);
  EXPECT_EQ(run.bottleneck(), "client-cpu");
  EXPECT_THAT(run.verdict().why, HasSubstr("came 11ms late or more, while half of the operations took 20ms"));
  Measured quick;  // the usual lag of an idle machine is no limit, however quick the storage
  quick.cell(OperationKind::get).response.clear();
  for (int i = 0; i < 1000; ++i) quick.cell(OperationKind::get).response.record(90);
  EXPECT_EQ(quick.bottleneck(), "storage");
}

TEST(Verdict, AStandingQueueOnTheWayMeansTheNetwork) {
  Measured run;
  run.use().path.queue.clear();
  for (int i = 0; i < 9; ++i) run.use().path.queue.record(15 * ms);
  EXPECT_EQ(run.bottleneck(), "client-network");
  EXPECT_THAT(run.verdict().why,
              HasSubstr("stood in queues for 15ms, where the empty way there and back takes 300us"));
  run.use().sockets.least_rtt_us = {{"far:80", 40 * ms}};
  EXPECT_EQ(run.bottleneck(), "storage") << "a long way may vary by less than its length";
}

TEST(Verdict, AShortQueueBesideLongOperationsIsNoLimit) {
  Measured run;
  run.use().path.queue.clear();
  for (int i = 0; i < 9; ++i) run.use().path.queue.record(3 * ms);
  EXPECT_EQ(run.bottleneck(), "client-network") << "3 of 20 ms";
  Cell& get = run.cell(OperationKind::get);
  for (Histogram* h : {&get.response, &get.service, &get.ttfb}) {
    h->clear();
    for (int i = 0; i < 1000; ++i) h->record(2000 * ms);
  }
  EXPECT_EQ(run.bottleneck(), "storage") << "3 ms of 2 s before the first byte";
  run.move_bodies();
  EXPECT_EQ(run.bottleneck(), "client-network") << "but those that move bodies feel it all the time";
}

TEST(Verdict, AFullInterfaceMeansTheNetwork) {
  Measured run;
  run.use().path.links["eth0"] = {.bytes_per_second = 1.25e9,
                                  .seconds = 10,
                                  .full_seconds = 9,
                                  .received = 11'800'000'000,
                                  .sent = 90'000'000};
  EXPECT_EQ(run.bottleneck(), "client-network");
  EXPECT_THAT(run.verdict().why, HasSubstr("interface eth0 carried 1.1 GiB/s of the 1.2 GiB/s"));
  run.use().path.links["eth0"].full_seconds = 2;
  EXPECT_EQ(run.bottleneck(), "storage");
}

TEST(Verdict, SocketsThatHoldBodiesBackMeanTheNetworkUnlessTheStorageDoesNotRead) {
  Measured run;
  run.use().sockets.sending = 120;
  run.use().sockets.congested = 100;
  run.use().sockets.busy_us = 1'000'000;
  EXPECT_EQ(run.bottleneck(), "client-network");
  EXPECT_THAT(run.verdict().why, HasSubstr("held back by congestion"));
  run.use().sockets.congested = 3;
  run.use().sockets.window_limited_us = 900'000;
  EXPECT_EQ(run.bottleneck(), "storage");
  EXPECT_THAT(run.verdict().why, HasSubstr("it did not read what was sent for 90% of the time"));
  run.use().sockets.window_limited_us = 0;
  run.use().sockets.buffer_limited_us = 700'000;
  EXPECT_EQ(run.bottleneck(), "client-network");
  EXPECT_THAT(run.verdict().why, HasSubstr("tcp_wmem"));
}

TEST(Verdict, LossesMatterWhereBodiesMove) {
  Measured run;
  run.use().sockets.out_of_order = 2000;
  EXPECT_EQ(run.bottleneck(), "storage") << "operations wait for the first byte";
  run.move_bodies();
  EXPECT_EQ(run.bottleneck(), "client-network");
  EXPECT_THAT(run.verdict().why, HasSubstr("4.0% of those received came out of their order"));
  run.use().sockets.out_of_order = 200;  // 0.4%: packets that overtook each other
  EXPECT_EQ(run.bottleneck(), "storage");
  run.use().sockets.retransmitted = 150;
  EXPECT_EQ(run.bottleneck(), "client-network");
  EXPECT_THAT(run.verdict().why, HasSubstr("1.5% of those sent went out again"));
}

TEST(Verdict, AStorageThatNoLongerAnswersIsNamed) {
  Measured run;
  run.use().sockets.waiting = 20;
  Counters& get = run.cell(OperationKind::get).counters;
  get.errors = get.failed_with[static_cast<std::size_t>(Outcome::connect)] = 40;
  for (const char* url : {"http://a", "http://b"})
    run.total.endpoints[{url, OperationKind::get}].outcomes[static_cast<std::size_t>(Outcome::connect)] = 20;
  run.total.suspicions["http://a"].seconds = 6;
  EXPECT_EQ(absence(run.total).seconds, 0) << "the other one answered";
  EXPECT_THAT(run.verdict().why, HasSubstr("nothing was at its limit"));
  run.total.suspicions["http://b"].seconds = 5.5;
  EXPECT_EQ(absence(run.total).seconds, 5.5);
  EXPECT_EQ(run.bottleneck(), "unknown");
  EXPECT_EQ(run.verdict().why,
            "the storage, or the way to it, was away: for 5.5s of 10.0s no endpoint answered "
            "(operations that failed: connect 40)");
  get.errors = 100;
  get.failed_with[static_cast<std::size_t>(Outcome::throttled)] = 60;
  EXPECT_EQ(absence(run.total).seconds, 0) << "most failed for something else";
}

TEST(Verdict, APacedLoadThatIsKeptHasNoLimit) {
  Measured run;
  run.use().sockets.waiting = 20;
  EXPECT_EQ(run.bottleneck(), "unknown");
  EXPECT_THAT(run.verdict().why, HasSubstr("nothing was at its limit: 12% of the clients waited"));
}

TEST(Verdict, AnOpenLoopThatKeepsItsRateHasNoLimitHoweverManyClientsItTakes) {
  Measured run;
  run.open_loop(50);
  EXPECT_EQ(run.bottleneck(), "unknown");
  EXPECT_THAT(run.verdict().why, HasSubstr("kept up with the rate"));
  run.total.arrivals["baseload"].not_sent = 5;
  EXPECT_EQ(run.bottleneck(), "storage") << "it could not be kept";
  Measured stalled;
  stalled.open_loop(50);
  for (auto& [key, cell] : stalled.total.cells) cell.lag.record(2000 * ms, cell.lag.count() / 20);
  stalled.use().sockets.waiting = 20;
  EXPECT_EQ(stalled.bottleneck(), "unknown");
  EXPECT_THAT(stalled.verdict().why,
              HasSubstr("fell behind the rate that was asked for in a part of the run"));
  Measured late;
  late.open_loop(500 * ms);
  EXPECT_EQ(late.bottleneck(), "storage") << "operations queue for a client";
}

TEST(Verdict, TheClientIsSuspectedBeforeTheNetworkAndTheNetworkBeforeTheStorage) {
  Measured run;
  run.use().path.queue.clear();
  for (int i = 0; i < 9; ++i) run.use().path.queue.record(15 * ms);
  run.thread().saturated = 10;
  EXPECT_EQ(run.bottleneck(), "client-cpu") << "a machine without CPU time is late with its packets, too";
}

}  // namespace
}  // namespace s3lt
