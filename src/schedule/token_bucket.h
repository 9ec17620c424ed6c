// A rate in tokens a second (here bytes) with a burst it may save up. The clock comes in as an argument;
// not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace s3lt {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst) : rate_(per_second), burst_(burst), tokens_(burst) {}

  // Takes up to `wanted` tokens, none when fewer than `least` are there.
  std::uint64_t take(TimePoint t, std::uint64_t wanted, std::uint64_t least = 1) {
    refill(t);
    if (tokens_ < static_cast<double>(std::min(least, wanted))) return 0;
    const auto granted = std::min<std::uint64_t>(wanted, static_cast<std::uint64_t>(tokens_));
    tokens_ -= static_cast<double>(granted);
    return granted;
  }
  // Gives back what was taken and not used.
  void give_back(std::uint64_t tokens) { tokens_ += static_cast<double>(tokens); }
  // When `wanted` tokens (at most the burst) will be there.
  TimePoint when(TimePoint t, std::uint64_t wanted) {
    refill(t);
    const double missing = std::min(static_cast<double>(wanted), burst_) - tokens_;
    return missing <= 0 ? t : t + std::max<Duration>(seconds(missing / rate_), std::chrono::microseconds(1));
  }

 private:
  void refill(TimePoint t) {
    if (last_ != TimePoint{} && t > last_)
      tokens_ = std::min(burst_, tokens_ + rate_ * to_seconds(t - last_));
    last_ = std::max(last_, t);
  }
  double rate_, burst_, tokens_;
  TimePoint last_{};
};

}  // namespace s3lt
