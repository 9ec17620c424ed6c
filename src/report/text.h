// Figures as lines and tables for people. Pure functions of snapshots, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "measure/snapshot.h"
#include "results/run_record.h"

namespace s3lt {

// The body of a STATS line, "STATS: ops=1,234 (41.1/s), bytes=1.2GB (40.0MB/s), errors=0, elapsed=30s |
// GET p50=2ms p95=15ms p99=40ms | PUT p50=…": totals since the start of one pattern.
std::string stats_line(const Snapshot& total, std::string_view pattern, Duration elapsed);
// "FINAL: ops=1,234 (41.1/s), bytes=1.2GB, errors=0, worker_failures=0, elapsed=1m | GET …".
std::string final_line(const Snapshot& total, std::string_view pattern, Duration elapsed,
                       unsigned worker_failures = 0);

// The summary table; ends in one plain sentence (what the storage did, what stood out, whether the
// client can be trusted). `width` in columns, `colour` with ANSI escapes.
struct TextStyle {
  unsigned width = 100;
  bool colour = false;
};
std::string summary_text(const RunResult& result, const TextStyle& style);

// The live line of one pattern: elapsed of duration, rate, bytes a second, percentiles, errors. At most
// `width` columns, no line end. `recent` is the last second.
struct PatternProgress {
  std::string_view pattern;
  std::string_view phase;  // what its schedule is at: "burst, 2m left"; empty: around the clock
  // Columns of the name and the phase, so that the lines of several patterns stand in step.
  std::size_t pattern_width = 0, phase_width = 0;
  Duration elapsed{}, duration{};  // duration 0: until stopped
  const Snapshot* total = nullptr;
  const Snapshot* recent = nullptr;
};
std::string progress_line(const PatternProgress& progress, const TextStyle& style);

}  // namespace s3lt
