// What to know of two runs before their figures are compared. Pure functions, thread-safe.
#pragma once

#include "results/comparison.h"

namespace s3lt {

std::vector<ComparedArrivals> compared_arrivals(const RunResult& a, const RunResult& b);

// Sentences. A client that was the bottleneck is named first.
std::vector<std::string> comparison_warnings(const RunResult& a, const RunResult& b,
                                             const std::vector<ComparedArrivals>& arrivals);

}  // namespace s3lt
