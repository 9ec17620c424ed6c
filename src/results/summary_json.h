// The summary as JSON, schema "s3loadtest.summary/1" (docs/formats.md). Pure, thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

std::string summary_json(const RunResult& result);
// run.json: RunInfo with the host, its boot id and its clock.
std::string run_json(const RunInfo& info);
// One line of series.jsonl.
std::string series_line(const Snapshot& second);

}  // namespace s3lt
