// The endpoints of a run as summary.json and series.jsonl have them (docs/formats.md), and back. Pure,
// thread-safe.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "measure/snapshot.h"
#include "results/run_reader.h"
#include "results/silence.h"

namespace s3lt {

// `endpoints` of the summary: those of `order` first, in that order.
boost::json::array endpoints_array(const Snapshot& total, const std::vector<std::string>& order,
                                   const SilentEndpoints& silent);
// Outcomes by endpoint and operation, for a line of the series.
boost::json::object endpoint_outcomes(const Snapshot& minute);

// Adds the outcomes that stand in a summary, or in a line of a series (null: none).
void add_endpoints(Snapshot& out, const boost::json::value* endpoints);
// Those of a summary that were silent at its end.
SilentEndpoints silent_in(const boost::json::value* endpoints);
// Adds a distribution of histograms.hlog.
void add_endpoint_times(Snapshot& out, const RecordedHistogram& line);

}  // namespace s3lt
