#include "schedule/phases.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace s3lt {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Phases, AlwaysIsOnePhaseWithoutEnd) {
  const Phase phase = Phases({}, 1).at(minutes(1000));
  EXPECT_EQ(phase.kind, PhaseKind::steady);
  EXPECT_EQ(phase.end, Duration::max());
}

TEST(Phases, BurstAndGapBeginsWithTheBurstAndRepeats) {
  const Phases phases({.kind = Schedule::Kind::burst_and_gap, .burst = minutes(10), .gap = minutes(60)}, 1);
  for (const int cycle : {0, 1, 7}) {
    const Duration from = minutes(70) * cycle;
    const Phase burst = phases.at(from), last = phases.at(from + minutes(10) - Duration(1)),
                gap = phases.at(from + minutes(10));
    EXPECT_EQ(burst.kind, PhaseKind::burst);
    EXPECT_EQ(burst.begin, from);
    EXPECT_EQ(burst.end, from + minutes(10));
    EXPECT_EQ(burst.number, static_cast<std::uint64_t>(cycle));
    EXPECT_EQ(last.kind, PhaseKind::burst);
    EXPECT_EQ(gap.kind, PhaseKind::gap);
    EXPECT_EQ(gap.end, from + minutes(70));
  }
}

TEST(Phases, RandomBurstsStayInTheirWindowAndNeverOverlap) {
  const Schedule schedule{.kind = Schedule::Kind::random_bursts,
                          .burst = minutes(1),
                          .window = minutes(5),
                          .least = 1,
                          .most = 3};
  std::set<std::uint64_t> numbers;
  std::map<int, int> windows_by_bursts;
  Duration earliest = minutes(5), latest{};
  for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) {
    const Phases phases(schedule, seed);
    Duration t{};
    int in_window = 0;
    for (int window = 0; window < 1000;) {
      const Phase phase = phases.at(t);
      ASSERT_EQ(phase.begin, t) << "phases follow one another";
      ASSERT_GT(phase.end, t);
      ASSERT_LE(phase.end, minutes(5) * (window + 1));
      const Phase again = phases.at(t + (phase.end - t) / 2);
      ASSERT_EQ(again.kind, phase.kind);
      ASSERT_EQ(again.end, phase.end);
      if (phase.kind == PhaseKind::burst) {
        ASSERT_EQ(phase.end - phase.begin, minutes(1));
        ++in_window;
        numbers.insert(phase.number * 3 + seed - 1);
        earliest = std::min(earliest, t - minutes(5) * window);
        latest = std::max(latest, t - minutes(5) * window);
      } else {
        ASSERT_EQ(phase.kind, PhaseKind::calm);
      }
      t = phase.end;
      if (t == minutes(5) * (window + 1)) {
        ASSERT_GE(in_window, 1);
        ASSERT_LE(in_window, 3);
        ++windows_by_bursts[in_window];
        in_window = 0;
        ++window;
      }
    }
  }
  std::size_t bursts = 0;
  for (const auto& [n, times] : windows_by_bursts) {
    EXPECT_NEAR(times, 1000, 130) << n << " bursts in a window";
    bursts += static_cast<std::size_t>(n * times);
  }
  EXPECT_EQ(numbers.size(), bursts) << "each burst has a number of its own";
  EXPECT_LT(earliest, seconds(2));
  EXPECT_GT(latest, seconds(238));
}

TEST(Phases, ACycleCounts) {
  const Phases phases({.kind = Schedule::Kind::cycle, .cycle = minutes(3)}, 1);
  const Phase phase = phases.at(minutes(7));
  EXPECT_EQ(phase.kind, PhaseKind::steady);
  EXPECT_EQ(phase.number, 2u);
  EXPECT_EQ(phase.end, minutes(9));
}

TEST(Phases, ATimeScaleDividesEveryTime) {
  const Schedule spiky{.kind = Schedule::Kind::random_bursts,
                       .burst = minutes(1),
                       .window = minutes(3),
                       .least = 3,
                       .most = 3};
  const Schedule fast = spiky.scaled(60);
  EXPECT_EQ(fast.burst, seconds(1));
  EXPECT_EQ(fast.window, seconds(3));
  const Schedule odd = spiky.scaled(7.3);
  EXPECT_GE(odd.window, odd.burst * 3) << "the bursts still fit";
  EXPECT_EQ(Schedule({.kind = Schedule::Kind::cycle, .cycle = minutes(3)}).scaled(60).cycle, seconds(3));
}

}  // namespace
}  // namespace s3lt
