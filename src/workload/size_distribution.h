// Sizes of objects from a distribution, as size classes. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "workload/pattern.h"

namespace s3lt {

// Sizes whose logarithms are normally distributed, as those of files in file systems roughly are.
struct LogNormal {
  std::uint64_t median = 0;           // bytes; half of the objects are smaller
  double sigma = 1;                   // standard deviation of the natural logarithm of the size
  std::uint64_t least = 0, most = 0;  // bytes, 0 < least <= most
};

// More size classes than this make statistics that nobody reads.
inline constexpr std::size_t most_size_classes = 32;

// How many sizes `least`, 2 x `least`, 4 x `least`… up to `most` there are.
std::size_t doublings(const LogNormal& sizes);

// One size class for each of them. Its weight is the probability of the sizes that are nearer to it than to
// its neighbours (on a logarithmic scale: the borders are the geometric midpoints); what lies below `least`
// or above `most` falls to the first or the last. Together the weights are 1, but for classes of less than
// one object in a million, which are left out.
std::vector<SizeClass> lognormal_sizes(const LogNormal& sizes);

}  // namespace s3lt
