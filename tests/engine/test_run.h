// What the tests of the engine share: plans against a local port, an observer that remembers, an embedded
// server.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "base/units.h"
#include "engine/run.h"
#include "server/server.h"

namespace s3lt {

inline const Credentials run_credentials{"runkey", "runsecret", ""};

inline std::shared_ptr<const ContentPool> run_pool() {
  static const auto pool = std::make_shared<const ContentPool>(4 * MiB);
  return pool;
}

inline ResolvedEndpoint local_endpoint(std::uint16_t port) {
  const std::string host = fmt::format("127.0.0.1:{}", port);
  return {.url = "http://" + host,
          .host = "127.0.0.1",
          .host_header = host,
          .addresses = resolve("127.0.0.1", port).value()};
}

inline Pattern mixed_pattern(double reads, std::vector<SizeClass> sizes) {
  Pattern pattern;
  pattern.name = "mixed";
  pattern.mix[static_cast<std::size_t>(OperationKind::get)] = reads;
  pattern.mix[static_cast<std::size_t>(OperationKind::put)] = 1 - reads;
  pattern.sizes = std::move(sizes);
  return pattern;
}

inline RunPlan plan_for(std::uint16_t port, const Pattern& pattern, std::uint64_t clients = 8,
                        unsigned threads = 2) {
  RunPlan plan;
  plan.patterns = {{pattern, clients}};
  plan.endpoints = {local_endpoint(port)};
  plan.profile = find_profile("native");
  plan.pool = run_pool();
  plan.credentials = run_credentials;
  plan.region = "us-east-1";
  plan.bucket = "loadtest";
  plan.prefix = "loadtest/";
  plan.threads = threads;
  plan.seed = 1;
  return plan;
}

inline std::unique_ptr<server::Server> start_server(const std::vector<std::string>& faults = {},
                                                    std::uint16_t port = 0,
                                                    const std::string& region = "us-east-1") {
  server::ServerOptions options;
  options.listen.front().port = port;
  options.threads = 1;
  options.region = region;
  options.credentials = run_credentials;
  options.pool = run_pool();
  for (const std::string& spec : faults) options.faults.push_back(server::parse_fault(spec).value());
  auto server = server::Server::start(std::move(options));
  if (!server) ADD_FAILURE() << server.error().message;
  return server ? std::move(*server) : nullptr;
}

// Remembers what it is told; `each_second` may act, `stop_when` ends the run.
struct Watcher : RunObserver {
  std::function<void(const Snapshot& second)> each_second = [](const Snapshot&) {};
  std::function<bool()> stop_when = [] { return false; };
  int seconds_seen = 0, started_seen = 0, stopping_seen = 0;
  TimePoint started_at{};
  void started() override {
    ++started_seen;
    started_at = now();
  }
  void second(const Snapshot& second, const Snapshot&) override {
    ++seconds_seen;
    each_second(second);
  }
  bool interrupted() override { return stop_when(); }
  void stopping() override { ++stopping_seen; }
};

// Everything that a run counted, over all cells but TRIM's and PART's; or of one kind.
inline Counters counted(const Snapshot& snapshot, std::optional<OperationKind> only = {}) {
  Counters all;
  for (const auto& [key, cell] : snapshot.cells) {
    const bool apart = key.operation == OperationKind::trim || key.operation == OperationKind::part;
    if (only ? key.operation == *only : !apart) all.add(cell.counters);
  }
  return all;
}
inline std::uint64_t outcomes_of(const Counters& counters, Outcome outcome) {
  return counters.outcomes[static_cast<std::size_t>(outcome)];
}
inline std::uint64_t with_status(const Counters& counters, int status) {
  for (const auto& [code, n] : counters.status) {
    if (code == status) return n;
  }
  return 0;
}

inline const std::vector<SizeClass> small_sizes = {{.label = "1KB", .bytes = 1024},
                                                   {.label = "10KB", .bytes = 10240}};

}  // namespace s3lt
