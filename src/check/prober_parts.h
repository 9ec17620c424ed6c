// What the parts of the prober share; for prober*.cc alone.
#pragma once

#include <string>

#include "check/prober.h"
#include "s3/checksum.h"

namespace s3lt {

// What the objects hold that it writes: nothing that a storage could shorten.
const std::string& probe_body();
// The same length, and other bytes.
const std::string& other_body();
std::string checksum_base64(ChecksumAlgorithm algorithm, std::string_view body);

}  // namespace s3lt
