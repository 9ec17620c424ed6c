// The slowest operation of a pattern in one sentence: what it was, where its time went, how to find it.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "measure/snapshot.h"

namespace s3lt {

// Empty where none of it is on record.
std::string slowest_sentence(const Snapshot& total, std::string_view pattern);

}  // namespace s3lt
