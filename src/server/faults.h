// Which requests meet which faults, decided by a seed, and how many of each were done. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "server/fault_rules.h"

namespace s3lt::server {

// What was decided for one request, before it is handled. Without a rule: nothing.
struct Fault {
  const FaultRule* rule = nullptr;
  std::uint64_t request = 0;  // the rule saw so many requests, this one included
  std::uint64_t ordinal = 0;  // and chose so many of them

  explicit operator bool() const { return rule != nullptr; }
  bool is(FaultKind kind) const { return rule != nullptr && rule->kind == kind; }
};

class FaultPlan {
 public:
  FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed);

  const std::vector<FaultRule>& rules() const { return rules_; }
  bool has(FaultKind kind) const;

  // The first rule that fires. The n-th request that a rule sees is decided by seed, rule and n alone.
  Fault decide(Operation operation);
  // The fault's own random numbers; they too follow from seed, rule and n alone.
  Random random(const Fault& fault) const;
  // How long a delay or a silence is.
  Duration time(const Fault& fault) const;

  // Counts it, or takes it back where the answer did not go out whole after all.
  void count(const FaultRule* rule, int change = 1);

  struct Count {
    std::string spec;
    std::string_view kind;
    std::uint64_t seen = 0, done = 0;
  };
  std::vector<Count> counts() const;

 private:
  struct Counters {
    std::atomic<std::uint64_t> seen{0}, chosen{0}, done{0};
  };
  std::size_t index(const FaultRule* rule) const { return static_cast<std::size_t>(rule - rules_.data()); }
  std::vector<FaultRule> rules_;
  std::uint64_t seed_;
  std::unique_ptr<Counters[]> counters_;
};

}  // namespace s3lt::server
