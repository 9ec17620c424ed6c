#include "server/freezer.h"

#include <algorithm>

namespace s3lt::server {

Freezer::Freezer(std::vector<Loop*> loops, FaultPlan& faults) : loops_(std::move(loops)), faults_(faults) {
  if (faults.has(FaultKind::freeze)) thread_ = std::thread([this] { run(); });
}

void Freezer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Freezer::run() {
  struct Due {
    TimePoint at;
    const FaultRule* rule;
  };
  std::vector<Due> due;
  for (const FaultRule& rule : faults_.rules()) {
    if (rule.kind == FaultKind::freeze) due.push_back({now() + rule.after, &rule});
  }
  while (!due.empty()) {
    const auto next = std::ranges::min_element(due, {}, &Due::at);
    {
      std::unique_lock lock(mutex_);
      if (changed_.wait_until(lock, next->at, [this] { return stopping_; })) return;
    }
    freeze(*next->rule);
    if (next->rule->period == Duration::zero()) {
      due.erase(next);
    } else {
      next->at += next->rule->period;
    }
  }
}

void Freezer::freeze(const FaultRule& rule) {
  const TimePoint end = now() + rule.time;
  std::unique_lock lock(mutex_);
  const std::uint64_t number = ++frozen_;
  for (Loop* loop : loops_) loop->post([this, number] { stand_still(number); });
  if (changed_.wait_until(lock, end, [this] { return stopping_; })) return;
  thawed_ = number;
  faults_.count(&rule);
  changed_.notify_all();
}

// In a loop's own thread.
void Freezer::stand_still(std::uint64_t number) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, number] { return stopping_ || thawed_ >= number; });
}

}  // namespace s3lt::server
