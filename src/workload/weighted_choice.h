// One of several things, each as often as its weight says: sizes, and the operations of a mix. Immutable,
// thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace s3lt {

class WeightedChoice {
 public:
  WeightedChoice() = default;
  // Weights are relative to each other and not negative; what has none is never drawn.
  explicit WeightedChoice(std::span<const double> weights);

  // The index that a number drawn uniformly from [0, 1) falls on. There must be a weight above 0.
  std::size_t at(double uniform) const;

 private:
  std::vector<double> steps_;  // cumulative
};

}  // namespace s3lt
