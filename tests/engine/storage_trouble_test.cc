// What the engine does while a storage is full, refuses deletes, or says nothing.
#include <atomic>

#include "engine/scripted_storage.h"

namespace s3lt {
namespace {

using std::chrono::milliseconds;
constexpr std::uint64_t object_size = 1024;
const std::vector<SizeClass> one_size = {{.label = "1KB", .bytes = object_size}};

// Plays one connection of a storage whose answers `refuse` may replace (empty: a good answer).
auto storage_that(std::function<std::string(std::string_view head)> refuse) {
  return [refuse = std::move(refuse)](ScriptedPeer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      if (head.starts_with("PUT")) peer.read_body(object_size);
      const std::string refusal = refuse(head);
      if (!peer.write(refusal.empty() ? good_answer(head, object_size) : refusal)) return;
    }
  };
}

LoadResult load(const RunPlan& plan, RunObserver& observer) {
  auto result = run_load(plan, observer);
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result ? std::move(*result) : LoadResult{};
}

TEST(EngineStorageTrouble, WritesBackOffFromAFullStorageWhileReadsGoOn) {
  for (const auto& [status, code] : {std::pair("507 Insufficient Storage", "InsufficientStorage"),
                                     std::pair("403 Forbidden", "QuotaExceeded"),
                                     std::pair("503 Service Unavailable", "XMinioStorageFull")}) {
    std::atomic<int> writes = 0;
    ScriptedServer server(storage_that([&](std::string_view head) {
      return head.starts_with("PUT") && ++writes > 20 ? s3_error(status, code) : std::string();
    }));
    RunPlan plan = plan_for(server.port(), mixed_pattern(0.5, one_size), 4, 1);
    plan.prefill = 20;
    plan.duration = milliseconds(1000);
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    const Counters puts = counted(result.total, OperationKind::put),
                   gets = counted(result.total, OperationKind::get);
    // Each client writes at about 0, 0.1, 0.3 and 0.7 s, a bit earlier by its jitter.
    EXPECT_GE(puts.count, 4u * 3) << code;
    EXPECT_LE(puts.count, 4u * 6) << code;
    EXPECT_EQ(outcomes_of(puts, Outcome::full), puts.attempts) << code;
    EXPECT_EQ(puts.attempts, puts.count) << "a full storage is not asked again at once";
    EXPECT_GT(gets.count, 300u) << code;
    EXPECT_EQ(gets.errors, 0u) << code;
    EXPECT_EQ(result.total.keys.at("mixed").unknown, 0u) << "what was refused does not exist";
  }
}

TEST(EngineStorageTrouble, AStorageThatIsFullToWritersAloneIsAskedNowAndThen) {
  std::atomic<int> writes = 0;
  ScriptedServer server(storage_that([&](std::string_view) {
    // Room again from the fifth try on.
    return ++writes <= 4 ? s3_error("507 Insufficient Storage", "InsufficientStorage") : std::string();
  }));
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, one_size), 1, 1);
  plan.operations = 300;
  Watcher watcher;
  const TimePoint start = now();
  const Counters puts = counted(load(plan, watcher).total, OperationKind::put);
  EXPECT_EQ(puts.count, 300u);
  EXPECT_EQ(outcomes_of(puts, Outcome::full), 4u);
  EXPECT_EQ(outcomes_of(puts, Outcome::ok), 296u);
  // 0.1 + 0.2 + 0.4 + 0.8 s, each shortened by up to 30%, and none after that.
  EXPECT_GT(now() - start, milliseconds(1000));
  EXPECT_LT(now() - start, milliseconds(2500));
}

TEST(EngineStorageTrouble, AStorageThatRefusesDeletesGetsNoMoreThanItsLimit) {
  ScriptedServer server(storage_that([&](std::string_view head) {
    return head.starts_with("DELETE") ? s3_error("403 Forbidden", "AccessDenied") : std::string();
  }));
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.5, one_size), 4, 1);
  plan.limits.keys = 50;
  plan.duration = milliseconds(1500);
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const KeyCounters keys = result.total.keys.at("mixed");
  EXPECT_GE(keys.alive + keys.unknown, 50u);
  EXPECT_LE(keys.written, 50u + 4 * 4) << "each client may be refused four times before it holds its writes";
  EXPECT_EQ(keys.written, keys.alive + keys.unknown);
  EXPECT_GT(counted(result.total, OperationKind::get).count, 300u) << "reads go on";
}

TEST(EngineStorageTrouble, ClientsThatHoldTheirWritesEndWithTheRun) {
  ScriptedServer server(storage_that(
      [](std::string_view) { return s3_error("507 Insufficient Storage", "InsufficientStorage"); }));
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, one_size), 4, 2);
  plan.duration = milliseconds(2500);  // the pauses are past a second by then
  plan.grace = std::chrono::seconds(10);
  Watcher watcher;
  const TimePoint start = now();
  const Counters puts = counted(load(plan, watcher).total, OperationKind::put);
  EXPECT_LT(now() - start, milliseconds(3300)) << "a pause is no operation in flight";
  EXPECT_EQ(puts.cancelled, 0u);
  EXPECT_EQ(puts.errors, puts.count);
}

TEST(EngineStorageTrouble, AServerThatFallsSilentIsATimeoutAndTheClientGoesOn) {
  std::atomic<int> requests = 0;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      if (head.starts_with("PUT")) peer.read_body(object_size);
      if (++requests == 10) {
        peer.await_close();
        return;
      }
      peer.write(good_answer(head, object_size));
    }
  });
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, one_size), 1, 1);
  plan.stall = milliseconds(300);
  plan.operations = 20;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters puts = counted(result.total, OperationKind::put);
  EXPECT_EQ(puts.count, 20u);
  EXPECT_EQ(outcomes_of(puts, Outcome::timeout), 1u);
  EXPECT_EQ(outcomes_of(puts, Outcome::ok), 19u);
  EXPECT_EQ(result.total.keys.at("mixed").unknown, 1u);
}

TEST(EngineStorageTrouble, WhatWaitsForAByteWhenTheRunEndsIsASilenceOfItsEndpoint) {
  std::atomic<int> puts = 0;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      if (head.starts_with("PUT")) peer.read_body(object_size);
      if (++puts == 10) {
        peer.await_close();
        return;
      }
      peer.write(good_answer(head, object_size));
    }
  });
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, one_size), 1, 1);
  plan.duration = milliseconds(1300);
  plan.grace = {};
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  ASSERT_EQ(result.total.silences.size(), 1u);
  const auto& [key, silence] = *result.total.silences.begin();
  EXPECT_EQ(key.url, plan.endpoints[0].url);
  EXPECT_EQ(key.cell.operation, OperationKind::put);
  EXPECT_EQ(silence.count(), 1u);
  EXPECT_GE(silence.max(), shortest_silence);
}

TEST(EngineStorageTrouble, WhatIsUnderWayWhenTheRunEndsIsNoSilence) {
  const auto server = start_server({"PUT:delay=200ms"});
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.0, one_size), 4, 1);
  plan.duration = milliseconds(1300);
  plan.grace = {};
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(counted(result.total, OperationKind::put).cancelled, 4u);
  EXPECT_TRUE(result.total.silences.empty());
}

TEST(EngineStorageTrouble, NewConnectionsThatBringNoAnswerAreMadeLessAndLess) {
  const std::vector<std::pair<const char*, const char*>> last_words = {
      {"nothing", ""},
      {"a 100 Continue", "HTTP/1.1 100 Continue\r\n\r\n"},
      {"half a head", "HTTP/1.1 200 OK\r\nCon"},
      {"no HTTP", "220 mail.example ESMTP\r\n\r\n"}};
  for (const auto& [what, words] : last_words) {
    ScriptedServer server([words](ScriptedPeer& peer, int) {
      peer.read_head();
      peer.write(words);
    });
    RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, one_size), 2, 1);
    plan.profile = find_profile("boto3");
    plan.duration = milliseconds(1200);
    Watcher watcher;
    const Counters puts = counted(load(plan, watcher).total, OperationKind::put);
    // At 0, 0.1, 0.3 and 0.7 s, a bit earlier by the jitter.
    EXPECT_GE(puts.errors, 2u * 4) << what;
    EXPECT_LE(puts.errors, 2u * 6) << what;
  }
}

}  // namespace
}  // namespace s3lt
