// Objects in parts, against the embedded server and a scripted one: what is stored, what is counted, and that
// nothing of an upload stays that was not completed.
#include <atomic>

#include "engine/scripted_storage.h"
#include "http/percent.h"

namespace s3lt {
namespace {

using server::Operation;
using std::chrono::milliseconds;

constexpr std::uint64_t part = 5 * MiB;
const std::vector<SizeClass> three_parts = {{.label = "11MB", .bytes = 11 * MiB}};

std::shared_ptr<const ContentPool> large_pool() {
  static const auto pool = std::make_shared<const ContentPool>(11 * MiB);
  return pool;
}

std::unique_ptr<server::Server> start_storage(const std::vector<std::string>& faults = {}) {
  server::ServerOptions options{.threads = 1, .credentials = run_credentials, .pool = large_pool()};
  for (const std::string& spec : faults) options.faults.push_back(server::parse_fault(spec).value());
  auto server = server::Server::start(std::move(options));
  if (!server) ADD_FAILURE() << server.error().message;
  return server ? std::move(*server) : nullptr;
}

RunPlan upload_plan(std::uint16_t port, std::string_view backend, double reads, std::uint64_t clients = 2) {
  RunPlan plan = plan_for(port, mixed_pattern(reads, three_parts), clients, 1);
  plan.profile = find_profile(backend);
  plan.pool = large_pool();
  plan.multipart_size = part;
  plan.verify = Verify::all;
  return plan;
}

LoadResult load(const RunPlan& plan, RunObserver& observer) {
  auto result = run_load(plan, observer);
  EXPECT_TRUE(result.has_value()) << result.error().message;
  return result ? std::move(*result) : LoadResult{};
}

std::uint64_t sum_of(const Snapshot& total, Outcome outcome) {
  return outcomes_of(counted(total, OperationKind::put), outcome) +
         outcomes_of(counted(total, OperationKind::part), outcome);
}

TEST(EngineMultipart, AnObjectInPartsIsOnePutAndReadsBackWhole) {
  for (const char* backend : {"boto3", "minio", "native"}) {
    SCOPED_TRACE(backend);
    const auto server = start_storage();
    RunPlan plan = upload_plan(server->port(), backend, 0.5);
    plan.operations = 12;
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    const Counters puts = counted(result.total, OperationKind::put),
                   gets = counted(result.total, OperationKind::get),
                   parts = counted(result.total, OperationKind::part);
    EXPECT_EQ(puts.count + gets.count, 12u);
    EXPECT_EQ(puts.errors + gets.errors + parts.errors, 0u);
    EXPECT_GE(puts.count, 2u);
    EXPECT_EQ(parts.count, 3 * puts.count);
    EXPECT_EQ(parts.requests, parts.count);
    // A location request in front of each client's first operation is one of that operation.
    EXPECT_EQ(puts.attempts, puts.count);
    EXPECT_GE(puts.requests, 2 * puts.count);
    EXPECT_LE(puts.requests + gets.requests, 2 * puts.count + gets.count + 2);
    EXPECT_EQ(puts.bytes, puts.count * 11 * MiB);
    EXPECT_EQ(puts.bytes_moved, puts.bytes);
    EXPECT_EQ(parts.bytes, puts.bytes);
    EXPECT_EQ(gets.checked, gets.count);
    const server::ServerStats stats = server->stats();
    EXPECT_EQ(stats.uploads, 0u);
    EXPECT_EQ(stats.objects, puts.count);
    EXPECT_EQ(stats.recognised, puts.count) << "parts are facts, and so is what they become";
    EXPECT_EQ(stats.bytes_kept, 0u);
    EXPECT_EQ(stats.count(Operation::upload_part, 2), parts.count);
    // The whole is slower than each of its parts.
    const auto slowest = [&](OperationKind kind, Histogram Cell::* figure) {
      return (result.total.cells.at({"mixed", kind, "11MB"}).*figure).max();
    };
    EXPECT_GT(slowest(OperationKind::put, &Cell::service), slowest(OperationKind::part, &Cell::service));
    EXPECT_GE(slowest(OperationKind::put, &Cell::response), slowest(OperationKind::put, &Cell::service));
  }
}

TEST(EngineMultipart, SmallObjectsGoOutInOnePiece) {
  const auto server = start_storage();
  for (const char* backend : {"boto3", "minio", "native"}) {
    RunPlan plan = plan_for(server->port(), mixed_pattern(0.0, {{.label = "4MB", .bytes = 4 * MiB}}), 1, 1);
    plan.profile = find_profile(backend);
    plan.pool = large_pool();
    plan.multipart_size = part;
    plan.operations = 2;
    Watcher watcher;
    EXPECT_EQ(counted(load(plan, watcher).total, OperationKind::part).count, 0u) << backend;
  }
  EXPECT_EQ(server->stats().count(Operation::create_multipart_upload, 2), 0u);
}

TEST(EngineMultipart, TheBudgetOfBytesCountsThemOnce) {
  const auto server = start_storage();
  RunPlan plan = upload_plan(server->port(), "native", 0.0, 1);
  plan.bytes = 44 * MiB;
  Watcher watcher;
  EXPECT_EQ(counted(load(plan, watcher).total, OperationKind::put).count, 4u);
}

// Each answer that a fault changed is counted once, by the client as by the server.
TEST(EngineMultipart, FaultsOfEveryRequestAreRetriedAndCountedOnce) {
  for (const char* backend : {"boto3", "minio", "native"}) {
    SCOPED_TRACE(backend);
    const auto server = start_storage({"PART:status=503:every=4", "CREATE-UPLOAD:status=500:every=3",
                                       "COMPLETE-UPLOAD:status=503,code=SlowDown:every=3"});
    RunPlan plan = upload_plan(server->port(), backend, 0.0);
    plan.operations = 10;
    plan.retry.first_seconds = 0.001;
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    std::uint64_t done = 0;
    for (const auto& fault : server->faults()) done += fault.done;
    EXPECT_GE(done, 10u);
    EXPECT_EQ(sum_of(result.total, Outcome::throttled) + sum_of(result.total, Outcome::server_error), done);
    EXPECT_EQ(counted(result.total, OperationKind::put).errors, 0u);
    EXPECT_EQ(server->stats().objects, 10u);
    // A create that was answered with 500 may have been one.
    EXPECT_EQ(server->stats().uploads, 0u);
  }
}

TEST(EngineMultipart, WhatFailsIsAborted) {
  for (const char* fault : {"PART:status=403:every=3", "PART:reset:every=2", "COMPLETE-UPLOAD:status=400",
                            "COMPLETE-UPLOAD:reset", "PART:reset-after:every=3"}) {
    SCOPED_TRACE(fault);
    const auto server = start_storage({fault});
    RunPlan plan = upload_plan(server->port(), "native", 0.0);
    plan.operations = 6;
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    const Counters puts = counted(result.total, OperationKind::put);
    EXPECT_EQ(puts.count, 6u);
    EXPECT_EQ(server->stats().uploads, 0u) << "none is left";
    EXPECT_EQ(server->stats().bytes_kept, 0u);
    EXPECT_EQ(server->stats().objects, puts.count - puts.errors);
    EXPECT_EQ(result.total.keys.at("mixed").unaborted, 0u);
    // What its own request did not say, its status is not counted with either.
    EXPECT_EQ(with_status(puts, 403), 0u);
    if (std::string_view(fault).find("reset-after") == std::string_view::npos) {
      EXPECT_GT(puts.errors, 0u);
    }
    EXPECT_EQ(server->stats().count(Operation::abort_multipart_upload, 2), puts.errors);
  }
}

TEST(EngineMultipart, AnUploadWhoseIdNeverCameIsFoundAndAborted) {
  for (const char* fault : {"CREATE-UPLOAD:truncate:every=2", "CREATE-UPLOAD:reset-in-body:every=2"}) {
    SCOPED_TRACE(fault);
    const auto server = start_storage({fault});
    RunPlan plan = upload_plan(server->port(), "native", 0.0);
    plan.operations = 6;
    Watcher watcher;
    const Counters puts = counted(load(plan, watcher).total, OperationKind::put);
    EXPECT_EQ(puts.errors, 3u) << "a create without an answer is not tried again";
    EXPECT_EQ(server->stats().uploads, 0u);
    EXPECT_EQ(server->stats().count(Operation::abort_multipart_upload, 2), 3u);
  }
}

TEST(EngineMultipart, UploadsThatAreCutAreAborted) {
  for (const char* fault : {"PART:delay=5s", "COMPLETE-UPLOAD:silent", "CREATE-UPLOAD:delay=300ms"}) {
    SCOPED_TRACE(fault);
    const auto server = start_storage({fault});
    RunPlan plan = upload_plan(server->port(), "native", 0.0);
    plan.duration = milliseconds(200);
    plan.grace = Duration::zero();
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    EXPECT_LT(now() - watcher.started_at, milliseconds(200 + 1000 + 400));
    EXPECT_EQ(counted(result.total, OperationKind::put).cancelled, 2u);
    EXPECT_EQ(server->stats().uploads, 0u);
    EXPECT_EQ(server->stats().objects, 0u);
  }
}

TEST(EngineMultipart, WhatCannotBeAbortedIsCounted) {
  const auto server = start_storage({"PART:status=403", "ABORT-UPLOAD:status=403"});
  RunPlan plan = upload_plan(server->port(), "native", 0.0);
  plan.operations = 2;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(server->stats().uploads, 2u);
  EXPECT_EQ(result.total.keys.at("mixed").unaborted, 2u);
}

// A storage of uploads without a memory: `completed` is what it says to their completion.
auto storage_of_uploads(std::function<std::string()> completed) {
  return [completed = std::move(completed)](ScriptedPeer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      const std::size_t length = head.find("Content-Length: ");
      if (length != head.npos) peer.read_body(std::stoul(head.substr(length + 16)));
      std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
      if (head.find("?uploads") != head.npos) {
        answer = with_body(
            "200 OK",
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
      } else if (head.starts_with("PUT")) {
        answer = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n";
      } else if (head.starts_with("POST")) {
        answer = completed();
      }
      if (!peer.write(answer)) return;
    }
  };
}

// A part that was cut may reach its upload after the abort, and bring it back.
TEST(EngineMultipart, AnUploadThatComesBackIsAbortedAgain) {
  for (const int times : {1, 100}) {
    std::atomic<int> aborts = 0, looks = 0;
    ScriptedServer server([&](ScriptedPeer& peer, int) {
      for (std::string head; !(head = peer.read_head()).empty();) {
        const std::size_t length = head.find("Content-Length: ");
        if (head.starts_with("PUT")) {
          peer.read_body(std::stoul(head.substr(length + 16)) / 2);
          return;  // closed within the part
        }
        std::string answer = "HTTP/1.1 204 No Content\r\n\r\n";
        if (head.starts_with("POST")) {
          answer = with_body(
              "200 OK",
              "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
        } else if (head.starts_with("GET")) {
          ++looks;
          const std::size_t key = head.find("prefix=") + 7;
          const std::string name = std::string(head.substr(key, head.find_first_of("& ", key) - key));
          answer = with_body("200 OK", aborts > times ? "<ListMultipartUploadsResult/>"
                                                      : "<ListMultipartUploadsResult><Upload><Key>" +
                                                            http::decode(name).value() +
                                                            "</Key><UploadId>u</UploadId></Upload>"
                                                            "</ListMultipartUploadsResult>");
        } else {
          ++aborts;
        }
        if (!peer.write(answer)) return;
      }
    });
    RunPlan plan = upload_plan(server.port(), "native", 0.0, 1);
    plan.operations = 1;
    Watcher watcher;
    const LoadResult result = load(plan, watcher);
    EXPECT_EQ(counted(result.total, OperationKind::put).errors, 1u);
    EXPECT_EQ(result.total.keys.at("mixed").unaborted, times == 1 ? 0u : 1u);
    EXPECT_EQ(aborts, times == 1 ? 2 : 9);
    EXPECT_EQ(looks, times == 1 ? 3 : 8);
  }
}

TEST(EngineMultipart, A200WithAnErrorInItIsNone) {
  std::atomic<int> asked = 0;
  ScriptedServer server(storage_of_uploads([&] {
    return ++asked % 2 == 1
               ? with_body("200 OK", "\n\n<Error><Code>InternalError</Code><Message>later</Message></Error>")
               : with_body("200 OK", "  <CompleteMultipartUploadResult/>");
  }));
  RunPlan plan = upload_plan(server.port(), "native", 0.0, 1);
  plan.operations = 3;
  plan.retry.first_seconds = 0.001;
  Watcher watcher;
  const Counters puts = counted(load(plan, watcher).total, OperationKind::put);
  EXPECT_EQ(puts.errors, 0u);
  EXPECT_EQ(outcomes_of(puts, Outcome::server_error), 3u);
  EXPECT_EQ(outcomes_of(puts, Outcome::ok), 3u);
  EXPECT_EQ(asked, 6);
}

TEST(EngineMultipart, ACompletionWithoutAnswerLeavesAKeyThatMayExist) {
  const auto server = start_storage({"COMPLETE-UPLOAD:truncate"});
  RunPlan plan = upload_plan(server->port(), "native", 0.0, 1);
  plan.operations = 2;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(counted(result.total, OperationKind::put).errors, 2u);
  EXPECT_EQ(server->stats().objects, 2u);
  EXPECT_EQ(result.total.keys.at("mixed").unknown, 2u);
  EXPECT_EQ(result.total.keys.at("mixed").unaborted, 0u) << "there is nothing left to abort";
}

// The parts of a slow client share its speed.
TEST(EngineMultipart, ASlowClientIsSlowOverAllItsParts) {
  const auto server = start_storage();
  RunPlan plan = upload_plan(server->port(), "native", 0.0, 1);
  plan.patterns[0].pattern.client_speed = 11.0 * MiB / 2;  // two seconds an object
  plan.operations = 1;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  const Cell& put = result.total.cells.at({"mixed", OperationKind::put, "11MB"});
  ASSERT_EQ(put.counters.count, 1u);
  EXPECT_GT(put.service.max(), 1'900'000);
  EXPECT_LT(put.service.max(), 3'500'000);
}

// Kept connections make room for new ones, the longest idle first.
TEST(EngineConnections, StayBelowTheirLimit) {
  const auto first = start_server(), second = start_server(), third = start_server();
  RunPlan plan = plan_for(first->port(), mixed_pattern(0.0, small_sizes), 4, 1);
  plan.endpoints = {local_endpoint(first->port()), local_endpoint(second->port()),
                    local_endpoint(third->port())};
  plan.operations = 300;
  plan.most_connections = 6;
  Watcher watcher;
  const LoadResult result = load(plan, watcher);
  EXPECT_EQ(counted(result.total).errors, 0u);
  const ClientCounters& client = result.total.client;
  EXPECT_GT(client.idle_closed, 50u);
  EXPECT_EQ(client.connections, client.idle_closed + 6) << "it had as many open as it may";
  EXPECT_EQ(client.reconnects, 0u);
  plan.most_connections = 0;
  plan.prefix = "again/";
  const LoadResult all = load(plan, watcher);
  EXPECT_EQ(all.total.client.connections, 12u);
  EXPECT_EQ(all.total.client.idle_closed, 0u);
}

}  // namespace
}  // namespace s3lt
