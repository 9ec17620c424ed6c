#include "schedule/phases.h"

#include <algorithm>
#include <array>

#include "base/random.h"

namespace s3lt {
namespace {

constexpr unsigned most_bursts = Schedule::most_bursts;

Phase burst_or_gap(const Schedule& schedule, Duration t) {
  const Duration whole = schedule.burst + schedule.gap;
  const auto number = static_cast<std::uint64_t>(t / whole);
  const Duration begin = whole * static_cast<Duration::rep>(number);
  const Duration end_of_burst = begin + schedule.burst;
  if (t < end_of_burst) return {PhaseKind::burst, begin, end_of_burst, number};
  return {PhaseKind::gap, end_of_burst, begin + whole, number};
}

// The bursts of a window are drawn as points in the time that they leave free, and moved apart by the lengths
// of those before them: every arrangement without overlap is equally likely.
Phase burst_or_calm(const Schedule& schedule, std::uint64_t seed, Duration t) {
  const auto window = static_cast<std::uint64_t>(t / schedule.window);
  const Duration begin = schedule.window * static_cast<Duration::rep>(window);
  Random random = Random::stream(seed, {window});
  const auto bursts = std::min(
      most_bursts, schedule.least + static_cast<unsigned>(random.below(schedule.most - schedule.least + 1)));
  const Duration free = schedule.window - schedule.burst * static_cast<Duration::rep>(bursts);
  std::array<Duration, most_bursts> starts{};
  for (unsigned i = 0; i < bursts; ++i) {
    starts[i] = Duration(static_cast<Duration::rep>(random.uniform() * static_cast<double>(free.count())));
  }
  std::sort(starts.begin(), starts.begin() + bursts);
  Duration calm_from = begin;
  for (unsigned i = 0; i < bursts; ++i) {
    const Duration from = begin + starts[i] + schedule.burst * static_cast<Duration::rep>(i);
    const std::uint64_t number = window * most_bursts + i;
    if (t < from) return {PhaseKind::calm, calm_from, from, number};
    calm_from = from + schedule.burst;
    if (t < calm_from) return {PhaseKind::burst, from, calm_from, number};
  }
  return {PhaseKind::calm, calm_from, begin + schedule.window, window * most_bursts + bursts};
}

}  // namespace

Schedule Schedule::scaled(double time_scale) const {
  const auto scale = [&](Duration d) {
    if (d == Duration::zero()) return d;
    return std::max(Duration(1),
                    Duration(static_cast<Duration::rep>(static_cast<double>(d.count()) / time_scale)));
  };
  Schedule out = *this;
  out.burst = scale(burst);
  out.gap = scale(gap);
  out.cycle = scale(cycle);
  // A window stays long enough for its bursts, whatever the rounding.
  out.window = std::max(scale(window), out.burst * static_cast<Duration::rep>(most));
  return out;
}

Phase Phases::at(Duration t) const {
  switch (schedule_.kind) {
    case Schedule::Kind::burst_and_gap:
      return burst_or_gap(schedule_, t);
    case Schedule::Kind::random_bursts:
      return burst_or_calm(schedule_, seed_, t);
    case Schedule::Kind::cycle: {
      const auto number = static_cast<std::uint64_t>(t / schedule_.cycle);
      const Duration begin = schedule_.cycle * static_cast<Duration::rep>(number);
      return {PhaseKind::steady, begin, begin + schedule_.cycle, number};
    }
    case Schedule::Kind::always:
      break;
  }
  return {};
}

}  // namespace s3lt
