// Two runs side by side, and which of their figures differ by more than chance and by more than matters
// (docs/measurement.md, "Comparing runs"). Reads their directories; used by one thread.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "results/run_rebuild.h"

namespace s3lt {

// A figure of both runs. Rates are per second, percentiles microseconds, errors a share of the operations.
struct ComparedFigure {
  std::string pattern;
  OperationKind operation{};
  std::string name;  // rate, throughput, errors, p50, p90, p95, p99, p99.9
  double a = 0, b = 0;
  double change = 0;     // of b, as a share of a; of errors the difference of the shares
  double threshold = 0;  // below it a change of this direction says nothing; infinite: nobody can tell
  bool different = false;
  // Why nobody can tell, where the threshold is infinite: too few operations lie beyond the percentile, or
  // there are enough, but they are of too few seconds that know nothing of each other.
  bool few_samples = false;
};

// A percentile of one object size; intervals are kept for all sizes together only.
struct ComparedSize {
  std::string pattern;
  OperationKind operation{};
  std::string size;
  double p50_a = 0, p50_b = 0, p99_a = 0, p99_b = 0;  // microseconds
};

// The intended starts of an open loop, of A and of B.
struct ComparedArrivals {
  std::string pattern;
  std::array<ArrivalCounters, 2> of{};
};

struct Comparison {
  std::vector<ComparedFigure> figures;
  std::vector<ComparedArrivals> arrivals = {};  // where one of the runs has some
  // What to know before any figure is believed, sentences: a client that was the bottleneck, starts that were
  // not sent.
  std::vector<std::string> warnings = {};
  std::vector<ComparedSize> sizes = {};
  double confidence = 0.99;
  std::size_t intervals = 0;  // that the confidence was divided among
};

// What makes two runs apples and pears: one clause each, "pattern: baseload and spiky"; empty: they can be
// compared.
std::vector<std::string> incomparable(const RunReader& a, const RunReader& b);

struct RunToCompare {
  const RunReader& reader;
  const RebuiltRun& run;
};
Result<Comparison> compare_runs(const RunToCompare& a, const RunToCompare& b);

// Fields of `s3loadtest.comparison/1`, without the rules and the verdict.
boost::json::object comparison_object(const Comparison& comparison, const RunToCompare& a,
                                      const RunToCompare& b);

}  // namespace s3lt
