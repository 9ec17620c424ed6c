// Lets the whole server stand still for a while, as its freeze rules say: every thread stops where it is,
// and goes on as if nothing had been. Has a thread of its own where there is such a rule.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "net/loop.h"
#include "server/faults.h"

namespace s3lt::server {

class Freezer {
 public:
  // The loops and the plan outlive it.
  Freezer(std::vector<Loop*> loops, FaultPlan& faults);
  ~Freezer() { stop(); }
  // Thaws what is frozen, and freezes nothing any more. A freeze that is cut short is not counted.
  void stop();

 private:
  void run();
  void freeze(const FaultRule& rule);
  void stand_still(std::uint64_t number);

  std::vector<Loop*> loops_;
  FaultPlan& faults_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::uint64_t frozen_ = 0, thawed_ = 0;  // freezes begun and ended
  std::thread thread_;
};

}  // namespace s3lt::server
