// When the clients of a pattern work: around the clock, in bursts with gaps, with random bursts in each
// window, or once a cycle. Pure values: time comes in as an argument. Thread-safe.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace s3lt {

// As a pattern states it. Schedules begin with the burst.
struct Schedule {
  enum class Kind : std::uint8_t {
    always,
    burst_and_gap,  // `burst` of work, `gap` of silence, and again
    random_bursts,  // calm, but for `least` to `most` bursts of length `burst` in each `window`, anywhere in
                    // it, never overlapping
    cycle,          // one pass every `cycle`; a pass that takes longer is followed by the next at once
  };
  Kind kind = Kind::always;
  Duration burst{}, gap{}, window{}, cycle{};
  unsigned least = 0, most = 0;
  // More bursts in a window than this are no bursts; pattern files are held to it.
  static constexpr unsigned most_bursts = 100;

  // All of its times divided by `time_scale` (> 0).
  Schedule scaled(double time_scale) const;
};

enum class PhaseKind : std::uint8_t { steady, burst, gap, calm };

// A stretch of time in which nothing about the schedule changes.
struct Phase {
  PhaseKind kind = PhaseKind::steady;
  Duration begin{}, end = Duration::max();  // since the start of the load
  std::uint64_t number = 0;                 // of the burst or cycle, from 0: each has its own
};

class Phases {
 public:
  // `seed` fixes the random bursts: the same for all clients of a pattern, on every thread.
  Phases(const Schedule& schedule, std::uint64_t seed) : schedule_(schedule), seed_(seed) {}
  const Schedule& schedule() const { return schedule_; }
  std::uint64_t seed() const { return seed_; }
  // The phase in which `t` (since the start of the load, not negative) lies: begin <= t < end.
  Phase at(Duration t) const;

 private:
  Schedule schedule_;
  std::uint64_t seed_;
};

}  // namespace s3lt
