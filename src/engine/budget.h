// How much work a run is allowed (--operations, --bytes), shared by its threads. Thread-safe; a thread takes
// operations in batches, so that the shared counter stays off the path of a request.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>

namespace s3lt {

class Budget {
 public:
  Budget(std::optional<std::uint64_t> operations, std::optional<std::uint64_t> bytes, unsigned threads)
      : limits_operations_(operations.has_value()),
        limits_bytes_(bytes.has_value()),
        threads_(threads),
        operations_(operations.value_or(0)),
        bytes_(static_cast<std::int64_t>(std::min<std::uint64_t>(bytes.value_or(0), INT64_MAX))) {}

  bool limits_operations() const { return limits_operations_; }
  bool limits_bytes() const { return limits_bytes_; }

  // Up to 64 operations for one thread, fewer towards the end so that all threads end together; 0: none left.
  std::uint64_t take_operations() {
    std::uint64_t left = operations_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint64_t batch = std::min(left, std::clamp<std::uint64_t>(left / (threads_ * 4), 1, 64));
      if (batch == 0) return 0;
      if (operations_.compare_exchange_weak(left, left - batch, std::memory_order_relaxed)) return batch;
    }
  }
  bool operations_left() const {
    return !limits_operations_ || operations_.load(std::memory_order_relaxed) > 0;
  }
  void give_back_operations(std::uint64_t n) { operations_.fetch_add(n, std::memory_order_relaxed); }

  void spend_bytes(std::uint64_t n) {
    bytes_.fetch_sub(static_cast<std::int64_t>(n), std::memory_order_relaxed);
  }
  bool bytes_left() const { return !limits_bytes_ || bytes_.load(std::memory_order_relaxed) > 0; }

 private:
  const bool limits_operations_, limits_bytes_;
  const unsigned threads_;
  std::atomic<std::uint64_t> operations_;
  std::atomic<std::int64_t> bytes_;
};

}  // namespace s3lt
