#include "server/faults.h"

#include <algorithm>

namespace s3lt::server {

FaultPlan::FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed)
    : rules_(std::move(rules)), seed_(seed), counters_(std::make_unique<Counters[]>(rules_.size())) {}

bool FaultPlan::has(FaultKind kind) const {
  return std::ranges::find(rules_, kind, &FaultRule::kind) != rules_.end();
}

Fault FaultPlan::decide(Operation operation) {
  if ((faultable_operations & set_of(operation)) == 0) return {};
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const FaultRule& rule = rules_[i];
    if ((rule.operations & set_of(operation)) == 0) continue;
    Counters& c = counters_[i];
    const std::uint64_t n = c.seen.fetch_add(1, std::memory_order_relaxed) + 1;
    const bool fires =
        rule.every != 0 ? n % rule.every == 0 : Random::stream(seed_, {i, n}).uniform() < rule.probability;
    if (fires) return {&rule, n, c.chosen.fetch_add(1, std::memory_order_relaxed) + 1};
  }
  return {};
}

Random FaultPlan::random(const Fault& fault) const {
  return Random::stream(seed_, {index(fault.rule), fault.request, 1});
}

Duration FaultPlan::time(const Fault& fault) const {
  const FaultRule& rule = *fault.rule;
  if (rule.grow != Duration::zero()) {
    // In floating point: a long row of long steps is more than a Duration holds.
    const double grown =
        to_seconds(rule.time) + to_seconds(rule.grow) * static_cast<double>(fault.ordinal - 1);
    const double most = rule.to == Duration::zero() ? 1e9 : to_seconds(rule.to);
    return seconds(std::min(grown, most));
  }
  if (rule.to == Duration::zero()) return rule.time;
  return rule.time + seconds(to_seconds(rule.to - rule.time) * random(fault).uniform());
}

void FaultPlan::count(const FaultRule* rule, int change) {
  if (rule == nullptr) return;
  counters_[index(rule)].done.fetch_add(static_cast<std::uint64_t>(change), std::memory_order_relaxed);
}

std::vector<FaultPlan::Count> FaultPlan::counts() const {
  std::vector<Count> out;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    out.push_back({rules_[i].spec, name(rules_[i].kind), counters_[i].seen.load(std::memory_order_relaxed),
                   counters_[i].done.load(std::memory_order_relaxed)});
  }
  return out;
}

}  // namespace s3lt::server
