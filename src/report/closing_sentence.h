// How a summary ends. A pure function, thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

// One plain sentence: what the storage did, what stood out, whether the client can be trusted.
std::string closing_sentence(const RunResult& result);

}  // namespace s3lt
