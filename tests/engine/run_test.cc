// Runs against the embedded server and against scripted ones.
#include "engine/run.h"

#include <atomic>

#include "engine/preflight.h"
#include "engine/test_run.h"
#include "net/scripted_server.h"

namespace s3lt {
namespace {

using std::chrono::milliseconds;
constexpr const char* answer_ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

LoadResult load(const RunPlan& plan, RunObserver& observer) {
  auto result = run_load(plan, observer);
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result ? std::move(*result) : LoadResult{};
}

TEST(EngineRun, DoesExactlyAsManyOperationsAsAsked) {
  const auto server = start_server();
  for (const char* backend : {"native", "boto3"}) {
    for (const std::uint64_t wanted : {1u, 7u, 500u, 2001u}) {
      RunPlan plan = plan_for(server->port(), mixed_pattern(0.7, small_sizes));
      plan.profile = find_profile(backend);
      plan.operations = wanted;
      plan.prefix = fmt::format("{}/{}/", backend, wanted);
      Watcher watcher;
      const LoadResult result = load(plan, watcher);
      const Counters all = counted(result.total);
      EXPECT_EQ(all.count, wanted) << backend;
      EXPECT_EQ(all.attempts, wanted);
      EXPECT_EQ(all.requests, wanted);
      EXPECT_EQ(all.errors, 0u);
      EXPECT_EQ(all.cancelled, 0u);
      EXPECT_EQ(watcher.started_seen, 1);
      EXPECT_FALSE(result.interrupted);
    }
  }
}

TEST(EngineRun, CountsTheKeysThatTheStoreHas) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, small_sizes));
  plan.operations = 2000;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const KeyCounters keys = result.total.keys.at("mixed");
  EXPECT_EQ(keys.alive, server->stats().objects);
  EXPECT_EQ(keys.written, keys.alive);
  EXPECT_EQ(keys.unknown, 0u);
  EXPECT_EQ(server->stats().recognised, keys.alive) << "the bytes sent are what the keys say";
  EXPECT_EQ(keys.written, counted(result.total, OperationKind::put).count);
  EXPECT_EQ(counted(result.total, OperationKind::get).not_found, 0u);
}

TEST(EngineRun, DeletesForRealWhatItTrims) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.3, small_sizes));
  plan.operations = 2000;
  plan.limits.keys = 100;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const KeyCounters keys = result.total.keys.at("mixed");
  EXPECT_EQ(keys.alive, server->stats().objects);
  EXPECT_LE(keys.alive, 100u);
  EXPECT_GT(keys.trimmed, 500u);
  EXPECT_EQ(keys.written, keys.alive + keys.trimmed);
  EXPECT_EQ(counted(result.total, OperationKind::trim).count, keys.trimmed);
  EXPECT_EQ(counted(result.total).count, 2000u) << "trimming is outside of the mix and the budget";
  EXPECT_EQ(counted(result.total).errors, 0u);
}

TEST(EngineRun, MixesReadsAndWritesAsThePatternSays) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.7, small_sizes));
  plan.operations = 6000;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters gets = counted(result.total, OperationKind::get),
                 puts = counted(result.total, OperationKind::put);
  // Reads that found no key became writes, outside of the share.
  const double reads = static_cast<double>(gets.count + puts.seeded);
  EXPECT_NEAR(reads / 6000, 0.7, 0.03);
  EXPECT_GT(puts.seeded, 0u);
  EXPECT_LT(puts.seeded, 100u);
}

TEST(EngineRun, EndsWithinASecondOfItsDuration) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.7, small_sizes));
  plan.duration = milliseconds(1500);
  Watcher watcher;
  const TimePoint start = now();
  const LoadResult result = load(plan, watcher);
  EXPECT_GE(now() - start, milliseconds(1500));
  EXPECT_LT(now() - start, milliseconds(2500));
  EXPECT_NEAR(to_seconds(result.elapsed), 1.5, 0.5);
  EXPECT_EQ(watcher.stopping_seen, 1);
  EXPECT_GE(watcher.seconds_seen, 2);
  EXPECT_EQ(counted(result.total).cancelled, 0u) << "what was in flight could end in the grace";
  EXPECT_EQ(result.total.keys.at("mixed").alive, server->stats().objects);
}

TEST(EngineRun, StopsAfterItsBytes) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, {{.label = "100KB", .bytes = 102400}}));
  plan.bytes = 20 * MiB;
  Watcher watcher;
  const Counters all = counted(load(plan, watcher).total);
  EXPECT_GE(all.bytes_moved, 20 * MiB);
  EXPECT_LE(all.bytes_moved, 20 * MiB + 8 * 102400) << "each client may finish one operation more";
}

TEST(EngineRun, CutsWhatAServerNeverAnswers) {
  for (const char* backend : {"native", "boto3"}) {
    ScriptedServer silent([](ScriptedPeer& peer, int) { peer.await_close(); });
    RunPlan plan = plan_for(silent.port(), mixed_pattern(0.0, small_sizes), 6);
    plan.profile = find_profile(backend);
    plan.duration = milliseconds(500);
    plan.grace = milliseconds(700);
    Watcher watcher;
    const TimePoint start = now();
    const LoadResult result = load(plan, watcher);
    EXPECT_LT(now() - start, milliseconds(2200));
    const Counters all = counted(result.total);
    EXPECT_EQ(all.cancelled, 6u);
    EXPECT_EQ(all.count, 0u);
    EXPECT_EQ(all.errors, 0u);
    EXPECT_EQ(outcomes_of(all, Outcome::cancelled), 6u);
    EXPECT_EQ(result.total.keys.at("mixed").unknown, 6u) << "a PUT that was cut may exist";
  }
}

TEST(EngineRun, AnInterruptEndsItGracefully) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.7, small_sizes));
  Watcher watcher;
  watcher.stop_when = [&] {
    return watcher.started_seen > 0 && now() - watcher.started_at > milliseconds(300);
  };
  const TimePoint start = now();
  const LoadResult result = load(plan, watcher);
  EXPECT_TRUE(result.interrupted);
  EXPECT_LT(now() - start, milliseconds(2000));
  EXPECT_EQ(counted(result.total).cancelled, 0u);
  EXPECT_GT(counted(result.total).count, 0u);
  EXPECT_EQ(result.total.keys.at("mixed").alive, server->stats().objects);
}

TEST(EngineRun, CountsEveryRetryThatAFaultCauses) {
  const auto server = start_server({"PUT:status=503:p=0.1", "GET:status=500:p=0.05"});
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, small_sizes), 32);
  plan.operations = 1500;
  plan.retry.first_seconds = 0.005;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  std::uint64_t done_503 = 0, done_500 = 0;
  for (const auto& fault : server->faults())
    (fault.spec.starts_with("PUT") ? done_503 : done_500) = fault.done;
  const Counters puts = counted(result.total, OperationKind::put),
                 gets = counted(result.total, OperationKind::get);
  EXPECT_GT(done_503, 20u);
  EXPECT_GT(done_500, 5u);
  EXPECT_EQ(with_status(puts, 503), done_503);
  EXPECT_EQ(with_status(gets, 500), done_500);
  EXPECT_EQ(outcomes_of(puts, Outcome::throttled), done_503);
  EXPECT_EQ(outcomes_of(gets, Outcome::server_error), done_500);
  EXPECT_EQ(puts.count + gets.count, 1500u);
  EXPECT_EQ(puts.attempts, puts.count + done_503 - puts.errors);
  EXPECT_EQ(result.total.keys.at("mixed").alive, server->stats().objects);
  EXPECT_FALSE(result.total.errors.empty());
}

TEST(EngineRun, GivesUpAfterItsRetriesAndReportsTheLastOutcome) {
  const auto server = start_server({"*:status=503"});
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, small_sizes), 4);
  plan.operations = 40;
  plan.retry = {.retries = 2, .first_seconds = 0.001};
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters all = counted(result.total);
  EXPECT_EQ(all.count, 40u);
  EXPECT_EQ(all.errors, 40u);
  EXPECT_EQ(all.failed_with[static_cast<std::size_t>(Outcome::throttled)], 40u);
  EXPECT_EQ(all.attempts, 120u);
  EXPECT_EQ(server->stats().objects, 0u);
  const KeyCounters keys = result.total.keys.at("mixed");
  EXPECT_EQ(keys.alive + keys.unknown, 0u) << "what was refused does not exist";
}

TEST(EngineRun, DoesNotRetryResetsAndKeepsTheirKeysAsUnknown) {
  const auto server = start_server({"PUT:reset:every=10"});
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.0, small_sizes), 4);
  plan.operations = 400;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters all = counted(result.total);
  const std::uint64_t resets = server->faults().at(0).done;
  EXPECT_EQ(all.count, 400u);
  EXPECT_GT(resets, 30u);
  // On a reused connection the first is a reconnect; what is reset again is an error.
  EXPECT_EQ(all.errors + result.total.client.reconnects, resets);
  EXPECT_EQ(outcomes_of(all, Outcome::reset), all.errors);
  EXPECT_EQ(all.attempts, 400u);
  EXPECT_EQ(all.requests, 400u + result.total.client.reconnects);
  const KeyCounters keys = result.total.keys.at("mixed");
  EXPECT_EQ(keys.alive, server->stats().objects);
  EXPECT_EQ(keys.unknown, all.errors);
}

// Of each SDK alike: what was sent was an attempt, and the next one is on a new connection.
TEST(EngineRun, WithTheRetriesOfAnSdkAResetAfterTheRequestIsAnAttempt) {
  for (const char* backend : {"boto3", "minio"}) {
    const auto server = start_server({"GET:reset:every=3"});
    RunPlan plan = plan_for(server->port(), mixed_pattern(1.0, small_sizes), 1, 1);
    plan.profile = find_profile(backend);
    plan.sdk_retries = plan.profile->sdk_retries();
    plan.prefill = 2;
    plan.operations = 40;
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    const Counters gets = counted(result.total, OperationKind::get);
    const std::uint64_t resets = server->faults().at(0).done;
    EXPECT_GE(resets, 15u) << backend;
    EXPECT_EQ(gets.count, 40u) << backend;
    EXPECT_EQ(gets.errors, 0u) << backend;
    EXPECT_EQ(outcomes_of(gets, Outcome::reset), resets) << backend;
    EXPECT_EQ(gets.attempts, 40u + resets) << backend;
    EXPECT_EQ(result.total.client.reconnects, 0u) << backend;
    EXPECT_TRUE(result.total.suspicions.empty()) << backend << ": says nothing of the node";
  }
}

// As minio-py that was told no region; its request for the location is signed for us-east-1.
TEST(EngineRun, MinioSignsForTheRegionThatTheBucketIsSaidToBeIn) {
  const auto server = start_server({}, 0, "eu-central-1");
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, small_sizes), 4, 2);
  plan.profile = find_profile("minio");
  plan.operations = 100;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(counted(result.total).count, 100u);
  EXPECT_EQ(counted(result.total).errors, 0u);
}

// Takes five PUTs of 1 KiB on each connection, and closes it.
void ends_after_five(ScriptedPeer& peer, int) {
  for (int i = 0; i < 5; ++i) {
    peer.read_head();
    peer.read_body(1024);
    peer.write(answer_ok);
  }
}

// urllib3 drops such a connection before it uses it.
TEST(EngineRun, WithTheRetriesOfAnSdkAConnectionThatEndedBeforeItIsUsedIsNoAttempt) {
  ScriptedServer server(ends_after_five);
  Pattern pattern = mixed_pattern(0.0, {{.label = "1KB", .bytes = 1024}});
  pattern.least_delay = pattern.most_delay = std::chrono::milliseconds(20);
  RunPlan plan = plan_for(server.port(), pattern, 1, 1);
  plan.profile = find_profile("minio");
  plan.region = "eu-west-1";  // no request for the location
  plan.sdk_retries = plan.profile->sdk_retries();
  plan.operations = 20;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters all = counted(result.total);
  EXPECT_EQ(all.attempts, 20u);
  EXPECT_EQ(all.errors, 0u);
  EXPECT_EQ(result.total.client.reconnects, 3u);
}

TEST(EngineRun, AnIdleConnectionThatTheServerClosedIsAReconnectAndNoError) {
  ScriptedServer server(ends_after_five);
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, {{.label = "1KB", .bytes = 1024}}), 1, 1);
  plan.operations = 50;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters all = counted(result.total);
  EXPECT_EQ(all.count, 50u);
  EXPECT_EQ(all.errors, 0u);
  EXPECT_EQ(result.total.client.reconnects, 9u);
  EXPECT_EQ(result.total.client.connections, 10u);
  EXPECT_EQ(all.requests, 59u);
}

TEST(EngineRun, APutThatIsAnsweredWithGarbageMayExist) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.read_body(1024);
    peer.write("220 mail.example ESMTP\r\n\r\n");
  });
  RunPlan plan = plan_for(server.port(), mixed_pattern(0.0, {{.label = "1KB", .bytes = 1024}}), 1, 1);
  plan.operations = 3;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Counters all = counted(result.total);
  EXPECT_EQ(all.errors, 3u);
  EXPECT_EQ(outcomes_of(all, Outcome::client_error), 3u);
  EXPECT_EQ(result.total.keys.at("mixed").unknown, 3u);
}

TEST(EngineRun, ReadsThatAreTooShortAreTruncatedAndTooLongOnesCorrupt) {
  for (const int size : {1000, 1030}) {
    ScriptedServer server([size](ScriptedPeer& peer, int) {
      for (std::string head; !(head = peer.read_head()).empty();) {
        if (head.starts_with("PUT")) {
          peer.read_body(1024);
          peer.write(answer_ok);
        } else {
          peer.write(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", size,
                                 std::string(static_cast<std::size_t>(size), 'x')));
        }
      }
    });
    RunPlan plan = plan_for(server.port(), mixed_pattern(0.9, {{.label = "1KB", .bytes = 1024}}), 1, 1);
    plan.operations = 50;
    Watcher watcher;
    const Counters gets = counted(load(plan, watcher).total, OperationKind::get);
    EXPECT_GT(gets.count, 30u);
    EXPECT_EQ(gets.errors, gets.count);
    EXPECT_EQ(outcomes_of(gets, size < 1024 ? Outcome::truncated : Outcome::corrupt), gets.count);
  }
}

TEST(EngineRun, BacksOffFromAServerThatIsGone) {
  auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, small_sizes), 4);
  plan.duration = std::chrono::seconds(4);
  Watcher watcher;
  watcher.each_second = [&](const Snapshot&) {
    if (watcher.seconds_seen == 1) server->stop();
  };
  const LoadResult result = load(plan, watcher);
  const Counters all = counted(result.total);
  EXPECT_GT(all.count - all.errors, 100u) << "it worked until then";
  const std::uint64_t refused = outcomes_of(all, Outcome::connect);
  // Each client tries after 0.1, 0.3, 0.7, 1.5 and 3.1 s: five or six times in three seconds.
  EXPECT_GE(refused, 4u * 3);
  EXPECT_LE(refused, 4u * 8);
  EXPECT_LT(to_seconds(result.elapsed), 5.5);
}

TEST(EngineRun, HoldsABandwidthWithinATenth) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, {{.label = "100KB", .bytes = 102400}}), 6, 2);
  plan.bandwidth = 4e6;
  plan.duration = std::chrono::seconds(4);
  Watcher watcher;
  std::vector<double> rates;
  watcher.each_second = [&](const Snapshot& second) {
    const double length = to_seconds(second.to - second.from);
    if (length > 0.9) rates.push_back(static_cast<double>(counted(second).bytes_moved) / length);
  };
  const LoadResult result = load(plan, watcher);
  const double rate = static_cast<double>(counted(result.total).bytes_moved) / to_seconds(result.elapsed);
  EXPECT_NEAR(rate, 4e6, 4e5);
  ASSERT_GE(rates.size(), 3u);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_NEAR(rates[i], 4e6, 4e5) << i;
}

TEST(EngineRun, PrefillsBeforeTheClockStartsAndDoesNotCountIt) {
  const auto server = start_server();
  RunPlan plan = plan_for(server->port(), mixed_pattern(1.0, small_sizes));
  plan.prefill = 300;
  plan.operations = 500;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(server->stats().objects, 300u + counted(result.total, OperationKind::put).count);
  EXPECT_EQ(counted(result.total).count, 500u);
  EXPECT_EQ(counted(result.total, OperationKind::put).seeded,
            counted(result.total, OperationKind::put).count);
  EXPECT_LT(counted(result.total, OperationKind::put).count, 10u);
}

TEST(EngineRun, APrefillThatFailsIsAnError) {
  const auto server = start_server({"PUT:status=403"});
  RunPlan plan = plan_for(server->port(), mixed_pattern(1.0, small_sizes));
  plan.prefill = 10;
  plan.operations = 10;
  Watcher watcher;
  const auto result = run_load(plan, watcher);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(result.error().message.starts_with("the prefill could not write")) << result.error().message;
  EXPECT_EQ(watcher.started_seen, 0);
}

TEST(EngineRun, UsesEveryEndpointInTurn) {
  const auto one = start_server(), two = start_server();
  RunPlan plan = plan_for(one->port(), mixed_pattern(0.0, small_sizes), 4);
  plan.endpoints.push_back(local_endpoint(two->port()));
  plan.operations = 2000;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(counted(result.total).errors, 0u);
  EXPECT_EQ(one->stats().objects + two->stats().objects, 2000u);
  // The first to answer gets what comes before the other one has been met.
  EXPECT_NEAR(static_cast<double>(one->stats().objects), 1000, 60);
}

TEST(EngineRun, TheSameSeedDrawsTheSameOperations) {
  std::vector<std::vector<std::uint64_t>> counts;
  for (const std::uint64_t seed : {5u, 5u, 6u}) {
    const auto server = start_server();
    RunPlan plan = plan_for(server->port(), mixed_pattern(0.5, small_sizes), 1, 1);
    plan.operations = 300;
    plan.seed = seed;
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    std::vector<std::uint64_t> of_run;
    for (const auto& [key, cell] : result.total.cells) of_run.push_back(cell.counters.count);
    counts.push_back(of_run);
  }
  EXPECT_EQ(counts[0], counts[1]);
  EXPECT_NE(counts[0], counts[2]);
}

TEST(EnginePreflight, TellsWhatIsWrongAndHowToMendIt) {
  const auto server = start_server();
  const Pattern pattern = mixed_pattern(0.5, small_sizes);
  RunPlan plan = plan_for(server->port(), pattern);
  EXPECT_TRUE(preflight(plan, false).has_value());

  plan.bucket = "not-there";
  auto refused = preflight(plan, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("--create-bucket"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(preflight(plan, true).has_value());
  EXPECT_TRUE(preflight(plan, false).has_value());

  plan = plan_for(server->port(), pattern);
  plan.credentials.secret_key = "wrong-secret";
  refused = preflight(plan, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("AWS_SECRET_ACCESS_KEY"), std::string::npos);
  EXPECT_EQ(refused.error().message.find("wrong-secret"), std::string::npos);
  plan.credentials = {"nobody", "runsecret", ""};
  refused = preflight(plan, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("AWS_ACCESS_KEY_ID"), std::string::npos);

  ScriptedServer mail([](ScriptedPeer& peer, int) { peer.write("220 mail.example ESMTP\r\n"); });
  refused = preflight(plan_for(mail.port(), pattern), false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("HTTP"), std::string::npos) << refused.error().message;
}

TEST(EnginePreflight, OneDeadEndpointOfTwoIsNoReasonToStop) {
  const auto server = start_server();
  auto gone = start_server();
  RunPlan plan = plan_for(gone->port(), mixed_pattern(0.5, small_sizes));
  gone->stop();
  gone.reset();
  const auto refused = preflight(plan, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("cannot reach"), std::string::npos);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  plan.endpoints.push_back(local_endpoint(server->port()));
  EXPECT_TRUE(preflight(plan, false).has_value());
}

}  // namespace
}  // namespace s3lt
