// What a server is, from what it says of itself. Pure, thread-safe.
#pragma once

#include <string>

#include "engine/refusal.h"

namespace s3lt {

// "Ceph Object Gateway"; empty: it does not say.
std::string looks_like(const StorageAnswer& answer);

}  // namespace s3lt
