// A finished run as it was in memory, put together from the files that it left (docs/formats.md), so that the
// same code shows it again. Of a run that did not end, everything up to its last recorded second. Used by one
// thread; reads the run directory.
#pragma once

#include "results/run_reader.h"
#include "results/run_record.h"

namespace s3lt {

struct RebuiltRun {
  RunResult result;
  bool ended = true;     // else there was no summary.json, and no sizes
  bool goes_on = false;  // it has not ended, and its process still writes
};

// Totals are merged from histograms, never from percentiles. Figures that are kept for an operation but not
// for its sizes stand in a cell of their own without a size.
Result<RebuiltRun> rebuild_run(const RunReader& reader);

// summary.json as the run wrote it; rebuilt where it did not end.
boost::json::object summary_of(const RunReader& reader, const RebuiltRun& rebuilt);

}  // namespace s3lt
