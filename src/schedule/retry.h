// When to try again. Pure values; randomness and attempts come in as arguments. Thread-safe.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace s3lt {

// Exponential backoff with jitter: 0.1 s, 0.2 s, … to at most 30 s, each lengthened by up to 30%.
struct RetryPolicy {
  unsigned retries = 5;  // beyond the first attempt
  double first_seconds = 0.1, most_seconds = 30, jitter = 0.3;

  // Before retry number `retry` (from 0); `random` in [0, 1).
  Duration delay(unsigned retry, double random) const {
    const double plain = std::min(first_seconds * std::exp2(std::min(retry, 40u)), most_seconds);
    return seconds(std::min(plain * (1 + jitter * random), most_seconds));
  }
};

// How long to stay away from what failed, a connect or a write to a full storage: 0.1 s, doubling to 5 s,
// until it succeeds.
class Backoff {
 public:
  // `random` in [0, 1) shortens the wait by up to 30%, so that clients that failed together do not come back
  // together.
  Duration failed(double random = 0) {
    const Duration wait = seconds(to_seconds(next_) * (1 - jitter * random));
    next_ = std::min<Duration>(next_ * 2, std::chrono::seconds(5));
    return wait;
  }
  void succeeded() { next_ = first; }

 private:
  static constexpr Duration first = std::chrono::milliseconds(100);
  static constexpr double jitter = 0.3;
  Duration next_ = first;
};

}  // namespace s3lt
