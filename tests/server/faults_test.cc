#include "server/faults.h"

#include "server/test_client.h"

namespace s3lt::server {
namespace {

TEST(FaultSpecs, say_which_requests_meet_what) {
  for (const char* good : {"GET:status=503:p=0.01",
                           "put:delay=200ms:every=100",
                           "*:reset:p=0.001",
                           "LIST:status=500",
                           "PUT:status=403,code=QuotaExceeded,retry-after=3",
                           "*:delay=1ms,to=2s",
                           "*:delay=1ms,grow=1ms,to=1m",
                           "*:silent",
                           "GET:silent=2s,then=answer",
                           "HEAD:silent=100ms,then=reset:every=7",
                           "GET:reset-in-body",
                           "GET:reset-in-body,at=100",
                           "LIST:truncate,at=99.9%:p=1",
                           "*:reset-after",
                           "DELETE-BATCH:slow=10KB/s",
                           "GET:flip",
                           "GET:flip=3:p=0.5",
                           "GET:flip=8,at=4KiB",
                           "HEAD:stale",
                           "GET:swap",
                           "*:missing:every=2",
                           "GET:length=+1",
                           "GET:length=-10KB",
                           "*:close",
                           "PUT:close-unsaid:every=10",
                           "*:freeze=2s",
                           "*:freeze=2s,after=10s,every=1m"}) {
    const auto parsed = parse_fault(good);
    EXPECT_TRUE(parsed.has_value()) << good << ": " << parsed.error().message;
  }
  EXPECT_EQ(parse_fault("*:truncate")->operations, set_of(Operation::get_object) |
                                                       set_of(Operation::list_objects) |
                                                       set_of(Operation::delete_objects) |
                set_of(Operation::create_multipart_upload) | set_of(Operation::complete_multipart_upload))
      << "* stands for all that the fault can be done to";
  const FaultRule rule = parse_fault("PUT:status=403,code=QuotaExceeded,retry-after=3:every=5").value();
  EXPECT_EQ(rule.status, 403);
  EXPECT_EQ(rule.code, "QuotaExceeded");
  EXPECT_EQ(rule.retry_after, 3U);
  EXPECT_EQ(rule.every, 5U);
  EXPECT_EQ(parse_fault("GET:truncate,at=25%")->at->in(1000), 250U);
  EXPECT_EQ(parse_fault("GET:truncate,at=1KB")->at->in(1000), 1024U);
  EXPECT_EQ(parse_fault("GET:length=-1KB")->more, -1024);
}

TEST(FaultSpecs, show_the_nearest_right_form_where_they_are_wrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "there is no operation ''"},
      {"GET",
       "it has to name an operation and a fault; write OPERATION:KIND[:p=PROBABILITY|:every=N] such as"},
      {"FETCH:reset", "there is no operation 'FETCH' (PUT, GET, HEAD, DELETE, DELETE-BATCH, LIST, CREATE-UPLOAD, "
                     "PART, COMPLETE-UPLOAD, ABORT-UPLOAD or *)"},
      {"GET:flop", "write GET:flip[=BITS][,at=SIZE|PERCENT][:p=PROBABILITY|:every=N]"},
      {"PUT:reset-body", "write GET:reset-in-body[,at=SIZE|PERCENT]"},
      {"GET:status=200", "'200' is no status from 400 to 599; write GET:status=N"},
      {"GET:status=x", "'x' is no status"},
      {"GET:status", "status needs a value; write GET:status=N[,code=S3CODE][,retry-after=SECONDS]"},
      {"GET:status=403,code=", "'' is no S3 error code"},
      {"GET:status=403,code=A B", "'A B' is no S3 error code"},
      {"GET:status=503,retry-after=soon", "'soon' is no number of seconds"},
      {"GET:delay=soon", "write GET:delay=DURATION[,to=DURATION][,grow=DURATION]"},
      {"GET:delay=2s,to=1s", "'to' is less than the delay"},
      {"GET:delay=2s,by=1s", "delay has no parameter 'by'"},
      {"GET:delay=2s,grow=1s,grow=2s", "'grow=2s' is given twice"},
      {"GET:delay,=2s", "'=2s' is no PARAMETER=VALUE"},
      {"GET:reset=now", "reset takes no value; write GET:reset"},
      {"GET:silent,then=close", "a silence without a duration has no end"},
      {"GET:silent=1s,then=sing", "a silence cannot end with 'sing'"},
      {"GET:truncate,at=100%", "'100%' is no share from 0% to below 100%"},
      {"GET:truncate,half", "'half' is no PARAMETER=VALUE"},
      {"GET:slow", "slow needs a value; write GET:slow=RATE"},
      {"GET:slow=0.5", "less than a byte a second"},
      {"GET:flip=0", "'0' is no number of bits from 1 to 4096"},
      {"GET:flip=9,at=0", "a place has 8 bits"},
      {"GET:length=5", "'5' is no +SIZE or -SIZE"},
      {"GET:length=+0", "'+0' is no +SIZE or -SIZE"},
      {"PUT:stale", "stale cannot be done to PUT (only to GET, HEAD); write GET:stale"},
      {"DELETE:truncate:p=0.1",
       "(only to GET, DELETE-BATCH, LIST, CREATE-UPLOAD, COMPLETE-UPLOAD); write GET:truncate[,at=SIZE|PERCENT]"},
      {"GET:freeze=1s", "a freeze concerns the whole server, not one operation; write *:freeze=DURATION"},
      {"*:freeze=1s:p=0.1", "a freeze follows the clock, not the requests"},
      {"*:freeze=2s,every=1s", "it would freeze again before it thawed"},
      {"GET:reset:p=2", "'2' is no probability from 0 to 1"},
      {"GET:reset:p=nan", "'nan' is no probability"},
      {"GET:reset:every=0", "'0' is no whole number above 0"},
      {"GET:reset:sometimes", "'sometimes' says not how often (p=PROBABILITY or every=N)"},
      {"GET:reset:p=0.1:every=3", "it says how often more than once"},
  };
  for (const auto& [bad, why] : cases) {
    const auto parsed = parse_fault(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
    EXPECT_TRUE(parsed.error().message.starts_with(std::string("--fault ") + bad + ": "));
    EXPECT_NE(parsed.error().message.find(why), std::string::npos) << parsed.error().message;
  }
}

TEST(FaultSpecs, of_every_error_show_a_rule_that_is_right) {
  for (const char* bad : {"", "GET:flop", "PUT:stale", "PUT:reset-body", "GET:status=1", "HEAD:length=1",
                          "GET:freeze=1s", "GET:delay=x", "LIST:slow", "GET:silent=x", "PUT:truncat"}) {
    const std::string message = parse_fault(bad).error().message;
    const std::size_t at = message.rfind("such as ") + 8;
    const std::string shown = message.substr(at, message.find(' ', at) - at);
    EXPECT_TRUE(parse_fault(shown).has_value()) << shown;
  }
}

TEST(FaultPlans, decide_by_seed_alone) {
  const auto decisions = [](std::uint64_t seed) {
    FaultPlan plan({parse_fault("GET:status=503:p=0.1").value()}, seed);
    std::string out;
    for (int i = 0; i < 1000; ++i) out += plan.decide(Operation::get_object) ? '1' : '0';
    return out;
  };
  EXPECT_EQ(decisions(7), decisions(7));
  EXPECT_NE(decisions(7), decisions(8));
  const auto fired = std::ranges::count(decisions(7), '1');
  EXPECT_GT(fired, 60);
  EXPECT_LT(fired, 140);
}

TEST(FaultPlans, leave_other_operations_alone) {
  FaultPlan plan({parse_fault("PUT:reset").value(), parse_fault("*:status=500").value()}, 0);
  EXPECT_EQ(plan.decide(Operation::put_object).rule->kind, FaultKind::reset);
  EXPECT_EQ(plan.decide(Operation::get_object).rule->kind, FaultKind::status);
  EXPECT_FALSE(plan.decide(Operation::head_bucket));
  EXPECT_FALSE(plan.decide(Operation::introspection));
}

TEST_F(ServerTest, faults_are_counted_exactly) {
  start({"GET:status=503:p=0.2", "PUT:status=500:every=3", "DELETE:reset:every=2", "HEAD:delay=1ms:every=4"});
  auto client = std::make_unique<TestClient>(port());
  std::uint64_t slow_down = 0, failed_puts = 0, resets = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string key = "k" + std::to_string(i);
    const TestResponse put = client->put(key, "x");
    if (put.status == 500) {
      EXPECT_EQ(put.code(), "InternalError");
      ++failed_puts;
    }
    const TestResponse got = client->get(key);
    if (got.status == 503) {
      EXPECT_EQ(got.code(), "SlowDown");
      ++slow_down;
    } else {
      EXPECT_EQ(got.status, put.status == 200 ? 200 : 404) << "a faulted write is not stored";
    }
    EXPECT_EQ(client->ask({.method = "HEAD", .path = "/loadtest/" + key}).status,
              put.status == 200 ? 200 : 404);
    if (client->ask({.method = "DELETE", .path = "/loadtest/" + key}).status == 0) {
      ++resets;
      client = std::make_unique<TestClient>(port());
    }
  }
  EXPECT_GT(slow_down, 0U);
  EXPECT_EQ(failed_puts, 100U);
  EXPECT_EQ(resets, 150U);
  const auto counts = server_->faults();
  EXPECT_EQ(counts[0].done, slow_down);
  EXPECT_EQ(counts[1].done, failed_puts);
  EXPECT_EQ(counts[2].done, resets);
  EXPECT_EQ(counts[3].done, 75U);
  EXPECT_EQ(server_->stats().count(Operation::put_object, 2), 200U);
  const TestResponse told = client->ask({.path = "/-/faults", .sign = false});
  EXPECT_NE(told.body.find("\"reset\":150"), std::string::npos) << told.body;
}

TEST_F(ServerTest, a_delayed_request_is_done_later) {
  start({"PUT:delay=120ms"});
  TestClient client(port());
  const TimePoint before = now();
  EXPECT_EQ(client.put("k", "x").status, 200);
  EXPECT_GE(to_seconds(now() - before), 0.12);
  EXPECT_EQ(client.get("k").body, "x");
}

TEST_F(ServerTest, stopping_ends_idle_and_delayed_connections_soon) {
  start({"PUT:delay=1h"});
  TestClient idle(port()), delayed(port());
  EXPECT_EQ(idle.ask({}).status, 200);
  delayed.send(delayed.head({.method = "PUT", .path = "/loadtest/k", .body = "x"}) + "x");
  const TimePoint before = now();
  server_->stop();
  EXPECT_LT(to_seconds(now() - before), 10);
  EXPECT_EQ(idle.receive().status, 0);
}

}  // namespace
}  // namespace s3lt::server
