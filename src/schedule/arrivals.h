// When the operations of an open loop are meant to begin: laid down in advance by a rate, whatever the
// storage and the clients do, so that one that begins late shows by how much. Pure: the clock comes in as an
// argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "schedule/phases.h"

namespace s3lt {

// A second: each intended start is looked at, also where it is not sent, and that takes its time.
inline constexpr std::uint64_t most_arrival_rate = 10'000'000;

// Operations a second over the time since the start of the load. A value; thread-safe.
struct RateCourse {
  struct Stretch {
    double from = 0, to = 0;  // operations a second, at its begin and at its end; linear between
    Duration length{};
  };
  std::vector<Stretch> stretches;  // behind the last one its `to` goes on

  static RateCourse constant(double rate) { return {{{rate, rate, Duration::zero()}}}; }
  // All of its times divided by `time_scale` (> 0); rates stay.
  RateCourse scaled(double time_scale) const;

  // Whether it is one rate from beginning to end.
  bool is_flat() const;
  double at(Duration t) const;
  // Operations that are due before `t`.
  double due(Duration t) const;
  // When so many are due; Duration::max() where that never comes.
  Duration when(double operations) const;
};

enum class ArrivalKind : std::uint8_t {
  constant,  // as evenly as the rate says
  poisson,   // independent of each other: exponential times between them
};

// The intended starts of one thread's clients, one after another. Those of all threads together make the
// whole course: with `constant` each intended start belongs to one client's number, and so to its thread.
class Arrivals {
 public:
  // The clients of the pattern, and which of them are this thread's: every `threads`-th, from `thread` on.
  struct Share {
    std::uint64_t clients = 1;
    unsigned threads = 1, thread = 0;
  };
  // No start is intended in the gaps of `phases`.
  Arrivals(RateCourse course, ArrivalKind kind, Share share, Phases phases, Random random);

  // The next one, since the start of the load; Duration::max() where none comes. Never before the last one.
  Duration next() const { return next_; }
  void advance();

 private:
  bool is_mine(std::uint64_t number) const {
    return number % share_.clients % share_.threads == share_.thread;
  }
  void step();

  const RateCourse course_;
  const ArrivalKind kind_;
  const Share share_;
  const Phases phases_;
  const double part_;  // of the rate that is this thread's
  Random random_;
  double position_ = 0;       // poisson: operations due of all threads
  std::uint64_t number_ = 0;  // constant: of the next candidate
  Phase phase_;
  Duration next_{};
};

// Intended starts that no client was free for wait in their order, up to a number of them: those beyond are
// not sent, and counted. One belongs to one thread.
class OpenLoop {
 public:
  // None is meant to begin at `end` or later.
  OpenLoop(Arrivals arrivals, std::uint64_t most_waiting, Duration end = Duration::max())
      : arrivals_(std::move(arrivals)), most_waiting_(most_waiting), end_(end) {}

  // Brings in what was meant to begin up to `t`. Called with times that do not go back.
  void admit(Duration t);
  // For a client that is free at `t`: the start that it takes on. One that is to come (after `t`) counts as
  // intended as soon as the client calls came(). Duration::max(): none comes.
  Duration take(Duration t);
  void came() { ++intended_; }
  // One that was taken on, and cannot be done.
  void drop() { ++not_sent_; }
  // One that was taken on and had come, but was not meant to begin.
  void give_back() { --intended_; }
  // Nothing is meant to begin after `t`; what waits may still be taken on.
  void stop(Duration t);
  // What waits is not sent.
  void cut();
  // The load has done all that it was to do: what waits was not meant to begin.
  void abandon();

  std::uint64_t intended() const { return intended_; }  // up to the last admit(), and those that came
  std::uint64_t waiting() const { return waiting_.size(); }
  std::uint64_t not_sent() const { return not_sent_; }

 private:
  Arrivals arrivals_;
  const std::uint64_t most_waiting_;
  Duration end_;
  std::deque<Duration> waiting_;
  std::uint64_t intended_ = 0, not_sent_ = 0;
};

}  // namespace s3lt
