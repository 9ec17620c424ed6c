// Faults that the server does on purpose, decided by a seed and counted when they were done. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "server/request.h"

namespace s3lt::server {

enum class FaultKind : std::uint8_t {
  status,  // answered with this status and its S3 error; nothing is done
  delay,   // done as asked, but later
  reset,   // the connection is reset before a byte of answer; nothing is done
};

// "GET:status=503:p=0.01", "PUT:delay=200ms:every=100", "*:reset:p=0.001".
struct FaultRule {
  std::string spec;                    // as given
  std::optional<Operation> operation;  // none: every operation that clients count
  FaultKind kind = FaultKind::status;
  int status = 0;
  Duration delay{};
  double probability = 1;
  std::uint64_t every = 0;  // not 0: each request of that number, instead of the probability
};
Result<FaultRule> parse_fault(std::string_view spec);

// What was decided for one request, before it is handled. Null: nothing.
using FaultDecision = const FaultRule*;

class FaultPlan {
 public:
  FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed);

  // The first rule that fires. The n-th request that a rule sees is decided by seed, rule and n alone.
  FaultDecision decide(Operation operation);
  // Counts it, or takes it back where the answer did not go out whole after all.
  void count(FaultDecision decision, int change = 1);

  struct Count {
    std::string spec;
    std::string_view kind;
    std::uint64_t seen = 0, done = 0;
  };
  std::vector<Count> counts() const;

 private:
  struct Counters {
    std::atomic<std::uint64_t> seen{0}, done{0};
  };
  std::vector<FaultRule> rules_;
  std::uint64_t seed_;
  std::unique_ptr<Counters[]> counters_;
};

}  // namespace s3lt::server
