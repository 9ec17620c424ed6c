#include "measure/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "base/random.h"

namespace s3lt {
namespace {

class Normal {
 public:
  explicit Normal(std::uint64_t seed) : random_(Random::stream(seed, {1})) {}
  double operator()() {
    const double radius = std::sqrt(-2 * std::log(1 - random_.uniform()));
    return radius * std::cos(2 * std::numbers::pi * random_.uniform());
  }
  double uniform() { return random_.uniform(); }

 private:
  Random random_;
};

// First-order autoregressive around `mean`: neighbours correlate by `phi`.
std::vector<double> autoregressive(Normal& normal, std::size_t n, double mean, double deviation, double phi) {
  std::vector<double> out;
  double x = normal() * deviation;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back(mean + x);
    x = phi * x + std::sqrt(1 - phi * phi) * deviation * normal();
  }
  return out;
}

struct Course {
  std::size_t length;
  double phi;
  double least;  // part of the intervals that must hold the truth
};
class MeanInterval : public testing::TestWithParam<Course> {};

TEST_P(MeanInterval, HoldsTheTruthAsOftenAsItSays) {
  const Course course = GetParam();
  Normal normal(7);
  int held = 0, said = 0;
  constexpr int runs = 1000;
  for (int i = 0; i < runs; ++i) {
    const auto interval = mean_interval(autoregressive(normal, course.length, 100, 10, course.phi), 0.95);
    if (!interval) continue;
    ++said;
    held += interval->low <= 100 && interval->high >= 100;
  }
  EXPECT_GT(said, runs / 2);
  EXPECT_GE(held, course.least * said) << said;
  EXPECT_LE(held, 0.995 * said) << "wider than it says";
}

INSTANTIATE_TEST_SUITE_P(Statistics, MeanInterval,
                         testing::Values(Course{30, 0, 0.92}, Course{300, 0, 0.93}, Course{60, 0.5, 0.90},
                                         Course{300, 0.5, 0.92}, Course{300, 0.8, 0.91},
                                         Course{240, 0.9, 0.87}));

TEST(Statistics, TheAutocorrelationTimeIsThatOfTheProcess) {
  Normal normal(3);
  EXPECT_NEAR(autocorrelation_time(autoregressive(normal, 20'000, 0, 1, 0)), 1, 0.15);
  EXPECT_NEAR(autocorrelation_time(autoregressive(normal, 20'000, 5, 1, 0.5)), 3,
              0.4);  // (1 + phi) / (1 - phi)
  EXPECT_NEAR(autocorrelation_time(autoregressive(normal, 20'000, 5, 1, 0.8)), 9, 1.5);
  EXPECT_EQ(autocorrelation_time({}), 1);
  EXPECT_EQ(autocorrelation_time(std::vector<double>(50, 3.0)), 1) << "a constant";
}

TEST(Statistics, AFewValuesSayNothingAboutTheirMean) {
  EXPECT_FALSE(mean_interval(std::vector<double>{1, 2, 3}, 0.95));
  std::vector<double> ramp;
  for (int i = 0; i < 40; ++i) ramp.push_back(i);
  EXPECT_FALSE(mean_interval(ramp, 0.95)) << "all of one piece";
}

// Response times whose whole level wanders from second to second, as a storage's do.
TEST(Statistics, TheShareBeyondALimitHoldsTheTruthAlsoWhereSecondsDiffer) {
  Normal normal(11);
  for (const double wander : {0.0, 0.5}) {
    int held = 0;
    constexpr int runs = 400;
    // Of a normal value with a normal mean: beyond 1.5 sqrt(1 + wander^2) are 6.68%.
    const double limit = 1.5 * std::sqrt(1 + wander * wander);
    for (int i = 0; i < runs; ++i) {
      const std::vector<double> levels = autoregressive(normal, 60, 0, wander, 0.5);
      std::vector<Exceedance> seconds;
      for (const double level : levels) {
        Exceedance second{.samples = 50};
        for (int k = 0; k < 50; ++k) second.beyond += level + normal() > limit;
        seconds.push_back(second);
      }
      const auto interval = share_interval(seconds, 0.95);
      ASSERT_TRUE(interval);
      held += interval->low <= 0.0668 && interval->high >= 0.0668;
    }
    EXPECT_GE(held, 0.90 * runs) << "wander " << wander;
  }
}

TEST(Statistics, AShareThatWasNeverSeenMayStillBeThere) {
  const std::vector<Exceedance> seconds(10, {.samples = 10, .beyond = 0});
  const auto interval = share_interval(seconds, 0.95);
  ASSERT_TRUE(interval);
  EXPECT_EQ(interval->low, 0);
  EXPECT_NEAR(interval->high, 1 - std::pow(0.025, 1.0 / 100), 1e-9) << "Clopper and Pearson of 0 in 100";
  EXPECT_FALSE(share_interval(std::vector<Exceedance>(10), 0.95)) << "no samples";
  EXPECT_FALSE(share_interval(std::vector<Exceedance>(3, {.samples = 100, .beyond = 1}), 0.95))
      << "three seconds";
}

// A course over the run, 0 to 1, in percent of the mean, and how often it must be told from chance, in
// percent.
struct Shape {
  const char* name;
  double (*at)(double);
  int least, most;
};

TEST(Statistics, AChangeIsFoundAndNoneIsNotMadeUp) {
  const Shape shapes[] = {
      {"none", [](double) { return 0.0; }, 0, 3},
      {"ramp", [](double u) { return -20 * u; }, 97, 100},
      {"step at half", [](double u) { return u < 0.5 ? 0.0 : -20; }, 97, 100},
      {"early step", [](double u) { return u < 0.2 ? 0.0 : -30; }, 97, 100},
      {"late step", [](double u) { return u < 0.8 ? 0.0 : -20; }, 95, 100},
      {"decay", [](double u) { return 100 * std::exp(-5 * u); }, 97, 100},
  };
  constexpr int runs = 1000;
  for (const Shape& shape : shapes)
    for (const std::size_t length : {30, 60, 200})
      for (const double phi : {0.0, 0.5}) {
        Normal normal(5);
        int asked = 0, found = 0;
        for (int i = 0; i < runs; ++i) {
          std::vector<double> level = autoregressive(normal, length, 100, 5, phi);
          for (std::size_t k = 0; k < length; ++k)
            level[k] += shape.at((static_cast<double>(k) + 0.5) / static_cast<double>(length));
          const auto shift = largest_shift(level);
          asked += shift.has_value();
          found += shift && shift->p_value < 0.01;
        }
        SCOPED_TRACE(testing::Message() << shape.name << ", " << length << " s, phi " << phi);
        const double share = 100.0 * found / runs;
        EXPECT_GE(asked, 0.85 * runs);
        // Of short runs and of seconds that know of each other less is found, and more is made up.
        const bool hard = length == 30 || phi > 0;
        EXPECT_GE(share, hard ? shape.least * 0.45 : shape.least);
        EXPECT_LE(share, hard && shape.most < 100 ? 8 : shape.most);
      }
}

// The less noise there is, the more the residuals around straight lines look like waves.
TEST(Statistics, AStrongCurveInAShortRunIsFound) {
  constexpr int runs = 200;
  double (*const curves[])(double) = {[](double t) { return 100 * std::exp2(t / 10); },
                                      [](double t) { return 100 * std::exp2(t / 5); },
                                      [](double t) { return 100 + 400 * std::pow((t - 15) / 15, 2); }};
  for (const auto curve : curves)
    for (const double noise : {0.0, 0.01, 0.05}) {
      Normal normal(7);
      int found = 0;
      for (int i = 0; i < runs; ++i) {
        std::vector<double> series = autoregressive(normal, 30, 1, noise, 0);
        for (std::size_t k = 0; k < series.size(); ++k) series[k] *= curve(static_cast<double>(k) + 0.5);
        const auto shift = largest_shift(series);
        found += shift && shift->p_value < 0.01 && std::abs(shift->change) > 0.05;
      }
      EXPECT_GE(found, 0.97 * runs) << curve(1) << ", noise " << noise;
    }
}

TEST(Statistics, SlowWavesOfAShortRunAreSeldomCalledAChange) {
  constexpr int runs = 1000;
  for (const double phi : {0.5, 0.8, 0.9}) {
    Normal normal(9);
    int only_apart = 0;  // what the t test would not have said
    for (int i = 0; i < runs; ++i) {
      const auto shift = largest_shift(autoregressive(normal, 24, 100, 5, phi));
      only_apart += shift && shift->p_value == 3 * 2 / 12870.0 && std::abs(shift->change) > 0.05;
    }
    EXPECT_LE(only_apart, 0.04 * runs) << "phi " << phi;
  }
}

TEST(Statistics, AShiftSaysWhichThirdsDifferAndByHowMuch) {
  std::vector<double> stairs, flat;
  for (int i = 0; i < 30; ++i) {
    stairs.push_back(i < 10 ? 120 : i < 20 ? 110 : 70);
    flat.push_back(100);
  }
  const auto falling = largest_shift(stairs), none = largest_shift(flat);
  ASSERT_TRUE(falling && none);
  EXPECT_EQ(falling->from, 0);
  EXPECT_EQ(falling->to, 2);
  EXPECT_NEAR(falling->change, -0.5, 1e-9);
  EXPECT_EQ(falling->p_value, 0);
  EXPECT_EQ(none->change, 0);
  EXPECT_EQ(none->p_value, 1);
  EXPECT_FALSE(largest_shift(std::vector<double>{1, 2, 3}));
  EXPECT_FALSE(largest_shift(std::vector<double>(30, 0.0))) << "no mean to be a part of";
}

}  // namespace
}  // namespace s3lt
