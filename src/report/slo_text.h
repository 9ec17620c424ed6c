// The objectives of a run for people. Pure functions, thread-safe.
#pragma once

#include <string>

#include "report/text.h"

namespace s3lt {

// A table of all of them with pass or fail and the value; empty where none was asked for.
std::string slo_block(const RunResult& result, const TextStyle& style);
// "; 2 of 4 SLOs were missed" for the closing sentence; empty where none was.
std::string slo_clause(const RunResult& result);

}  // namespace s3lt
