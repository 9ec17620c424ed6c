// When a client begins its operations: schedule, pace, added delay, waiting for keys.
#include <algorithm>

#include "engine/client.h"

namespace s3lt {
namespace {

constexpr Duration first_key_wait = std::chrono::milliseconds(20), most_key_wait = std::chrono::seconds(1);

}  // namespace

void Client::enter_phase(TimePoint t) {
  phase_ = share_.phases.at(std::max(t - thread_.t0(), Duration::zero()));
  phase_end_ = phase_.end == Duration::max() ? TimePoint::max() : thread_.t0() + phase_.end;
  mix_ = &share_.mix_of(phase_);
  if (share_.pattern.pace > 0 && phase_.kind != PhaseKind::burst) {
    // Clients do not start in step.
    next_start_ = t + seconds(choices_.uniform() / share_.pattern.pace);
  }
}

// Whether the client begins nothing more. What was meant to begin before the load was stopped goes on in the
// grace.
bool Client::is_over() const {
  if (thread_.cut() || thread_.is_spent()) return true;
  return thread_.stopping() && !(share_.open_loop && share_.open_loop->waiting() > 0);
}

// Takes on the next intended start of the open loop and waits for it. False: the thread is stopping.
Task<bool> Client::await_intended_start() {
  if (is_over()) co_return false;
  const Duration t = now() - thread_.t0(), start = share_.open_loop->take(t);
  intended_ = start == Duration::max() ? TimePoint::max() : thread_.t0() + start;
  while (now() < intended_) {
    co_await pause(intended_);
    if (thread_.stopping() || thread_.is_spent()) co_return false;
  }
  if (start > t) share_.open_loop->came();
  if (mix_ == nullptr || now() >= phase_end_) enter_phase(now());
  co_return true;
}

// Waits until the client may begin an operation. False: the thread is stopping.
Task<bool> Client::await_turn() {
  if (share_.open_loop) {
    const bool begins = co_await await_intended_start();
    co_return begins;
  }
  const Pattern& pattern = share_.pattern;
  for (;;) {
    if (thread_.stopping() || thread_.is_spent()) co_return false;
    const bool timed = phase_end_ != TimePoint::max() || pattern.pace > 0;
    const TimePoint t = timed ? now() : TimePoint{};
    if (mix_ == nullptr || t >= phase_end_) enter_phase(now());
    const bool waits_for_cycle = pass_done_in_ && *pass_done_in_ == phase_.number;
    if (phase_.kind == PhaseKind::gap || waits_for_cycle) {
      co_await pause(phase_end_);
      continue;
    }
    if (pattern.pace <= 0 || phase_.kind == PhaseKind::burst) break;
    if (next_start_ > t) {
      co_await pause(std::min(next_start_, phase_end_));
      continue;
    }
    // One that is late starts at once, but does not make up for what it missed.
    next_start_ = std::max(next_start_ + seconds(1 / pattern.pace), t);
    break;
  }
  if (pattern.most_delay > Duration::zero()) {
    const double drawn = choices_.uniform();
    co_await pause(now() + pattern.least_delay +
                   seconds(drawn * to_seconds(pattern.most_delay - pattern.least_delay)));
  }
  co_return !thread_.stopping();
}

// Nothing to read: until somebody has written, look now and then.
Task<void> Client::await_keys() {
  key_wait_ = std::clamp(key_wait_ * 2, first_key_wait, most_key_wait);
  ++share_.keys.waiting;
  co_await pause(now() + key_wait_);
  --share_.keys.waiting;
}

Task<void> Client::pause(TimePoint until) {
  if (is_over()) co_return;
  pausing_ = true;
  co_await timer_.until(until);
  pausing_ = false;
}

void Client::hold_writes() {
  writes_held_until_ = now() + write_backoff_.failed(filling_.uniform());
}

// While writes are held, reads go on: a write gives way to the next read that is drawn, or waits where none
// is. False: the phase or the run ended meanwhile.
Task<bool> Client::make_way(Step& step) {
  constexpr unsigned most_passed = 100;  // of a pattern with one read in ten, next to none waits
  unsigned passed = 0;
  while (step.kind == OperationKind::put && writes_held_until_ != TimePoint{}) {
    const TimePoint t = now();
    if (t >= writes_held_until_) {
      writes_held_until_ = {};
      if (share_.space.catalog.has_excess()) co_await trim();  // may hold them again
    } else if (passed++ < most_passed) {
      if (auto other = next()) step = std::move(*other);
    } else {
      co_await pause(std::min(writes_held_until_, phase_end_));
      if (is_over() || now() >= phase_end_) co_return false;
    }
  }
  co_return true;
}

void Client::wake() {
  if (pausing_) timer_.cancel();
}

}  // namespace s3lt
