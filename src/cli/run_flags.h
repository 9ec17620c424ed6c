// The flags of `run` (README, "Flags of run"). Plain values; what was not given is empty or its default.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "results/slo.h"
#include "s3/wire_profile.h"
#include "workload/content_check.h"
#include "workload/pattern.h"

namespace CLI {
class App;
}

namespace s3lt {

// Flags of every command that talks to a storage.
struct CommonFlags {
  std::string env_file;
  std::vector<std::string> endpoints;
  std::string bucket;
};

// --retries: tries after the first of a failed operation, or as the backend's SDK has them.
struct Retries {
  std::uint64_t most = 5;
  bool as_sdk = false;
};

struct RunFlags {
  CommonFlags common;
  std::string pattern;  // a built-in name, "all", or a file
  std::optional<Duration> duration;
  Duration warmup{};
  std::optional<std::uint64_t> operations, bytes;
  std::optional<std::uint64_t> concurrency;                  // of every pattern
  std::map<std::string, std::uint64_t> pattern_concurrency;  // NAME=N
  std::vector<SizeClass> sizes;                              // empty: the pattern's own
  std::optional<double> bandwidth;                           // bytes a second
  std::optional<std::uint64_t> multipart_size;               // of parts, and from which objects have them
  // Operations a second; `to` behind --duration, where it is a ramp.
  struct Rate {
    double from = 0, to = 0;
  };
  std::optional<Rate> rate;                   // of every pattern that can have one
  std::map<std::string, Rate> pattern_rates;  // NAME=RATE
  std::optional<ArrivalKind> arrival;
  std::optional<std::uint64_t> max_backlog;
  std::uint64_t prefill = 0;
  std::optional<std::string> existing;  // a prefix of keys, of any kind
  std::uint64_t max_keys = 5000, max_bytes = std::uint64_t(20) << 30;
  std::optional<std::uint64_t> threads;
  std::uint64_t worker_id = 0;
  std::string prefix = "loadtest/";
  bool create_bucket = false;
  bool yes = false;                                    // deletes under a prefix that no run recorded
  Duration stats_interval = std::chrono::seconds(30);  // 0: off
  std::optional<LogLevel> log_level;
  std::optional<std::uint64_t> seed;
  double time_scale = 1;
  Retries retries;
  Verify verify = Verify::sample;
  ContentMode content;
  std::optional<Payload> payload;  // none: the backend's own
  Duration grace = std::chrono::seconds(10);
  std::vector<Slo> slos;
  bool slo_abort = false;  // end the run when one of them is hopeless
  std::string backend;
  std::string out;
  bool json = false;
  // Of backend proxy.
  bool no_proxy = false;             // use what runs there
  bool force_restart_proxy = false;  // end ours, if it runs, and start it anew
  bool force = false;                // though s3pool may need more memory than there is
};

// A prefix of keys: not empty, and ending in '/', so that worker 1 never means worker 10.
Result<std::string> parse_prefix(const std::string& text);

void add_common_flags(CLI::App& app, CommonFlags& flags);
void add_run_flags(CLI::App& app, RunFlags& flags);

// What was asked for, as name and text, for run.json.
std::vector<std::pair<std::string, std::string>> describe(const RunFlags& flags);

}  // namespace s3lt
