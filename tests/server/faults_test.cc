#include "server/faults.h"

#include "server/test_client.h"

namespace s3lt::server {
namespace {

TEST(FaultSpecs, say_what_is_wrong_with_them) {
  for (const char* good :
       {"GET:status=503:p=0.01", "put:delay=200ms:every=100", "*:reset:p=0.001", "LIST:status=500"}) {
    EXPECT_TRUE(parse_fault(good).has_value()) << good;
  }
  for (const char* bad : {"", "GET", "FETCH:reset", "GET:explode", "GET:status=200", "GET:status=x",
                          "GET:delay=soon", "GET:reset:p=2", "GET:reset:every=0", "GET:reset:sometimes"}) {
    const auto parsed = parse_fault(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_NE(parsed.error().message.find("GET:status=503:p=0.01"), std::string::npos)
        << "shows the right form";
  }
}

TEST(FaultPlans, decide_by_seed_alone) {
  const auto decisions = [](std::uint64_t seed) {
    FaultPlan plan({parse_fault("GET:status=503:p=0.1").value()}, seed);
    std::string out;
    for (int i = 0; i < 1000; ++i) out += plan.decide(Operation::get_object) != nullptr ? '1' : '0';
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
  EXPECT_EQ(plan.decide(Operation::put_object)->kind, FaultKind::reset);
  EXPECT_EQ(plan.decide(Operation::get_object)->kind, FaultKind::status);
  EXPECT_EQ(plan.decide(Operation::head_bucket), nullptr);
  EXPECT_EQ(plan.decide(Operation::introspection), nullptr);
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
