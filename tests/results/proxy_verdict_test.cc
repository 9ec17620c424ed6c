#include "results/proxy_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "results/proxy_json.h"
#include "results/silence.h"

namespace s3lt {
namespace {

// As a run does at its end.
Verdict judged(Verdict verdict, const ProxyRecord& proxy, const Snapshot& total, std::uint64_t clients) {
  return through_proxy(std::move(verdict), proxy, total, silent_endpoints(total), clients);
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Snapshot on_a_machine(double used, double idle) {
  Snapshot total;
  total.client.use.host = {.used = used, .stolen = 0, .idle = idle};
  return total;
}

TEST(ProxyVerdict, IsNotTheStoragesWhereS3poolFilledTheMachine) {
  const ProxyRecord proxy{.address = "127.0.0.1:18080", .log = {}, .observed = true, .cpu_seconds = 12};
  const Verdict verdict = judged({"storage", "the clients waited"}, proxy, on_a_machine(19.5, 0.5), 4);
  EXPECT_EQ(verdict.bottleneck, "client-cpu");
  EXPECT_THAT(verdict.why, HasSubstr("busy for 98% of the time, and s3pool"));
  EXPECT_THAT(verdict.why, HasSubstr("used 62% of what was used"));
}

TEST(ProxyVerdict, IsOfBothWhereTheMachineHadRoom) {
  const ProxyRecord proxy{.address = "a", .log = {}, .observed = true, .cpu_seconds = 12};
  EXPECT_EQ(judged({"storage", "w"}, proxy, on_a_machine(15, 5), 4).bottleneck, "storage");
  EXPECT_THAT(judged({"storage", "w"}, proxy, on_a_machine(15, 5), 4).why,
              HasSubstr("s3pool's and the storage's"));
  const ProxyRecord idle{.address = "a", .log = {}, .observed = true, .cpu_seconds = 1};
  EXPECT_EQ(judged({"storage", "w"}, idle, on_a_machine(20, 0), 4).bottleneck, "storage")
      << "others filled it";
  EXPECT_EQ(judged({"client-network", "w"}, proxy, on_a_machine(20, 0), 4).bottleneck, "client-network");
}

TEST(ProxyVerdict, AnS3poolThatWasAwayIsNotTheStorage) {
  Snapshot total = on_a_machine(15, 5);
  total.to = seconds(8);
  Counters& get = total.cells[{"p", OperationKind::get, "1KB"}].counters;
  get.errors = get.count = 40;
  get.failed_with[static_cast<std::size_t>(Outcome::connect)] = 40;
  total.endpoints[{"http://127.0.0.1:18080", OperationKind::get}]
      .outcomes[static_cast<std::size_t>(Outcome::connect)] = 40;
  total.suspicions["http://127.0.0.1:18080"].seconds = 3.6;
  const Verdict verdict =
      judged({"unknown", "the storage was away", true}, {.address = "a", .log = {}}, total, 4);
  EXPECT_EQ(verdict.bottleneck, "unknown");
  EXPECT_EQ(
      verdict.why,
      "s3pool was away: for 3.6s of 8.0s it did not answer (operations that failed: connect 40), which says "
      "nothing of the storage");
}

TEST(ProxyVerdict, AnS3poolThatWasStoppedIsNotTheStorage) {
  Snapshot total = on_a_machine(5, 15);
  total.to = seconds(8);
  ProxyRecord proxy{.address = "a", .log = {}, .stopped_seconds = 3.6, .stopped_pid = 4711};
  const Verdict verdict = judged({"storage", "the clients waited"}, proxy, total, 4);
  EXPECT_EQ(verdict.bottleneck, "unknown");
  EXPECT_EQ(verdict.why,
            "s3pool (process 4711) was stopped (state T: by SIGSTOP or a debugger) for 3.6s of 8.0s, which "
            "says nothing of the storage");
  EXPECT_THAT(notes_on_proxy(proxy, 1),
              ElementsAre("s3pool (process 4711) was stopped (state T: by SIGSTOP or a debugger) for 3.6s: "
                          "what waited or failed then is not the storage's doing"));
  EXPECT_EQ(judged({"client-cpu", "w"}, proxy, total, 4).bottleneck, "client-cpu");
  proxy.stopped_seconds = 0.6;
  EXPECT_EQ(judged({"storage", "w"}, proxy, total, 4).bottleneck, "storage") << "a hiccup";
}

TEST(ProxyVerdict, IsOfWhatWasMeasuredWithoutTheGrace) {
  Snapshot total = on_a_machine(5, 15);
  total.to = seconds(40);
  total.grace = seconds(30);
  const ProxyRecord stopped{.address = "a", .log = {}, .stopped_seconds = 1.2, .stopped_pid = 4711};
  EXPECT_THAT(judged({"storage", "w"}, stopped, total, 4).why, HasSubstr("for 1.2s of 10.0s, which"));
  const CellKey get{"p", OperationKind::get, "1KB"};
  total.cells[get].service.record(1000);
  for (int i = 0; i < 4; ++i) total.silences[{"http://127.0.0.1:18080", get}].record(30'500'000);
  const ProxyRecord proxy{.address = "a", .log = {}};
  EXPECT_EQ(judged({"storage", "w"}, proxy, total, 4).bottleneck, "storage")
      << "silent for half a second of the load";
  for (int i = 0; i < 4; ++i) total.silences[{"http://127.0.0.1:18080", get}].record(32'000'000);
  EXPECT_THAT(judged({"storage", "w"}, proxy, total, 4).why, HasSubstr("s3pool did not answer"));
}

TEST(ProxyVerdict, AnS3poolThatLeavesMostClientsWithoutAnAnswerIsNotTheStorage) {
  Snapshot total = on_a_machine(5, 15);
  total.to = seconds(8);
  const CellKey get{"p", OperationKind::get, "1KB"};
  total.cells[get].service.record(1000);
  for (int i = 0; i < 3; ++i) total.silences[{"http://127.0.0.1:18080", get}].record(3'000'000);
  const ProxyRecord proxy{.address = "a", .log = {}};
  const Verdict verdict = judged({"storage", "the clients waited"}, proxy, total, 4);
  EXPECT_EQ(verdict.bottleneck, "unknown");
  EXPECT_EQ(verdict.why,
            "s3pool did not answer: attempts waited for up to 3.0s until the end of the run cut them (3), "
            "and whether s3pool or the storage behind it was silent cannot be told");
  EXPECT_EQ(judged({"storage", "w"}, proxy, total, 8).bottleneck, "storage") << "most clients were answered";
}

TEST(ProxyNotes, WhereAllEndpointsWereGivenUpNothingWentToOthers) {
  ProxyRecord proxy{.address = "a", .log = {}, .gave_up = {"http://n1:9", "http://n2:9"}};
  EXPECT_THAT(notes_on_proxy(proxy, 3), ElementsAre(HasSubstr("the load went to the others")));
  EXPECT_THAT(notes_on_proxy(proxy, 2), ElementsAre(HasSubstr("the load went to the others")))
      << "one before it was started again, the other one after";
  proxy.gave_up_all = true;
  EXPECT_THAT(notes_on_proxy(proxy, 2),
              ElementsAre(HasSubstr("that is all of them: from then on it sent everything to one")));
}

TEST(ProxyNotes, NameWhatWasS3poolsDoing) {
  EXPECT_THAT(notes_on_proxy({.address = "a", .log = {}}, 2), IsEmpty());
  const ProxyRecord proxy{.address = "a",
                          .log = {},
                          .deaths = 2,
                          .starts = 1,
                          .down_seconds = 1.5,
                          .how_it_died = {"was ended by signal 9"},
                          .own_answers = 1234,
                          .gave_up = {"http://n1:9"}};
  EXPECT_THAT(notes_on_proxy(proxy, 2),
              ElementsAre(HasSubstr("died 2 times and was started again once; for 1.5s"),
                          HasSubstr("1,234 attempts got an answer of s3pool's own"),
                          HasSubstr("took http://n1:9 for unhealthy")));
  EXPECT_THAT(notes_on_proxy(proxy, 1)[1], HasSubstr("with one endpoint it says 503 for whatever"));
}

TEST(ProxyNotes, NameADeathBeforeWhatWasMeasuredThatLastedIntoIt) {
  ProxyRecord proxy{
      .address = "a", .log = {}, .starts = 1, .down_seconds = 1.5, .how_it_died = {"was ended by signal 9"}};
  EXPECT_THAT(
      notes_on_proxy(proxy, 1),
      ElementsAre("s3pool had died before what was measured began (it was ended by signal 9) and was "
                  "started again once; for 1.5s of it s3pool was not there, and what failed then is not "
                  "the storage's doing"));
  proxy.starts = 0;
  EXPECT_THAT(notes_on_proxy(proxy, 1), ElementsAre(HasSubstr("and was not there again; for 1.5s")));
}

TEST(ProxyJson, ComesBackAsItWent) {
  const ProxyRecord proxy{.address = "127.0.0.1:18080",
                          .log = "/logs/s3pool-18080.log",
                          .ours = true,
                          .shared = true,
                          .observed = true,
                          .deaths = 3,
                          .starts = 2,
                          .down_seconds = 0.5,
                          .stopped_seconds = 1.5,
                          .stopped_pid = 4711,
                          .how_it_died = {"was ended by signal 9"},
                          .cpu_seconds = 4.25,
                          .max_rss_bytes = 123456,
                          .own_answers = 7,
                          .gave_up = {"http://n1:9"},
                          .gave_up_all = true};
  const auto back = proxy_in({{"proxy", proxy_value(proxy)}});
  ASSERT_TRUE(back);
  EXPECT_EQ(proxy_value(back), proxy_value(proxy));
  EXPECT_EQ(back->deaths, 3U);
  EXPECT_EQ(back->stopped_seconds, 1.5);
  EXPECT_EQ(back->stopped_pid, 4711);
  EXPECT_EQ(back->gave_up, proxy.gave_up);
  EXPECT_TRUE(back->gave_up_all);
  EXPECT_FALSE(proxy_in({{"proxy", proxy_value(std::nullopt)}}));
}

}  // namespace
}  // namespace s3lt
