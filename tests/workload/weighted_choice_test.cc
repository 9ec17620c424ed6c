#include "workload/weighted_choice.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/random.h"
#include "workload/pattern.h"

namespace s3lt {
namespace {

constexpr int draws = 20'000;

// How far the draws are from their weights: the sum of (drawn - expected)^2 / expected.
double chi_squared(const std::vector<double>& weights, std::uint64_t seed) {
  const WeightedChoice choice(weights);
  Random random(seed);
  std::vector<int> drawn(weights.size());
  for (int i = 0; i < draws; ++i) ++drawn.at(choice.at(random.uniform()));
  double all = 0, sum = 0;
  for (const double weight : weights) all += weight;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double expected = draws * weights[i] / all;
    if (expected == 0) {
      EXPECT_EQ(drawn[i], 0) << "weight 0 was drawn";
      continue;
    }
    sum += (drawn[i] - expected) * (drawn[i] - expected) / expected;
  }
  return sum;
}

std::vector<double> size_weights(const char* pattern) {
  std::vector<double> weights;
  for (const SizeClass& size : builtin_pattern(pattern).value().sizes) weights.push_back(size.weight);
  return weights;
}

// What 5 degrees of freedom exceed once in 1000 (NIST/SEMATECH e-Handbook, 1.3.6.7.4).
constexpr double one_in_a_thousand_of_six = 20.515;

TEST(WeightedChoice, DrawsTheSixSizesEquallyOften) {
  for (const char* pattern : {"baseload", "spiky", "elephant"}) {
    const std::vector<double> weights = size_weights(pattern);
    ASSERT_EQ(weights.size(), 6U) << pattern;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      EXPECT_LT(chi_squared(weights, seed), one_in_a_thousand_of_six) << pattern << ", seed " << seed;
    }
  }
}

TEST(WeightedChoice, TheTestWouldSeeSizesThatAreNotEquallyOften) {
  // One in six that comes a fifth too often.
  const WeightedChoice skewed(std::array{1.2, 1.0, 1.0, 1.0, 1.0, 1.0});
  Random random(1);
  std::array<int, 6> drawn{};
  for (int i = 0; i < draws; ++i) ++drawn.at(skewed.at(random.uniform()));
  double sum = 0;
  for (const int n : drawn) sum += (n - draws / 6.0) * (n - draws / 6.0) / (draws / 6.0);
  EXPECT_GT(sum, one_in_a_thousand_of_six);
}

TEST(WeightedChoice, DrawsTheMixOfEachPatternWithinOnePercent) {
  for (const std::string_view name : builtin_pattern_names()) {
    const Pattern pattern = builtin_pattern(name).value();
    std::vector<Mix> mixes = pattern.burst_mixes;
    mixes.push_back(pattern.mix);
    for (const Mix& mix : mixes) {
      const WeightedChoice choice(mix);
      Random random(7);
      std::array<int, operation_kinds> drawn{};
      for (int i = 0; i < draws; ++i) ++drawn.at(choice.at(random.uniform()));
      for (std::size_t kind = 0; kind < operation_kinds; ++kind) {
        EXPECT_NEAR(drawn[kind] / static_cast<double>(draws), mix[kind], 0.01) << name;
      }
    }
  }
}

TEST(WeightedChoice, WhatHasNoWeightIsNeverDrawn) {
  const WeightedChoice choice(std::array{0.0, 3.0, 0.0, 1.0, 0.0});
  EXPECT_EQ(choice.at(0), 1U);
  EXPECT_EQ(choice.at(0.7499), 1U);
  EXPECT_EQ(choice.at(0.75), 3U);
  EXPECT_EQ(choice.at(std::nextafter(1.0, 0.0)), 3U);
  EXPECT_EQ(choice.at(1), 3U) << "rounded up";
}

TEST(WeightedChoice, WeightsAreRelative) {
  const std::vector<double> weights{80, 15, 5};
  // 2 degrees of freedom, one in 1000.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_LT(chi_squared(weights, seed), 13.816) << seed;
}

}  // namespace
}  // namespace s3lt
