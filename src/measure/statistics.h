// How sure a figure is: intervals of rates and percentiles from a run's series, whose seconds know of each
// other, and a test whether it
// did the same all along. docs/measurement.md, "How sure is it", has the formulas. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace s3lt {

struct Interval {
  double low = 0, high = 0;
};

// How many values in a row say as much as one independent value: 1 and more. The integrated autocorrelation
// time by the initial positive sequence (C. J. Geyer, "Practical Markov Chain Monte Carlo", Statistical
// Science 7, 1992).
double autocorrelation_time(std::span<const double> series);

// Where the mean of what the series is of lies, at this confidence (0.95): mean +- t s sqrt(tau / n),
// Student's t of n / tau - 1 degrees of freedom. Nothing where the series says as much as fewer than 4
// independent values.
std::optional<Interval> mean_interval(std::span<const double> series, double confidence);

// Of a stretch of time: how many samples, and how many of them beyond a limit.
struct Exceedance {
  double samples = 0, beyond = 0;
};
// Where the share of samples beyond the limit lies: a ratio estimate over the stretches, with their
// autocorrelation, and never narrower than as many independent samples would make it. As an interval of a
// binomial share (Clopper and Pearson, 1934) for the number of independent samples that vary as much. Nothing
// without samples, or of fewer than 4 stretches.
std::optional<Interval> share_interval(std::span<const Exceedance> stretches, double confidence);

// The two thirds of a series whose means differ most beyond chance.
struct Shift {
  int from = 0, to = 0;          // 0: the first third
  double before = 0, after = 0;  // their means
  double change = 0;   // from the mean of the one to that of the other, as a part of the series' mean: -0.23
  double p_value = 1;  // how likely a difference of any two is as far beyond chance in a series without any
  double visible = 0;  // the least change that a test at the significance asked for finds in 9 of 10 cases
};
// A t test of each pair of thirds, by Bonferroni. Chance is what the values do around a straight line through
// each third, given their autocorrelation. Where they say as much as fewer than 9 independent values, as
// those of a strong curve do, only thirds of 8 values and more that do not overlap. Otherwise nothing, and
// where the mean is 0.
std::optional<Shift> largest_shift(std::span<const double> series, double significance = 0.01);

}  // namespace s3lt
