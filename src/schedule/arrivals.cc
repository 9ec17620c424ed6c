#include "schedule/arrivals.h"

#include <algorithm>
#include <cmath>

namespace s3lt {
namespace {

double area(const RateCourse::Stretch& stretch) {
  return (stretch.from + stretch.to) / 2 * to_seconds(stretch.length);
}

// How far into a stretch so many operations are due. Of the two roots of the parabola, the one that stays
// exact where the rate hardly changes.
double seconds_into(const RateCourse::Stretch& stretch, double operations) {
  const double length = to_seconds(stretch.length);
  const double discriminant =
      stretch.from * stretch.from + 2 * (stretch.to - stretch.from) * operations / length;
  return 2 * operations / (stretch.from + std::sqrt(std::max(0.0, discriminant)));
}

std::uint64_t clients_of(const Arrivals::Share& share) {
  return share.clients / share.threads + (share.thread < share.clients % share.threads ? 1 : 0);
}

}  // namespace

RateCourse RateCourse::scaled(double time_scale) const {
  RateCourse out = *this;
  for (Stretch& stretch : out.stretches) stretch.length = seconds(to_seconds(stretch.length) / time_scale);
  return out;
}

bool RateCourse::is_flat() const {
  return std::ranges::all_of(stretches, [&](const Stretch& s) {
    return s.from == stretches.front().from && s.to == stretches.front().from;
  });
}

double RateCourse::at(Duration t) const {
  for (const Stretch& stretch : stretches) {
    if (t < stretch.length)
      return stretch.from + (stretch.to - stretch.from) * to_seconds(t) / to_seconds(stretch.length);
    t -= stretch.length;
  }
  return stretches.back().to;
}

double RateCourse::due(Duration t) const {
  double operations = 0;
  for (const Stretch& stretch : stretches) {
    if (t < stretch.length) {
      const double slope = (stretch.to - stretch.from) / to_seconds(stretch.length);
      return operations + stretch.from * to_seconds(t) + slope * to_seconds(t) * to_seconds(t) / 2;
    }
    operations += area(stretch);
    t -= stretch.length;
  }
  return operations + stretches.back().to * to_seconds(t);
}

Duration RateCourse::when(double operations) const {
  Duration begin{};
  for (const Stretch& stretch : stretches) {
    const double in_it = area(stretch);
    if (operations < in_it) return begin + seconds(seconds_into(stretch, operations));
    operations -= in_it;
    begin += stretch.length;
  }
  // Longer than a century is never.
  constexpr double never = 3e9;
  const double rate = stretches.back().to;
  if (rate <= 0 || operations / rate > never) return Duration::max();
  return begin + seconds(operations / rate);
}

Arrivals::Arrivals(RateCourse course, ArrivalKind kind, Share share, Phases phases, Random random)
    : course_(std::move(course)),
      kind_(kind),
      share_(share),
      phases_(phases),
      part_(static_cast<double>(clients_of(share)) / static_cast<double>(share.clients)),
      random_(random),
      phase_(phases.at(Duration::zero())) {
  if (part_ <= 0) {
    next_ = Duration::max();
    return;
  }
  if (kind_ == ArrivalKind::constant && is_mine(0)) {
    next_ = course_.when(0);
    number_ = 1;
  } else {
    step();
  }
  if (phase_.kind == PhaseKind::gap) advance();  // schedules begin with the burst: not met yet
}

void Arrivals::step() {
  if (kind_ == ArrivalKind::poisson) {
    position_ += -std::log1p(-random_.uniform()) / part_;
    next_ = course_.when(position_);
    return;
  }
  while (!is_mine(number_)) ++number_;
  next_ = course_.when(static_cast<double>(number_++));
}

void Arrivals::advance() {
  if (next_ == Duration::max()) return;
  for (;;) {
    step();
    if (next_ < phase_.end || next_ == Duration::max()) return;
    phase_ = phases_.at(next_);
    if (phase_.kind != PhaseKind::gap) return;
    // Nothing is meant to begin in a gap: on with the first one behind it.
    if (phase_.end == Duration::max()) {
      next_ = Duration::max();
      return;
    }
    const double due = course_.due(phase_.end);
    position_ = due;
    number_ = static_cast<std::uint64_t>(std::ceil(due));
  }
}

void OpenLoop::admit(Duration t) {
  for (; arrivals_.next() <= t && arrivals_.next() < end_; arrivals_.advance()) {
    ++intended_;
    if (waiting_.size() < most_waiting_) {
      waiting_.push_back(arrivals_.next());
    } else {
      ++not_sent_;
    }
  }
}

Duration OpenLoop::take(Duration t) {
  admit(t);
  if (!waiting_.empty()) {
    const Duration first = waiting_.front();
    waiting_.pop_front();
    return first;
  }
  const Duration to_come = arrivals_.next();
  if (to_come >= end_) return Duration::max();
  arrivals_.advance();
  return to_come;
}

void OpenLoop::stop(Duration t) {
  admit(t);
  end_ = std::min(end_, t);
}

void OpenLoop::cut() {
  not_sent_ += waiting_.size();
  waiting_.clear();
}

void OpenLoop::abandon() {
  end_ = Duration::zero();
  intended_ -= waiting_.size();
  waiting_.clear();
}

}  // namespace s3lt
