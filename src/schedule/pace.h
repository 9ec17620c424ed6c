// A transfer at a fixed speed: byte k is due at start + k / speed, and never moves before. The clock comes in
// as an argument. A value; not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace s3lt {

class Pace {
 public:
  Pace(double bytes_per_second, TimePoint start) : speed_(bytes_per_second), start_(start) {}

  // How many bytes may have moved by `t`.
  std::uint64_t allowed(TimePoint t) const {
    return t <= start_ ? 0 : static_cast<std::uint64_t>(to_seconds(t - start_) * speed_);
  }
  // When so many bytes may have moved.
  TimePoint when(std::uint64_t bytes) const { return start_ + seconds(static_cast<double>(bytes) / speed_); }
  // What moves at once: an eighth of a second's worth, so that ten thousand transfers wake a core seldom
  // enough, and a receiver sees a stream.
  std::uint64_t piece() const {
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(speed_ / 8), 1, 16 * 1024);
  }

 private:
  double speed_;
  TimePoint start_;
};

}  // namespace s3lt
