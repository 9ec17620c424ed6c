// A rate in tokens a second (here bytes), with a burst that it may save up and debts that it remembers. The
// clock comes in as an argument; not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace s3lt {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst) : rate_(per_second), burst_(burst), tokens_(burst) {}

  // What was moved; may go into debt, which the next mover waits out.
  void spend(std::uint64_t tokens) { tokens_ -= static_cast<double>(tokens); }
  // From when on more may move: not after `t` where there is no debt.
  TimePoint ready_at(TimePoint t) {
    if (last_ != TimePoint{} && t > last_)
      tokens_ = std::min(burst_, tokens_ + rate_ * to_seconds(t - last_));
    last_ = std::max(last_, t);
    return tokens_ > 0 ? t : t + std::max<Duration>(seconds(-tokens_ / rate_), std::chrono::microseconds(1));
  }

 private:
  double rate_, burst_, tokens_;
  TimePoint last_{};
};

}  // namespace s3lt
