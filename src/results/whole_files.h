// Whether the files of a run hold all that its summary counts: a file that was cut tells other percentiles,
// and none of its lines shows it. Pure functions, thread-safe. Errors name the file.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "results/run_reader.h"

namespace s3lt {

// How many there are of each operation of a pattern.
using OperationCounts = std::map<std::pair<std::string, OperationKind>, std::uint64_t>;

// Operations with a response time: those that did what they were for.
std::uint64_t timed(const Counters& counters);

// More than the summary counts is no loss. A run without a summary has nothing to be held against.
Result<void> check_series_whole(const RunReader& reader, const OperationCounts& ended);
// `times`: response times in the log.
Result<void> check_histograms_whole(const RunReader& reader, const OperationCounts& times);

}  // namespace s3lt
