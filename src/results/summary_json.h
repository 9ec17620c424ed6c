// The files of a run directory as JSON (docs/formats.md). One object each, no line ends. Thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

// Schema "s3loadtest.summary/1": fields are only ever added.
std::string summary_json(const RunResult& result);
// run.json: RunInfo with the host, its boot id and its clock, which are read here.
std::string run_json(const RunInfo& info);
// One line of series.jsonl. `minute`: whose endpoints it tells, where a minute ends with it; else null.
std::string series_line(const Snapshot& second, const Snapshot* minute = nullptr);

}  // namespace s3lt
