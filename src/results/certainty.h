// How sure the figures of a run are, and whether it was steady: docs/measurement.md, "How sure is it". Plain
// data and pure functions, thread-safe.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "measure/batched_series.h"

namespace s3lt {

inline constexpr double shown_confidence = 0.95;
// Fewer samples beyond a percentile do not carry it.
inline constexpr double least_beyond = 10;
inline constexpr std::array<std::pair<double, const char*>, 5> shown_percentiles = {
    {{50, "p50"}, {90, "p90"}, {95, "p95"}, {99, "p99"}, {99.9, "p999"}}};

struct OperationCertainty {
  std::optional<Interval> rate;  // operations a second; nothing: too short, or it comes in bursts
  std::array<std::optional<Interval>, shown_percentiles.size()>
      percentiles;                                   // of response time, microseconds
  std::array<bool, shown_percentiles.size()> few{};  // rests on too few samples
};

// Whether a pattern did the same from its beginning to its end.
struct Steadiness {
  enum class Found { steady, drifting, unknown } found = Found::unknown;
  std::string why;  // "the rate of GET fell from 512/s in the first third to 400/s in the last (p = 0.0004)";
                    // "it works in bursts"
  double change = 0;   // of what changed most, as a part of its mean
  double p_value = 1;  // of that
  // When it stood still, in seconds since the start of the load: it was not steady then, whatever the test
  // says.
  std::vector<Interval> stops{};
};

struct Certainty {
  std::map<RunCourse::Key, OperationCertainty> operations;
  std::map<std::string, Steadiness> patterns;
};

// `changing` says of patterns whose load changes by itself why ("it works in bursts"): the mean of their rate
// is that of a schedule, and they are not tested.
Certainty certainty_of(const RunCourse& course, const Snapshot& total,
                       const std::map<std::string, std::string>& changing);

}  // namespace s3lt
