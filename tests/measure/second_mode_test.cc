#include "measure/second_mode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/random.h"

namespace s3lt {
namespace {

double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(2 * std::numbers::pi * random.uniform());
}

// Log-normal around the median, in microseconds.
Histogram around(double median, double sigma, int samples, std::uint64_t seed = 1) {
  Random random = Random::stream(seed, {});
  Histogram out;
  for (int i = 0; i < samples; ++i) out.record(std::llround(median * std::exp(sigma * normal(random))));
  return out;
}

// So many of them take so much longer.
void add_late(Histogram& histogram, std::int64_t by, int samples, double median = 600, double sigma = 0.5) {
  Random random = Random::stream(99, {});
  for (int i = 0; i < samples; ++i)
    histogram.record(by + random.below(3000) + std::llround(median * std::exp(sigma * normal(random))));
}

TEST(SecondMode, FindsADelayedAckAndSaysHowManyAndHowLong) {
  Histogram service = around(600, 0.5, 100'000);
  add_late(service, 40'000, 800);
  const auto mode = second_mode(service, ModeCause::delayed_ack);
  ASSERT_TRUE(mode);
  EXPECT_NEAR(mode->share, 0.008, 0.0004);
  EXPECT_NEAR(static_cast<double>(mode->low), 40'700, 300);
  EXPECT_NEAR(static_cast<double>(mode->high), 43'500, 700);
  EXPECT_NEAR(static_cast<double>(mode->usual), 600, 20);
  EXPECT_FALSE(second_mode(service, ModeCause::retransmission_timeout));
}

TEST(SecondMode, FindsARetransmissionTimeout) {
  Histogram service = around(2000, 0.6, 100'000);
  add_late(service, 204'000, 100, 2000);
  const auto mode = second_mode(service, ModeCause::retransmission_timeout);
  ASSERT_TRUE(mode);
  EXPECT_NEAR(mode->share, 0.001, 0.0001);
  EXPECT_FALSE(second_mode(service, ModeCause::delayed_ack));
}

TEST(SecondMode, FindsBothBesideEachOther) {
  Histogram service = around(600, 0.5, 100'000);
  add_late(service, 40'000, 100);
  add_late(service, 200'000, 100);
  EXPECT_TRUE(second_mode(service, ModeCause::delayed_ack));
  EXPECT_TRUE(second_mode(service, ModeCause::retransmission_timeout));
}

TEST(SecondMode, FindsItAlsoWhereThreeInTenAnswersAreInIt) {
  Histogram service = around(600, 0.5, 7000);
  add_late(service, 40'000, 3000);
  EXPECT_TRUE(second_mode(service, ModeCause::delayed_ack));
}

TEST(SecondMode, AFewSamplesAreNoMode) {
  Histogram few = around(600, 0.5, 5000);
  add_late(few, 40'000, 19);
  EXPECT_FALSE(second_mode(few, ModeCause::delayed_ack));
  Histogram rare = around(600, 0.5, 1'000'000);
  add_late(rare, 40'000, 450);
  EXPECT_FALSE(second_mode(rare, ModeCause::delayed_ack));
  add_late(rare, 40'000, 100);
  EXPECT_TRUE(second_mode(rare, ModeCause::delayed_ack));
}

TEST(SecondMode, AStorageThatIsThatSlowHasNone) {
  for (const double median : {12'000.0, 40'000.0, 42'000.0, 200'000.0, 220'000.0}) {
    for (const double sigma : {0.01, 0.05, 0.3, 1.0}) {
      const Histogram service = around(median, sigma, 50'000);
      EXPECT_FALSE(second_mode(service, ModeCause::delayed_ack)) << median << " " << sigma;
      if (median > 70'000) {
        EXPECT_FALSE(second_mode(service, ModeCause::retransmission_timeout)) << median << " " << sigma;
      }
    }
  }
}

TEST(SecondMode, ASmoothTailOverThatPlaceIsNone) {
  for (const double median : {300.0, 1000.0, 5000.0, 10'000.0, 30'000.0}) {
    for (const double sigma : {0.5, 1.0, 1.5, 2.0, 3.0}) {
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        const Histogram service = around(median, sigma, 100'000, seed);
        EXPECT_FALSE(second_mode(service, ModeCause::delayed_ack)) << median << " " << sigma;
        EXPECT_FALSE(second_mode(service, ModeCause::retransmission_timeout)) << median << " " << sigma;
      }
    }
  }
}

TEST(SecondMode, ABroadSecondModeIsADiskAndNoTimer) {
  Histogram service = around(600, 0.5, 50'000);
  service.add(around(40'000, 0.5, 5000));
  EXPECT_FALSE(second_mode(service, ModeCause::delayed_ack));
  Histogram wide = around(600, 0.5, 50'000);
  wide.add(around(210'000, 0.5, 5000));
  EXPECT_FALSE(second_mode(wide, ModeCause::retransmission_timeout));
}

TEST(SecondMode, ABumpElsewhereIsNone) {
  for (const std::int64_t at : {25'000, 60'000, 100'000, 150'000, 300'000, 1'000'000}) {
    Histogram service = around(600, 0.5, 50'000);
    add_late(service, at, 500);
    EXPECT_FALSE(second_mode(service, ModeCause::delayed_ack)) << at;
    EXPECT_FALSE(second_mode(service, ModeCause::retransmission_timeout)) << at;
  }
}

TEST(SecondMode, OfNothingThereIsNone) {
  EXPECT_FALSE(second_mode({}, ModeCause::delayed_ack));
}

}  // namespace
}  // namespace s3lt
