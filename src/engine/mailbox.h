// Where the load threads leave their snapshots for the run's own thread, once a second. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "measure/snapshot.h"

namespace s3lt {

struct Delivery {
  unsigned thread = 0;
  std::uint64_t second = 0;  // of the load, from 0
  Snapshot snapshot;
  bool last = false;  // the thread's clients have all ended
};

class Mailbox {
 public:
  void put(Delivery delivery) {
    const std::lock_guard lock(mutex_);
    deliveries_.push_back(std::move(delivery));
    arrived_.notify_one();
  }
  // What has come, waiting until `until` for the first.
  std::vector<Delivery> take(TimePoint until) {
    std::unique_lock lock(mutex_);
    arrived_.wait_until(lock, until, [&] { return !deliveries_.empty(); });
    return std::exchange(deliveries_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Delivery> deliveries_;
};

}  // namespace s3lt
