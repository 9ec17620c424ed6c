// How sure the figures of a pattern are, in words for the summary. Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "results/run_record.h"

namespace s3lt {

// "95% sure: GET 71.2-73.4/s, p50 148us-150us, p99 700us-812us; PUT …"; empty where nothing is known.
std::string interval_line(const Certainty& certainty, std::string_view pattern);
// "too few samples: GET has 812, and p99 needs 1,000, p99.9 needs 10,000; …"; empty where all have enough.
std::string few_samples_line(const RunResult& result, std::string_view pattern);
// "steady: no drift found, where a change of 12% would have shown"; empty where it was not asked.
std::string steadiness_line(const Certainty& certainty, std::string_view pattern);

}  // namespace s3lt
