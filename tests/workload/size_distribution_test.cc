#include "workload/size_distribution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace s3lt {
namespace {

constexpr std::uint64_t kb = 1024, mb = 1024 * kb;

double sum(const std::vector<SizeClass>& classes) {
  return std::accumulate(classes.begin(), classes.end(), 0.0,
                         [](double total, const SizeClass& c) { return total + c.weight; });
}

TEST(LogNormalSizes, HaveAClassForEachDoublingAndWeightsOfOneInAll) {
  const auto classes = lognormal_sizes({.median = 100 * kb, .sigma = 2, .least = kb, .most = 100 * mb});
  ASSERT_EQ(classes.size(), 17U);
  for (std::size_t i = 0; i < classes.size(); ++i) EXPECT_EQ(classes[i].bytes, kb << i);
  EXPECT_EQ(classes.front().label, "1KB");
  EXPECT_EQ(classes.back().label, "64MB") << "the next doubling would be beyond 100MB";
  EXPECT_NEAR(sum(classes), 1, 1e-12);
}

TEST(LogNormalSizes, HalfOfTheObjectsAreBelowTheMedian) {
  // The border between 64KB and 128KB is 64KB * sqrt(2): a median there splits the classes evenly.
  const auto border = static_cast<std::uint64_t>(std::llround(64 * kb * std::sqrt(2.0)));
  const auto classes = lognormal_sizes({.median = border, .sigma = 1.2, .least = kb, .most = 100 * mb});
  double below = 0;
  for (const SizeClass& c : classes) below += c.bytes <= 64 * kb ? c.weight : 0;
  EXPECT_NEAR(below, 0.5, 1e-5);
}

TEST(LogNormalSizes, SpreadAsSigmaSays) {
  const double sigma = 1.5;
  const auto classes = lognormal_sizes({.median = mb, .sigma = sigma, .least = 1, .most = 1024 * mb});
  double mean = 0, variance = 0;
  for (const SizeClass& c : classes) mean += c.weight * std::log(static_cast<double>(c.bytes));
  for (const SizeClass& c : classes)
    variance += c.weight * std::pow(std::log(static_cast<double>(c.bytes)) - mean, 2);
  EXPECT_NEAR(mean, std::log(static_cast<double>(mb)), 0.01);
  // Classes of a doubling each round the logarithm: that adds a twelfth of their width squared.
  EXPECT_NEAR(variance, sigma * sigma + std::pow(std::log(2.0), 2) / 12, 0.02);
}

TEST(LogNormalSizes, TheTailsFallToTheFirstAndTheLastClass) {
  const auto classes = lognormal_sizes({.median = 4 * kb, .sigma = 3, .least = 2 * kb, .most = 8 * kb});
  ASSERT_EQ(classes.size(), 3U);
  EXPECT_NEAR(sum(classes), 1, 1e-12);
  EXPECT_NEAR(classes[0].weight, classes[2].weight, 1e-12);
  EXPECT_GT(classes[0].weight, classes[1].weight);
}

TEST(LogNormalSizes, ClassesThatNobodyWouldMeetAreLeftOut) {
  const auto classes = lognormal_sizes({.median = mb, .sigma = 0.1, .least = 1, .most = 1024 * mb});
  ASSERT_EQ(classes.size(), 3U);
  EXPECT_EQ(classes[1].bytes, mb);
  EXPECT_GT(classes[1].weight, 0.99);
  EXPECT_NEAR(sum(classes), 1, 1e-5);
}

TEST(LogNormalSizes, OneSizeIsADistributionToo) {
  const auto classes = lognormal_sizes({.median = 5, .sigma = 1, .least = 5, .most = 9});
  ASSERT_EQ(classes.size(), 1U);
  EXPECT_EQ(classes[0].bytes, 5U);
  EXPECT_EQ(classes[0].weight, 1);
}

TEST(LogNormalSizes, DoublingsAreCountedFromTheLeastToTheMost) {
  EXPECT_EQ(doublings({.least = 1, .most = 1}), 1U);
  EXPECT_EQ(doublings({.least = 1, .most = 2}), 2U);
  EXPECT_EQ(doublings({.least = 3, .most = 11}), 2U);
  EXPECT_EQ(doublings({.least = 1, .most = largest_put}), 33U);
}

}  // namespace
}  // namespace s3lt
