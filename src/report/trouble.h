// What a storage in trouble did, in words for the summary's closing sentence. Pure functions, thread-safe.
#pragma once

#include <string>

#include "measure/snapshot.h"

namespace s3lt {

// "the storage is full: 312 writes were refused with 507 InsufficientStorage", "the storage throttled: 1,234
// attempts of 2,000 were answered with 503 SlowDown", "37 of 200 transfers of slow clients were slower than
// the clients", with "; " between them, or nothing: full at its first refusal, throttling and slowness from
// one in ten on.
std::string storage_trouble(const Snapshot& total);

}  // namespace s3lt
