#include "schedule/endpoint_health.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

using std::chrono::milliseconds;
const TimePoint start = TimePoint{} + std::chrono::hours(1);
TimePoint at(int ms) {
  return start + milliseconds(ms);
}
// An attempt that begins and fails at once, as a refused connection does.
void refuse(EndpointHealth& health, std::size_t address, TimePoint t) {
  health.tries(address, t);
  health.failed(address, t, t);
}

TEST(EndpointHealth, OneClientMeetsAnUnknownEndpointAndTheOthersComeWhenItHasAnswered) {
  EndpointHealth health(1);
  EXPECT_TRUE(health.takes(at(0)));
  EXPECT_FALSE(health.is_first_met());
  health.tries(0, at(0));
  EXPECT_FALSE(health.takes(at(1)));
  EXPECT_TRUE(health.is_first_met());
  health.answered(0, at(2));
  EXPECT_TRUE(health.takes(at(2)));
  health.tries(0, at(3));
  EXPECT_TRUE(health.takes(at(3))) << "who is known takes any number";
  EXPECT_EQ(health.take(at(4)), EndpointHealth::Figures{});
}

TEST(EndpointHealth, ARefusedEndpointIsSuspectForAGrowingWhileAndProbedByOne) {
  EndpointHealth health(1);
  refuse(health, 0, at(0));
  int t = 0;
  for (const int length : {100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
    EXPECT_FALSE(health.takes(at(t + length - 1))) << length;
    t += length;
    ASSERT_TRUE(health.takes(at(t))) << length;
    health.tries(0, at(t));
    EXPECT_FALSE(health.takes(at(t))) << "one probe at a time";
    EXPECT_FALSE(health.is_first_met());
    health.failed(0, at(t), at(t));
  }
  const auto figures = health.take(at(t));
  EXPECT_EQ(figures.suspicions, 1u);
  EXPECT_EQ(figures.probes, 8u);
  EXPECT_EQ(figures.suspect, milliseconds(t));
  // Only what was not taken yet; and an answer ends it, whose next failure is a short one again.
  health.answered(0, at(t + 7));
  EXPECT_TRUE(health.takes(at(t + 7)));
  EXPECT_EQ(health.take(at(t + 1000)), (EndpointHealth::Figures{.suspect = milliseconds(7)}));
  refuse(health, 0, at(t + 1000));
  EXPECT_TRUE(health.takes(at(t + 1100)));
}

TEST(EndpointHealth, ClientsThatFailTogetherCountOnce) {
  EndpointHealth health(1);
  health.answered(0, at(0));
  for (int i = 0; i < 64; ++i) health.failed(0, at(i), at(i));
  EXPECT_FALSE(health.takes(at(99)));
  EXPECT_TRUE(health.takes(at(100)));
  EXPECT_EQ(health.take(at(100)).suspicions, 1u);
}

TEST(EndpointHealth, WhatTookLongToFailIsLeftAloneForTwiceAsLong) {
  EndpointHealth health(1);
  health.tries(0, at(0));
  EXPECT_FALSE(health.takes(at(9'999))) << "a connect that hangs holds no second client";
  health.failed(0, at(0), at(10'000));
  EXPECT_FALSE(health.takes(at(29'999)));
  EXPECT_TRUE(health.takes(at(30'000)));
  health.tries(0, at(30'000));
  health.failed(0, at(30'000), at(330'000));
  EXPECT_TRUE(health.takes(at(330'000) + EndpointHealth::longest_while));
  EXPECT_EQ(health.take(at(330'000)),
            (EndpointHealth::Figures{.suspicions = 1, .probes = 1, .suspect = std::chrono::seconds(330)}))
      << "nobody else was there while the first connect hung";
}

TEST(EndpointHealth, AFailureBesideAProbeDoesNotEndProbing) {
  EndpointHealth health(1);
  refuse(health, 0, at(0));
  health.tries(0, at(100));            // the probe
  health.failed(0, at(50), at(101));   // of a client that was there before
  health.failed(0, at(100), at(102));  // the probe's own, within the new while
  EXPECT_FALSE(health.takes(at(300)));
  EXPECT_TRUE(health.takes(at(301)));
  health.tries(0, at(301));
  health.withdrew(0);
  EXPECT_TRUE(health.takes(at(301))) << "who gave up told nothing";
}

TEST(EndpointHealth, ADeadAddressOfANameIsGoneRoundAndTheNameStaysGood) {
  EndpointHealth health(3);
  health.tries(1, at(0));
  EXPECT_EQ(health.choose(1, at(0)), 2u) << "somebody is at it";
  health.failed(1, at(0), at(0));
  EXPECT_EQ(health.choose(1, at(1)), 2u);
  health.tries(2, at(1));
  health.tries(0, at(1));
  EXPECT_FALSE(health.takes(at(1)) || health.is_hopeless(at(1)));
  EXPECT_EQ(health.choose(1, at(1)), 2u) << "who is being met is better than a suspect";
  health.withdrew(2);
  health.withdrew(0);
  EXPECT_EQ(health.choose(4, at(1)), 2u) << "a preference beyond the end begins at the front again";
  EXPECT_EQ(health.choose(0, at(1)), 0u);
  EXPECT_TRUE(health.takes(at(1)));
  EXPECT_EQ(health.take(at(50)), EndpointHealth::Figures{}) << "the name is none of the suspects";
  EXPECT_EQ(health.take_of(1, at(50)),
            (EndpointHealth::Figures{.suspicions = 1, .probes = 0, .suspect = milliseconds(50)}));
  EXPECT_EQ(health.take_of(0, at(50)), EndpointHealth::Figures{});
  refuse(health, 0, at(60));
  refuse(health, 2, at(70));
  EXPECT_TRUE(health.is_hopeless(at(71)));
  EXPECT_EQ(health.choose(5, at(71)), 2u) << "where none is good, the preferred one";
  EXPECT_TRUE(health.takes(at(100))) << "address 1 may be probed";
  EXPECT_EQ(health.choose(2, at(100)), 1u);
  health.tries(1, at(100));
  health.answered(1, at(103));
  const auto figures = health.take(at(200));
  EXPECT_EQ(figures, (EndpointHealth::Figures{.suspicions = 1, .probes = 1, .suspect = milliseconds(33)}));
  EXPECT_EQ(health.take_of(1, at(200)),
            (EndpointHealth::Figures{.suspicions = 0, .probes = 1, .suspect = milliseconds(53)}));
}

}  // namespace
}  // namespace s3lt
