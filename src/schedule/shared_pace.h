// One speed that several transfers share: each piece is due when all pieces before it, of whichever transfer, have
// had their time. The clock comes in as an argument. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace s3lt {

class SharedPace {
 public:
  explicit SharedPace(double bytes_per_second) : speed_(bytes_per_second) {}

  // When a piece of so many bytes that is asked for now may move.
  TimePoint take(std::uint64_t bytes, TimePoint t) {
    next_ = std::max(next_, t - most_late) + time_of(bytes);
    return next_;
  }
  // Some of what was taken last did not move.
  void give_back(std::uint64_t bytes) { next_ -= time_of(bytes); }

 private:
  // What comes so much late is made up for; longer pauses are nobody's time.
  static constexpr Duration most_late = std::chrono::milliseconds(50);
  Duration time_of(std::uint64_t bytes) const { return seconds(static_cast<double>(bytes) / speed_); }
  double speed_;
  TimePoint next_{};
};

}  // namespace s3lt
