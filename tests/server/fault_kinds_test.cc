// Each kind of fault against a server in this process: what a client sees of it, and what is counted.
#include <bit>
#include <cerrno>
#include <cmath>
#include <thread>

#include "server/delivery.h"
#include "server/test_client.h"

namespace s3lt::server {
namespace {

constexpr std::uint64_t size = 10'000;

class FaultKinds : public ServerTest {
 protected:
  // A server with one rule, and the object "k" in it.
  void start_with(const std::string& spec) {
    start({spec});
    TestClient client(port());
    ASSERT_EQ(client.put("k", content_of("k", size)).status, 200);
  }
  std::uint64_t done(std::size_t rule = 0) const { return server_->faults()[rule].done; }
  std::uint64_t answers(Operation o) const { return server_->stats().count(o, 2); }
};

unsigned different_bits(std::string_view a, std::string_view b) {
  unsigned n = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    n += static_cast<unsigned>(std::popcount(static_cast<unsigned char>(a[i] ^ b[i])));
  }
  return n;
}

TEST_F(FaultKinds, a_status_has_the_code_and_the_patience_asked_for) {
  start_with("GET:status=403,code=QuotaExceeded,retry-after=7");
  TestClient client(port());
  const TestResponse refused = client.get("k");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code(), "QuotaExceeded");
  EXPECT_EQ(refused.headers.at("retry-after"), "7");
  EXPECT_EQ(done(), 1U);
}

TEST_F(FaultKinds, a_range_of_delays_stays_within_it) {
  FaultPlan plan({parse_fault("GET:delay=100ms,to=300ms").value()}, 4);
  Duration least = Duration::max(), most{};
  for (int i = 0; i < 500; ++i) {
    const Duration time = plan.time(plan.decide(Operation::get_object));
    least = std::min(least, time);
    most = std::max(most, time);
  }
  EXPECT_GE(to_seconds(least), 0.1);
  EXPECT_LT(to_seconds(least), 0.11);
  EXPECT_LE(to_seconds(most), 0.3);
  EXPECT_GT(to_seconds(most), 0.29);
}

TEST_F(FaultKinds, growing_delays_become_slower_and_slower) {
  FaultPlan plan({parse_fault("GET:delay=10ms,grow=5ms,to=25ms:every=2").value()}, 0);
  std::vector<int> millis;
  for (int i = 0; i < 10; ++i) {
    if (const Fault fault = plan.decide(Operation::get_object)) {
      millis.push_back(static_cast<int>(std::lround(to_seconds(plan.time(fault)) * 1000)));
    }
  }
  EXPECT_EQ(millis, (std::vector<int>{10, 15, 20, 25, 25}));
}

TEST_F(FaultKinds, a_reset_in_the_body_comes_behind_the_bytes_it_names) {
  start_with("GET:reset-in-body,at=1000");
  TestClient client(port());
  const TestResponse cut = client.get("k");
  EXPECT_EQ(client.last_error(), ECONNRESET);
  EXPECT_EQ(cut.status, 200);
  EXPECT_EQ(cut.headers.at("content-length"), std::to_string(size));
  EXPECT_EQ(cut.body, content_of("k", 1000 + 4096).substr(0, 1000));
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(answers(Operation::get_object), 0U) << "it did not go out whole";
}

TEST_F(FaultKinds, a_large_answer_is_out_before_the_reset_in_it) {
  start({"GET:reset-in-body,at=90%"});
  TestClient client(port());
  const std::string body = content_of("large", 3 * MiB);
  ASSERT_EQ(client.put("large", body).status, 200);
  const TestResponse cut = client.get("large");
  EXPECT_EQ(client.last_error(), ECONNRESET);
  EXPECT_EQ(cut.body.size(), static_cast<std::size_t>(0.9 * 3 * MiB));
  EXPECT_TRUE(body.starts_with(cut.body));
}

TEST_F(FaultKinds, a_reset_behind_the_answer_leaves_it_whole) {
  start_with("GET:reset-after");
  TestClient client(port());
  EXPECT_EQ(client.get("k").body, content_of("k", size));
  EXPECT_EQ(client.receive().status, 0);
  EXPECT_EQ(client.last_error(), ECONNRESET);
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(answers(Operation::get_object), 1U);
}

TEST_F(FaultKinds, a_truncated_answer_ends_in_order) {
  start_with("GET:truncate,at=25%");
  TestClient client(port());
  const TestResponse cut = client.get("k");
  EXPECT_EQ(client.last_error(), 0);
  EXPECT_EQ(cut.headers.at("content-length"), std::to_string(size));
  EXPECT_EQ(cut.body, content_of("k", size).substr(0, size / 4));
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(answers(Operation::get_object), 0U);
}

TEST_F(FaultKinds, a_body_that_is_no_longer_than_the_place_is_left_alone) {
  start_with("GET:truncate,at=10000");
  TestClient client(port());
  EXPECT_EQ(client.get("k").body, content_of("k", size));
  EXPECT_EQ(client.get("nobody").status, 404);
  EXPECT_EQ(done(), 0U);
  EXPECT_EQ(server_->faults()[0].seen, 2U);
}

TEST_F(FaultKinds, a_list_is_truncated_too) {
  start_with("LIST:truncate");
  TestClient client(port());
  const TestResponse cut = client.ask({.query = "list-type=2"});
  EXPECT_EQ(cut.body.size(), std::stoul(cut.headers.at("content-length")) / 2);
  EXPECT_EQ(done(), 1U);
}

TEST_F(FaultKinds, a_slow_answer_drips_and_is_whole) {
  start_with("GET:slow=50KB/s");
  TestClient client(port());
  const TimePoint before = now();
  EXPECT_EQ(client.get("k").body, content_of("k", size));
  const double took = to_seconds(now() - before);
  EXPECT_GE(took, 0.19);
  EXPECT_LT(took, 2);
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(client.get("k").status, 200) << "and the connection goes on";
}

TEST_F(FaultKinds, flipped_bits_are_as_many_as_asked_for) {
  start_with("GET:flip=5");
  TestClient client(port());
  const TestResponse first = client.get("k"), second = client.get("k");
  EXPECT_EQ(different_bits(first.body, content_of("k", size)), 5U);
  EXPECT_EQ(different_bits(second.body, content_of("k", size)), 5U);
  EXPECT_NE(first.body, second.body) << "each fault draws its own";
  EXPECT_EQ(done(), 2U);
}

TEST_F(FaultKinds, flipped_bits_of_a_place_are_in_that_byte) {
  start_with("GET:flip=8,at=4096");
  TestClient client(port());
  std::string expected = content_of("k", size);
  expected[4096] = static_cast<char>(~expected[4096]);
  EXPECT_EQ(client.get("k").body, expected);
  EXPECT_EQ(client.put("short", "abc").status, 200);
  EXPECT_EQ(client.get("short").body, "abc") << "it has no such place";
  EXPECT_EQ(done(), 1U);
}

TEST_F(FaultKinds, flips_follow_from_the_seed) {
  const FaultRule rule = parse_fault("GET:flip=3").value();
  const auto flips = [&](std::uint64_t seed) {
    FaultPlan plan({rule}, seed);
    Delivery delivery;
    EXPECT_TRUE(delivery.flip_bits(rule, size, plan.random(plan.decide(Operation::get_object))));
    return delivery.flips;
  };
  EXPECT_EQ(flips(1), flips(1));
  EXPECT_NE(flips(1), flips(2));
}

TEST_F(FaultKinds, stale_objects_are_what_they_were_before) {
  start({"*:stale"});
  TestClient client(port());
  const std::string old = content_of("k", size);
  ASSERT_EQ(client.put("k", old).status, 200);
  const std::string old_etag = client.ask({.method = "HEAD", .path = "/loadtest/k"}).headers.at("etag");
  EXPECT_EQ(done(), 0U) << "it was never overwritten";
  client.put("k", old);
  EXPECT_EQ(client.get("k").body, old);
  EXPECT_EQ(done(), 0U) << "the same bytes again are no other version";

  client.put("k", "new");
  const TestResponse got = client.get("k");
  EXPECT_EQ(got.body, old);
  EXPECT_EQ(got.headers.at("etag"), old_etag);
  EXPECT_EQ(client.ask({.method = "HEAD", .path = "/loadtest/k"}).headers.at("etag"), old_etag);
  client.put("k", "newest");
  EXPECT_EQ(client.get("k").body, "new");
  EXPECT_EQ(done(), 3U);

  client.ask({.method = "DELETE", .path = "/loadtest/k"});
  EXPECT_EQ(client.get("k").status, 404);
  client.put("k", "again");
  EXPECT_EQ(client.get("k").body, "again") << "a deleted object has no former version";
  EXPECT_EQ(done(), 3U);
}

TEST_F(FaultKinds, swapped_objects_are_of_the_same_size_and_others) {
  start_with("GET:swap");
  TestClient client(port());
  client.put("other-size", content_of("other-size", size - 1));
  EXPECT_EQ(client.get("k").body, content_of("k", size));
  EXPECT_EQ(done(), 0U) << "there is none of its size";

  client.put("other", content_of("other", size));
  const TestResponse swapped = client.get("k");
  EXPECT_EQ(swapped.body, content_of("other", size));
  EXPECT_EQ(swapped.headers.at("etag"),
            client.ask({.method = "HEAD", .path = "/loadtest/k"}).headers.at("etag"));
  EXPECT_EQ(client.get("other").body, content_of("k", size));
  EXPECT_EQ(done(), 2U);

  client.put("a", "same");
  client.put("b", "same");
  client.put("empty", "");
  client.put("void", "");
  EXPECT_EQ(client.get("a").body, "same");
  EXPECT_EQ(client.get("empty").status, 200);
  EXPECT_EQ(done(), 2U) << "nobody could tell them apart";
}

TEST_F(FaultKinds, a_missing_object_is_there_again_afterwards) {
  start_with("*:missing:every=2");
  TestClient client(port());
  EXPECT_EQ(client.get("k").status, 200);
  const TestResponse missing = client.get("k");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.code(), "NoSuchKey");
  EXPECT_EQ(client.get("k").status, 200);
  EXPECT_EQ(client.ask({.method = "HEAD", .path = "/loadtest/k"}).status, 404);
  client.get("nobody");
  EXPECT_EQ(client.get("nobody").status, 404);
  EXPECT_EQ(done(), 2U) << "what is not there cannot be made missing";
}

TEST_F(FaultKinds, wrong_lengths_are_well_framed) {
  for (const auto& [spec, length] :
       {std::pair{"GET:length=-1", size - 1}, {"GET:length=+5KB", size + 5120}}) {
    start_with(spec);
    TestClient client(port());
    const TestResponse got = client.get("k");
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.headers.at("content-length"), std::to_string(length));
    std::string expected = content_of("k", size);
    expected.resize(length);
    EXPECT_EQ(got.body, expected);
    EXPECT_EQ(client.get("k").body, expected) << "the connection goes on";
    EXPECT_EQ(done(), 2U);
    client.put("empty", "");
    EXPECT_EQ(client.get("empty").headers.at("content-length"), length > size ? "5120" : "0");
  }
}

TEST_F(FaultKinds, of_kept_bytes_everything_works_as_of_recognised_ones) {
  start({"GET:flip=1,at=2:every=4", "GET:length=+2:every=3", "GET:swap:every=2"});
  TestClient client(port());
  client.put("x", "abcd");
  client.put("y", "efgh");
  std::vector<std::string> bodies;
  for (int i = 0; i < 8; ++i) bodies.push_back(client.get("x").body);
  // Rules are asked in their order, and a rule sees what the ones before it left: requests 4 and 8 are the
  // first rule's, 3 and 7 the second's, and of 1, 2, 5 and 6 every other is the third's.
  using std::string_literals::operator""s;
  for (const int i : {0, 4}) EXPECT_EQ(bodies[i], "abcd") << i;
  for (const int i : {1, 5}) EXPECT_EQ(bodies[i], "efgh") << i;
  for (const int i : {2, 6}) EXPECT_EQ(bodies[i], "abcd\0\0"s) << i;
  for (const int i : {3, 7}) EXPECT_EQ(different_bits(bodies[i], "abcd"), 1U) << i;
  EXPECT_EQ(done(0) + done(1) + done(2), 6U);
}

TEST_F(FaultKinds, ranges_meet_them_too) {
  start_with("GET:truncate,at=10:every=2");
  TestClient client(port());
  const TestRequest range{.path = "/loadtest/k", .headers = {{"range", "bytes=4090-4189"}}};
  EXPECT_EQ(client.ask(range).body, content_of("k", size).substr(4090, 100));
  EXPECT_EQ(client.ask(range).body, content_of("k", size).substr(4090, 10));
  EXPECT_EQ(done(), 1U);
}

TEST_F(FaultKinds, a_silent_server_takes_the_request_and_closes) {
  start({"PUT:silent=200ms"});
  TestClient client(port());
  const TimePoint before = now();
  EXPECT_EQ(client.put("k", std::string(100'000, 'x')).status, 0);
  EXPECT_GE(to_seconds(now() - before), 0.2);
  EXPECT_EQ(client.last_error(), 0) << "an orderly end, although the body came";
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(server_->stats().objects, 0U) << "nothing was stored";
}

TEST_F(FaultKinds, a_silence_may_end_in_a_reset_or_in_the_answer) {
  start({"PUT:silent=50ms,then=reset:every=2", "PUT:silent=50ms,then=answer"});
  TestClient first(port());
  EXPECT_EQ(first.put("k", "x").status, 200);
  EXPECT_EQ(first.put("k", "x").status, 0);
  EXPECT_EQ(first.last_error(), ECONNRESET);
  EXPECT_EQ(done(0), 1U);
  EXPECT_EQ(done(1), 1U);
}

TEST_F(FaultKinds, an_endless_silence_ends_with_the_client) {
  start_with("GET:silent");
  {
    TestClient client(port());
    client.send(client.head({.path = "/loadtest/k"}));
    EXPECT_FALSE(client.receives_within(std::chrono::milliseconds(100)));
    EXPECT_EQ(done(), 0U);
  }
  for (int i = 0; i < 200 && done() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(done(), 1U);
}

TEST_F(FaultKinds, a_connection_may_end_with_each_answer) {
  start_with("GET:close");
  TestClient said(port());
  const TestResponse got = said.get("k");
  EXPECT_EQ(got.body, content_of("k", size));
  EXPECT_EQ(got.headers.at("connection"), "close");
  EXPECT_EQ(said.receive().status, 0);
  EXPECT_EQ(said.last_error(), 0);
  EXPECT_EQ(done(), 1U);
}

TEST_F(FaultKinds, a_connection_may_end_without_a_word) {
  start_with("*:close-unsaid:every=2");  // the first was the PUT
  TestClient unsaid(port());
  const TestResponse got = unsaid.get("k");
  EXPECT_EQ(got.body, content_of("k", size));
  EXPECT_FALSE(got.headers.contains("connection"));
  EXPECT_EQ(unsaid.get("k").status, 0);
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(answers(Operation::get_object), 1U);
}

TEST_F(FaultKinds, a_frozen_server_says_nothing_to_anybody) {
  const TimePoint begun = now();  // the server counts from its start
  start({"*:freeze=400ms,after=100ms,every=1h"});
  TestClient one(port()), two(port());
  double longest = 0;
  while (done() == 0 && to_seconds(now() - begun) < 10) {
    const TimePoint before = now();
    one.send(one.head({}));
    two.send(two.head({}));
    EXPECT_EQ(one.receive().status, 200);
    EXPECT_EQ(two.receive().status, 200);
    longest = std::max(longest, to_seconds(now() - before));
  }
  EXPECT_GE(longest, 0.3);
  EXPECT_GE(to_seconds(now() - begun), 0.5);
  EXPECT_EQ(done(), 1U);
  EXPECT_EQ(one.ask({}).status, 200);
}

TEST_F(FaultKinds, a_frozen_server_can_be_stopped) {
  start({"*:freeze=1h"});
  const TimePoint before = now();
  server_->stop();
  EXPECT_LT(to_seconds(now() - before), 10);
  EXPECT_EQ(done(), 0U);
}

TEST_F(FaultKinds, slow_and_silent_connections_do_not_hold_up_the_end) {
  start({"GET:slow=1KB/s", "*:silent"});
  TestClient silent(port()), slow(port());
  silent.send(silent.head({.method = "PUT", .path = "/loadtest/k", .body = "x"}));
  slow.send(slow.head({.query = "list-type=2"}));
  const TimePoint before = now();
  server_->stop();
  EXPECT_LT(to_seconds(now() - before), 10);
}

}  // namespace
}  // namespace s3lt::server
