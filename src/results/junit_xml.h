// The objectives of a run as JUnit XML, which every CI system shows: a test suite of the run, a test case for
// each objective (docs/formats.md). Pure, thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

std::string junit_xml(const RunResult& result);

}  // namespace s3lt
