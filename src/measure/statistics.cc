#include "measure/statistics.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/binomial.hpp>
#include <cmath>
#include <numeric>
#include <vector>

namespace s3lt {
namespace {

constexpr double least_for_a_mean = 4, least_for_a_shift = 9;

double mean_of(std::span<const double> series) {
  return std::accumulate(series.begin(), series.end(), 0.0) / static_cast<double>(series.size());
}

// Around 0.
double autocovariance(std::span<const double> centred, std::size_t lag) {
  double sum = 0;
  for (std::size_t i = lag; i < centred.size(); ++i) sum += centred[i] * centred[i - lag];
  return sum / static_cast<double>(centred.size());
}

std::vector<double> centred(std::span<const double> series) {
  const double mean = mean_of(series);
  std::vector<double> out(series.begin(), series.end());
  for (double& x : out) x -= mean;
  return out;
}

// `fitted`: how much of the autocorrelation time, divided by the length, the fit took away that centred it.
double time_of_centred(std::span<const double> series, double fitted = 1) {
  const double variance = autocovariance(series, 0);
  if (series.size() < 4 || variance <= 0) return 1;
  // Sums of two neighbours are positive and fall, of a reversible chain; where an estimate does not, it is
  // noise.
  double sum = 0, before = variance + autocovariance(series, 1);
  for (std::size_t lag = 0; lag + 1 < series.size(); lag += 2) {
    const double pair = std::min(before, autocovariance(series, lag) + autocovariance(series, lag + 1));
    if (pair <= 0) break;
    sum += pair;
    before = pair;
  }
  const double n = static_cast<double>(series.size());
  // Taking the mean away takes about tau / n of every covariance away.
  const double tau = std::max(1.0, 2 * sum / variance - 1);
  return std::min(tau * (1 + fitted * tau / n), n);
}

double t_quantile(double freedom, double confidence) {
  const boost::math::students_t distribution(freedom);
  return boost::math::quantile(distribution, 0.5 + confidence / 2);
}

std::vector<double> around_a_line(std::span<const double> series) {
  const double middle = (static_cast<double>(series.size()) - 1) / 2;
  std::vector<double> out = centred(series);
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double x = static_cast<double>(i) - middle;
    xx += x * x;
    xy += x * out[i];
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] -= xy / xx * (static_cast<double>(i) - middle);
  return out;
}

// Two thirds of which every value of the one is beyond every value of the other: what no noise can hide. How
// likely any two of independent values are so says the p value.
std::optional<Shift> thirds_apart(std::span<const double> series, double mean) {
  constexpr std::size_t least_in_a_third = 8;  // fewer come apart by themselves where they know of each other
  std::optional<Shift> out;
  const auto third = [&](std::size_t part) {
    return series.subspan(part * series.size() / 3,
                          (part + 1) * series.size() / 3 - part * series.size() / 3);
  };
  for (int from = 0; from < 2; ++from)
    for (int to = from + 1; to < 3; ++to) {
      const auto a = third(static_cast<std::size_t>(from)), b = third(static_cast<std::size_t>(to));
      if (std::min(a.size(), b.size()) < least_in_a_third) continue;
      if (std::ranges::max(a) >= std::ranges::min(b) && std::ranges::max(b) >= std::ranges::min(a)) continue;
      const double before = mean_of(a), after = mean_of(b), change = (after - before) / mean;
      if (out && std::abs(change) <= std::abs(out->change)) continue;
      const auto all = static_cast<unsigned>(a.size() + b.size());
      const double orders = boost::math::binomial_coefficient<double>(all, static_cast<unsigned>(a.size()));
      out = Shift{.from = from,
                  .to = to,
                  .before = before,
                  .after = after,
                  .change = change,
                  .p_value = 3 * 2 / orders};
    }
  return out;
}

}  // namespace

double autocorrelation_time(std::span<const double> series) {
  return series.empty() ? 1 : time_of_centred(centred(series));
}

std::optional<Interval> mean_interval(std::span<const double> series, double confidence) {
  const double n = static_cast<double>(series.size());
  if (n < least_for_a_mean) return {};
  const std::vector<double> around = centred(series);
  const double independent = n / time_of_centred(around);
  if (independent < least_for_a_mean) return {};
  const double variance = autocovariance(around, 0) * n / (n - 1);
  const double half = t_quantile(independent - 1, confidence) * std::sqrt(variance / independent);
  const double mean = mean_of(series);
  return Interval{mean - half, mean + half};
}

std::optional<Interval> share_interval(std::span<const Exceedance> stretches, double confidence) {
  double samples = 0, beyond = 0;
  for (const Exceedance& e : stretches) {
    samples += e.samples;
    beyond += e.beyond;
  }
  if (samples <= 0 || static_cast<double>(stretches.size()) < least_for_a_mean) return {};
  const double share = beyond / samples;
  double independent = samples;
  if (share > 0 && share < 1 && stretches.size() >= 2) {
    // What each stretch has beyond its due; they sum to 0.
    std::vector<double> excess;
    for (const Exceedance& e : stretches) excess.push_back(e.beyond - share * e.samples);
    const double n = static_cast<double>(excess.size());
    const double variance =
        n * autocovariance(excess, 0) * n / (n - 1) * time_of_centred(excess) / (samples * samples);
    if (variance > 0) independent = std::min(samples, share * (1 - share) / variance);
  }
  const double hits = share * independent, tail = (1 - confidence) / 2;
  Interval interval{0, 1};
  if (hits > 0)
    interval.low =
        boost::math::quantile(boost::math::beta_distribution<>(hits, independent - hits + 1), tail);
  if (hits < independent)
    interval.high =
        boost::math::quantile(boost::math::beta_distribution<>(hits + 1, independent - hits), 1 - tail);
  return interval;
}

std::optional<Shift> largest_shift(std::span<const double> series, double significance) {
  constexpr std::size_t parts = 3, fitted = 2 * parts;  // a mean and a slope each
  const double n = static_cast<double>(series.size());
  if (n < least_for_a_shift) return {};
  const double mean = mean_of(series);
  if (mean == 0) return {};
  std::array<double, parts> means{}, lengths{};
  std::vector<double> residuals;
  double squares = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = part * series.size() / parts, end = (part + 1) * series.size() / parts;
    const std::span<const double> third = series.subspan(begin, end - begin);
    lengths[part] = static_cast<double>(third.size());
    means[part] = mean_of(third);
    for (const double r : around_a_line(third)) {
      residuals.push_back(r);
      squares += r * r;
    }
  }
  const bool exact = squares <= 1e-18 * n * mean * mean;
  // Each third has lost its mean and its slope: of six times as much as one mean, twice over to be safe.
  const double tau = exact ? 1 : time_of_centred(residuals, 2 * fitted);
  if (!exact && n / tau < least_for_a_shift) return thirds_apart(series, mean);
  const double freedom = n / tau - static_cast<double>(fitted);
  const double variance = squares / (n - static_cast<double>(fitted)) * tau;
  constexpr double comparisons = 3;
  Shift out;
  double furthest = -1, largest_error = 0;
  for (int from = 0; from < 2; ++from)
    for (int to = from + 1; to < 3; ++to) {
      const double change = (means[to] - means[from]) / mean;
      const double error = std::sqrt(variance * (1 / lengths[from] + 1 / lengths[to])) / std::abs(mean);
      largest_error = std::max(largest_error, error);
      const double distance = exact ? std::abs(change) : std::abs(change) / error;
      if (distance <= furthest) continue;
      furthest = distance;
      out = {.from = from, .to = to, .before = means[from], .after = means[to], .change = change};
    }
  if (exact) {
    out.p_value = std::abs(out.change) > 1e-9 ? 0 : 1;
  } else {
    const boost::math::students_t distribution(freedom);
    constexpr double power = 0.9;
    const double threshold = t_quantile(freedom, 1 - significance / comparisons);
    out.visible = largest_error * (threshold + t_quantile(freedom, 2 * power - 1));
    out.p_value =
        std::min(1.0, comparisons * 2 * boost::math::cdf(boost::math::complement(distribution, furthest)));
  }
  return out;
}

}  // namespace s3lt
