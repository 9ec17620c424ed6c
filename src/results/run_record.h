// What is known of a run before and after it: the contents of run.json and summary.json.
// Plain data; docs/formats.md describes the files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "measure/snapshot.h"
#include "results/certainty.h"
#include "results/silence.h"
#include "results/slo.h"

namespace s3lt {

// When the clients of a pattern worked: what schedule/phases.h needs to tell its bursts again. Times as they
// were, after the time scale; those that the kind does not have are 0.
struct ScheduleRecord {
  std::string pattern;
  std::string kind;  // always | burst_and_gap | random_bursts | cycle
  double burst_seconds = 0, gap_seconds = 0, window_seconds = 0, cycle_seconds = 0;
  unsigned least_bursts = 0, most_bursts = 0;
  std::uint64_t seed = 0;
};

// The run as its settings and its host make it; no secrets.
struct RunInfo {
  std::string id;  // <YYYYMMDDTHHMMSSZ>-<pattern>-W<worker>-<4 hex>
  std::string version;
  WallTime started{};
  std::string pattern;                    // as asked for: "baseload", "all", a file's name
  std::vector<std::string> patterns;      // those that it runs, in their order
  std::vector<ScheduleRecord> schedules;  // of `patterns`
  std::vector<std::string> definitions;  // of `patterns`, as JSON: what their files say (Pattern::definition)
  unsigned worker = 0;
  std::string backend;
  std::vector<std::string> endpoints;
  std::string bucket, prefix, region;
  bool writes = false;  // one of its patterns does, or seeds what it reads
  bool tls_verify = false;
  std::uint64_t seed = 0;
  double time_scale = 1;
  unsigned threads = 0;
  std::uint64_t clients = 0;
  double duration_seconds = 0;                                // 0: until stopped
  double warmup_seconds = 0;                                  // of that
  std::vector<std::pair<std::string, std::string>> settings;  // the rest, as name and text
};

// The s3pool that the load went through, with backend proxy.
struct ProxyRecord {
  std::string address, log;  // log: empty where it is not ours to keep
  bool ours = true;          // started by a run of ours; else --no-proxy
  bool shared = false;       // other runs used it at some time of what was measured: its figures are of all
  bool observed = false;     // its process is of this machine, and could be looked at
  std::uint64_t deaths = 0, starts = 0;  // while the run went on; `starts` after a death
  double down_seconds = 0;
  double stopped_seconds = 0;                 // in which it was there, and stopped (SIGSTOP, a debugger)
  std::int64_t stopped_pid = 0;               // of the process that was, the last of several
  std::vector<std::string> how_it_died = {};  // "was ended by signal 9": each different one
  double cpu_seconds = 0;                     // of what was measured
  double max_rss_bytes = 0;
  std::uint64_t own_answers = 0;  // attempts that it answered by itself (502, 503 as text), not the storage
  std::vector<std::string> gave_up = {};  // endpoints that it took for unhealthy
  bool gave_up_all = false;               // at one time
};

// The end of a run.
struct RunResult {
  RunInfo info;
  double seconds = 0;        // measured length, warm-up and grace excluded
  bool interrupted = false;  // ended by a signal before its time
  Snapshot total;
  double max_rss_bytes = 0;
  double busiest_thread = 0;           // share of one core that the busiest thread used, 0 to 1
  std::string bottleneck = "unknown";  // storage | client-cpu | client-network | unknown
  std::string why;                     // the verdict's reason, one sentence
  bool passed = true;
  std::vector<SloResult> slos;
  std::string ended_early;  // by --slo-abort: why, a sentence without its end
  Certainty certainty;
  std::optional<ProxyRecord> proxy;
  SilentEndpoints silent;          // where clients waited for an answer until the end
  std::vector<std::string> notes;  // what stands out, sentences without their end (results/notes.h)

  // Also where nothing is known of it: of a run that did not end.
  bool through_s3pool() const { return proxy || info.backend == "proxy"; }
};

}  // namespace s3lt
