// The slowest operation of a run in one sentence: what it was, where its time went, how to find it.
// Thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

// Empty where the run has none on record.
std::string slowest_sentence(const RunResult& result);

}  // namespace s3lt
