// What the HTML report draws, as one JSON object: the run's own files, and its course in at most 600 bins of
// time. A bin's rates are sums and its percentiles those of its merged histograms. Streams the run directory:
// a month takes no more memory than an hour. Used by one thread.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <vector>

#include "results/run_rebuild.h"

namespace s3lt {

// A stretch of a pattern's schedule, in seconds since the start of the load.
struct PhaseSpan {
  double from = 0, to = 0;
  std::string_view kind;  // burst, or cycle
};
using PhaseSpans = std::map<std::string, std::vector<PhaseSpan>, std::less<>>;

// The object's fields are those that src/report/html/ reads; they are no format for others.
Result<boost::json::object> report_data(const RunReader& reader, const RebuiltRun& run,
                                        const PhaseSpans& phases);

}  // namespace s3lt
