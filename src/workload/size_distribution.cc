#include "workload/size_distribution.h"

#include <cmath>
#include <numbers>

#include "base/units.h"

namespace s3lt {
namespace {

constexpr double least_weight = 1e-6;

// The share of the objects that are smaller than `bytes`.
double share_below(const LogNormal& sizes, double bytes) {
  const double deviations = std::log(bytes / static_cast<double>(sizes.median)) / sizes.sigma;
  return std::erfc(-deviations / std::numbers::sqrt2) / 2;
}

}  // namespace

std::size_t doublings(const LogNormal& sizes) {
  std::size_t count = 1;
  for (std::uint64_t bytes = sizes.least; bytes <= sizes.most / 2; bytes *= 2) ++count;
  return count;
}

std::vector<SizeClass> lognormal_sizes(const LogNormal& sizes) {
  std::vector<SizeClass> classes;
  const std::size_t count = doublings(sizes);
  std::uint64_t bytes = sizes.least;
  double below = 0;
  for (std::size_t i = 0; i < count; ++i, bytes *= 2) {
    const double border = static_cast<double>(bytes) * std::numbers::sqrt2;
    const double up_to = i + 1 < count ? share_below(sizes, border) : 1;
    const double weight = up_to - below;
    below = up_to;
    if (weight >= least_weight) classes.push_back({format_size_label(bytes), bytes, weight});
  }
  return classes;
}

}  // namespace s3lt
