// A small run with known figures, for the tests of what is written about runs.
#pragma once

#include "results/run_record.h"

namespace s3lt {

// 30 s of baseload: 3 GETs of 1KB (1, 2, 3 ms), 1 GET of 100MB (2 s), 2 PUTs of 1KB of which one failed
// by a 503, one PUT cut at the end, one TRIM.
inline Snapshot sample_snapshot() {
  Snapshot snapshot;
  snapshot.to = seconds(30);
  const auto ok = [&](OperationKind kind, const char* size, std::uint64_t bytes, std::int64_t us) {
    Cell& cell = snapshot.cells[{"baseload", kind, size}];
    ++cell.counters.count;
    ++cell.counters.attempts;
    ++cell.counters.requests;
    ++cell.counters.outcomes[static_cast<std::size_t>(Outcome::ok)];
    cell.counters.count_status(200);
    cell.counters.bytes += bytes;
    cell.counters.bytes_moved += bytes;
    cell.response.record(us);
    cell.service.record(us - 10);
    cell.ttfb.record(us / 2);
  };
  for (const std::int64_t ms : {1, 2, 3}) ok(OperationKind::get, "1KB", 1024, ms * 1000);
  ok(OperationKind::get, "100MB", 104'857'600, 2'000'000);
  ok(OperationKind::put, "1KB", 1024, 5000);
  ok(OperationKind::trim, "", 0, 700);
  Cell& put = snapshot.cells[{"baseload", OperationKind::put, "1KB"}];
  ++put.counters.count;
  ++put.counters.errors;
  ++put.counters.cancelled;
  ++put.counters.attempts;
  ++put.counters.requests;
  ++put.counters.outcomes[static_cast<std::size_t>(Outcome::throttled)];
  ++put.counters.failed_with[static_cast<std::size_t>(Outcome::throttled)];
  put.counters.count_status(503);
  put.counters.bytes_moved += 1000;
  put.failed.record(9000);
  snapshot.keys["baseload"] = {.written = 7, .deleted = 0, .trimmed = 1, .alive = 6, .unknown = 1};
  snapshot.client = {.cpu_seconds = 0.5, .connections = 8, .reconnects = 1};
  return snapshot;
}

inline RunResult sample_run() {
  RunResult result;
  result.info.version = "1.2.3";
  result.info.started = WallTime(std::chrono::seconds(1'770'206'400));  // 2026-02-04T12:00:00Z
  result.info.pattern = "baseload";
  result.info.backend = "boto3";
  result.info.endpoints = {"http://127.0.0.1:9000"};
  result.info.bucket = "load";
  result.info.seed = 42;
  result.info.threads = 2;
  result.info.settings = {{"max-keys", "5000"}};
  result.seconds = 30;
  result.total = sample_snapshot();
  result.max_rss_bytes = 1 << 20;
  result.busiest_thread = 0.25;
  return result;
}

}  // namespace s3lt
