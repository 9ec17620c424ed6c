#include "workload/weighted_choice.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace s3lt {

WeightedChoice::WeightedChoice(std::span<const double> weights) {
  double sum = 0;
  for (const double weight : weights) steps_.push_back(sum += weight);
}

std::size_t WeightedChoice::at(double uniform) const {
  assert(!steps_.empty() && steps_.back() > 0);
  // Below the last step, however the product is rounded: then what is found has a weight.
  const double drawn = std::min(uniform * steps_.back(), std::nextafter(steps_.back(), 0.0));
  return static_cast<std::size_t>(std::ranges::upper_bound(steps_, drawn) - steps_.begin());
}

}  // namespace s3lt
