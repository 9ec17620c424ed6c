// How sure a figure is: intervals of rates and percentiles from a run's series, whose seconds know of each
// other, and a test for a trend. docs/measurement.md, "How sure is it", has the formulas. Pure, thread-safe.
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
// binomial share (Clopper and Pearson, 1934) for the number of independent samples that vary as much. Nothing without
// samples, or of fewer than 4 stretches.
std::optional<Interval> share_interval(std::span<const Exceedance> stretches, double confidence);

// A straight line through the series.
struct Trend {
  double change = 0;  // from its beginning to its end, as a part of the mean: -0.23
  double p_value =
      1;  // how likely as much of a slope is without a trend, given the autocorrelation around the line
};
// Least squares; the t test of the slope counts n / tau residuals. Nothing where they say as much as fewer
// than 6 independent values, or the mean is 0.
std::optional<Trend> trend(std::span<const double> series);

}  // namespace s3lt
