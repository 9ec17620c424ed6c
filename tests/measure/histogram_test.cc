#include "measure/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace s3lt {
namespace {

// Latencies as storage has them: most near a millisecond, a long tail of seconds.
std::vector<std::int64_t> long_tailed_samples(std::uint64_t seed, std::size_t n) {
  Random random(seed);
  std::vector<std::int64_t> samples;
  for (std::size_t i = 0; i < n; ++i) {
    const double tail = std::pow(1.0 - random.uniform(), -1.3);
    samples.push_back(std::min(static_cast<std::int64_t>(700 * tail), Histogram::highest));
  }
  return samples;
}

Histogram recorded(const std::vector<std::int64_t>& samples) {
  Histogram histogram;
  for (const std::int64_t sample : samples) histogram.record(sample);
  return histogram;
}

void expect_same_counters(const Histogram& a, const Histogram& b) {
  EXPECT_EQ(a.count(), b.count());
  for (int i = 0; i < Histogram::counts_length; ++i)
    ASSERT_EQ(a.count_at(i), b.count_at(i)) << "bucket " << i;
}

TEST(Histogram, SoManySamplesAtOnceAreAsOneByOne) {
  Histogram at_once, one_by_one;
  at_once.record(12'345, 7);
  at_once.record(99, 0);
  for (int i = 0; i < 7; ++i) one_by_one.record(12'345);
  EXPECT_EQ(at_once.count(), 7U);
  EXPECT_EQ(at_once.mean(), one_by_one.mean());
  EXPECT_EQ(at_once.encode_compressed_base64(), one_by_one.encode_compressed_base64());
}

TEST(Histogram, EveryPowerOfTwoAndItsNeighboursLieInTheBucketThatTheirIndexNames) {
  for (std::int64_t power = 1; power <= Histogram::highest; power *= 2) {
    for (const std::int64_t value : {power - 1, power, power + 1, power + power / 2, power + power / 3}) {
      if (value > Histogram::highest) continue;
      const int index = Histogram::index_of(value);
      ASSERT_LT(index, Histogram::counts_length);
      EXPECT_LE(Histogram::lowest_equivalent(index), value);
      EXPECT_GE(Histogram::highest_equivalent(index), value);
      EXPECT_EQ(Histogram::index_of(Histogram::lowest_equivalent(index)), index);
      EXPECT_EQ(Histogram::index_of(Histogram::highest_equivalent(index)), index);
    }
  }
}

TEST(Histogram, BucketsFollowEachOtherWithoutGapsAndAreNoWiderThanAThousandth) {
  const int last = Histogram::index_of(Histogram::highest);
  for (int index = 1; index <= last; ++index) {
    const std::int64_t low = Histogram::lowest_equivalent(index), high = Histogram::highest_equivalent(index);
    ASSERT_EQ(low, Histogram::highest_equivalent(index - 1) + 1);
    ASSERT_LE(static_cast<double>(high - low), 0.001 * static_cast<double>(low));
  }
}

// Values from the published layout: 2048 sub-buckets, the lower half used by the first bucket only.
TEST(Histogram, HasThePublishedIndexes) {
  EXPECT_EQ(Histogram::index_of(1), 1);
  EXPECT_EQ(Histogram::index_of(2047), 2047);
  EXPECT_EQ(Histogram::index_of(2048), 2048);
  EXPECT_EQ(Histogram::index_of(2049), 2048);
  EXPECT_EQ(Histogram::index_of(4095), 3071);
  EXPECT_EQ(Histogram::index_of(4096), 3072);
  EXPECT_EQ(Histogram::index_of(1'000'000), 11169);
}

TEST(Histogram, PercentilesAreWithinAThousandthOfTheSortedSamples) {
  std::vector<std::int64_t> samples = long_tailed_samples(1, 100'000);
  const Histogram histogram = recorded(samples);
  std::ranges::sort(samples);
  for (const double p : {0.0, 1.0, 25.0, 50.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(p * 1000 + 0.5));
    const auto exact = static_cast<double>(samples[rank - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.percentile(p)), exact, 0.001 * exact) << "p" << p;
  }
  EXPECT_EQ(histogram.min(), samples.front());
  EXPECT_EQ(histogram.max(), samples.back());
}

TEST(Histogram, PartsThatAreMergedEqualTheWhole) {
  const std::vector<std::int64_t> samples = long_tailed_samples(2, 30'000);
  const Histogram whole = recorded(samples);
  std::array<Histogram, 7> parts;
  for (std::size_t i = 0; i < samples.size(); ++i) parts[i % 7].record(samples[i]);
  Histogram merged;
  for (const Histogram& part : parts) merged.add(part);
  expect_same_counters(merged, whole);
  EXPECT_EQ(merged.min(), whole.min());
  EXPECT_EQ(merged.max(), whole.max());
  EXPECT_DOUBLE_EQ(merged.mean(), whole.mean());
  for (const double p : {50.0, 99.0, 99.9}) EXPECT_EQ(merged.percentile(p), whole.percentile(p));
}

TEST(Histogram, NoPercentileIsAboveTheLargestValue) {
  Histogram histogram;
  histogram.record(1'000'001);  // its bucket ends at 1,000,447
  EXPECT_EQ(histogram.percentile(50), 1'000'001);
  EXPECT_EQ(histogram.percentile(100), 1'000'001);
}

TEST(Histogram, ValuesOutsideItsRangeCountAsTheNearestBound) {
  Histogram histogram;
  histogram.record(-5);
  histogram.record(0);
  histogram.record(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.min(), Histogram::lowest);
  EXPECT_EQ(histogram.max(), Histogram::highest);
}

TEST(Histogram, AnEmptyOneIsAllZeros) {
  const Histogram histogram;
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.percentile(99), 0);
}

TEST(Histogram, AClearedOneForgetsEverything) {
  Histogram histogram = recorded(long_tailed_samples(3, 1000));
  histogram.clear();
  expect_same_counters(histogram, Histogram());
  histogram.record(7);
  EXPECT_EQ(histogram.min(), 7);
  EXPECT_EQ(histogram.max(), 7);
}

TEST(Histogram, AMovedFromOneIsEmptyAndACopyIsApart) {
  Histogram histogram = recorded({1, 5000, 70'000});
  Histogram copy = histogram;
  const Histogram moved = std::move(histogram);
  expect_same_counters(copy, moved);
  copy.record(9);
  EXPECT_EQ(moved.count(), 3U);
  EXPECT_EQ(histogram.count(), 0U);  // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST(HistogramEncoding, WhatIsEncodedDecodesToTheSameCounters) {
  for (const std::vector<std::int64_t>& samples : {std::vector<std::int64_t>{},
                                                   {1},
                                                   {Histogram::highest},
                                                   {1, 3, Histogram::highest},
                                                   long_tailed_samples(4, 50'000)}) {
    const Histogram histogram = recorded(samples);
    const std::string text = histogram.encode_compressed_base64();
    EXPECT_TRUE(text.starts_with("HISTFAAA")) << text.substr(0, 12);
    const auto decoded = Histogram::decode_compressed_base64(text);
    ASSERT_TRUE(decoded) << decoded.error().message;
    expect_same_counters(*decoded, histogram);
    EXPECT_NEAR(decoded->mean(), histogram.mean(), 0.001 * histogram.mean());
  }
}

TEST(HistogramEncoding, CountsOfEveryLengthSurvive) {
  Histogram histogram;
  histogram.record(12);
  for (int doubling = 0; doubling < 40; ++doubling) {
    const Histogram same = histogram;
    histogram.add(same);
    histogram.record(300 + doubling);
    const auto decoded = Histogram::decode_compressed_base64(histogram.encode_compressed_base64());
    ASSERT_TRUE(decoded) << decoded.error().message;
    ASSERT_EQ(decoded->count_at(12), histogram.count_at(12));
    ASSERT_EQ(decoded->count(), histogram.count());
  }
}

// Written by the Python package hdrhistogram 0.10.8: HdrHistogram(1, 3600000000, 3) with the values
// 1, 2, 2, 1000, 1000, 2049, 123456 and 3600000000.
TEST(HistogramEncoding, ReadsWhatAnotherLibraryWrote) {
  const auto decoded = Histogram::decode_compressed_base64(
      "HISTFAAAAC94nJNpmSzMwMAgwAABzFCaEURcm7yEwf4DVICJ5SQ/y1oBpv44pstvGJkAu3II6g==");
  ASSERT_TRUE(decoded) << decoded.error().message;
  expect_same_counters(*decoded, recorded({1, 2, 2, 1000, 1000, 2049, 123'456, 3'600'000'000}));
}

TEST(HistogramEncoding, DamagedTextIsAnErrorThatSaysSo) {
  const std::string good = recorded({10, 20'000}).encode_compressed_base64();
  for (const std::string& bad : {std::string(), std::string("HIST"), std::string("no base64!!!"),
                                 good.substr(0, good.size() / 8 * 4), std::string("AAAAAAAAAAAAAAAA")}) {
    const auto decoded = Histogram::decode_compressed_base64(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_TRUE(decoded.error().message.starts_with("not a histogram that can be read"))
        << decoded.error().message;
  }
}

TEST(Histogram, TakesBackItsExactBoundsAfterDecodingAndBelievesNoOthers) {
  Histogram histogram;
  for (const std::int64_t us : {5001, 7777, 1'234'567}) histogram.record(us);
  auto decoded = Histogram::decode_compressed_base64(histogram.encode_compressed_base64());
  ASSERT_TRUE(decoded);
  decoded->set_exact(5001, histogram.mean(), 1'234'567);
  EXPECT_EQ(decoded->min(), 5001);
  EXPECT_EQ(decoded->max(), 1'234'567);
  EXPECT_NEAR(decoded->mean(), histogram.mean(), 1);
  EXPECT_EQ(decoded->percentile(100), 1'234'567);
  decoded->set_exact(1, 2, 3);
  EXPECT_EQ(decoded->min(), 5001);
  EXPECT_EQ(decoded->max(), 1'234'567);
}

}  // namespace
}  // namespace s3lt
