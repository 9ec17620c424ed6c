// What the seconds of a run become in series.jsonl and histograms.hlog (docs/formats.md): a line a second for
// the first day, and a line a minute from then on, so that a run of a month stays small. Response times of
// each operation are kept for each of these intervals, everything else for each minute. Used by one thread;
// touches no file.
#pragma once

#include <string>
#include <string_view>

#include "measure/snapshot.h"

namespace s3lt {

// Whole lines; empty: nothing to write yet.
struct IntervalText {
  std::string series, histograms;
};

class IntervalLines {
 public:
  // A second that begins so long after the start of the load is told with its minute only.
  static constexpr Duration seconds_until = std::chrono::hours(24);

  // The next second, in the order of time.
  IntervalText add(const Snapshot& second);
  // The minute that was not over yet; after it nothing is left.
  IntervalText finish();

 private:
  IntervalText end_minute(bool with_endpoints);

  Snapshot endpoints_;       // what endpoints did since they were last told: a minute, after a day an hour
  Snapshot minute_;          // what came since the last full minute; empty: from == to
  bool by_minutes_ = false;  // its seconds were not told
};

// The whole run, for the end of histograms.hlog.
std::string total_histogram_lines(const Snapshot& total);

}  // namespace s3lt
