// Everything that a run needs to know, settled before it starts and shared by its threads. Immutable then.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/stream.h"
#include "s3/sigv4.h"
#include "s3/wire_profile.h"
#include "schedule/retry.h"
#include "workload/catalog.h"
#include "workload/content_check.h"
#include "workload/pattern.h"

namespace s3lt {

struct ResolvedEndpoint {
  std::string url;   // as the user knows it
  std::string host;  // for SNI and verification
  std::string host_header;
  bool tls = false;
  std::vector<Address> addresses;  // at least one
};

struct PlannedPattern {
  Pattern pattern;
  std::uint64_t clients = 0;  // of all threads together
};

struct RunPlan {
  std::vector<PlannedPattern> patterns;
  std::vector<ResolvedEndpoint> endpoints;  // where requests go
  std::vector<ResolvedEndpoint> storage;    // where the objects are: `endpoints`, or those behind a proxy
  const WireProfile* profile = nullptr;
  std::shared_ptr<TlsClient> tls;           // where an endpoint is https
  std::shared_ptr<const ContentPool> pool;  // as large as the largest object, or full
  Credentials credentials;
  std::string region, bucket, prefix;  // prefix ends in '/'
  unsigned worker = 0;
  unsigned threads = 1;
  std::uint64_t seed = 0;
  std::optional<Duration> duration;  // until stopped where absent
  Duration warmup{};                 // of that, the part that is not measured: whole seconds
  std::optional<std::uint64_t> operations, bytes;
  Duration grace = std::chrono::seconds(10);
  double time_scale = 1;  // divides the times of schedules, and nothing else
  RetryPolicy retry;
  std::optional<SdkRetryRules> sdk_retries;  // instead of `retry`
  unsigned most_attempts() const { return sdk_retries ? sdk_retries->attempts : retry.retries + 1; }
  Verify verify = Verify::sample;
  ContentMode content;  // of what is written, and what is expected first of what is read
  Duration stall = std::chrono::seconds(300);  // an attempt ends when no byte moved for so long
  Catalog::Limits limits;                      // of each pattern
  // Keys to read that are not of our making, by the pattern that they count as.
  std::map<std::string, GivenKeys, std::less<>> given_keys;
  std::uint64_t prefill = 0;        // objects of each pattern before the clock starts
  std::optional<double> bandwidth;  // bytes a second of each pattern's clients together
  std::optional<std::uint64_t> multipart_size;  // of parts, and of the objects that are cut into them
  std::uint64_t most_connections = 0;           // open at once, idle ones too; 0: no matter how many
};

// When the clients of one of the plan's patterns work: the same on every thread.
Phases phases_of(const RunPlan& plan, const Pattern& pattern);

// How many connections a client of the pattern has busy at most.
std::uint64_t busy_connections(const RunPlan& plan, const Pattern& pattern);

// What a pattern does in a phase: each burst has drawn one of the pattern's burst mixes, the same for all
// clients.
const Mix& mix_in(const RunPlan& plan, const Pattern& pattern, const Phase& phase);

}  // namespace s3lt
