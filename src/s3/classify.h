// What an HTTP answer of S3 means: its outcome, and whether the operation is tried again. Pure, thread-safe.
#pragma once

#include <string_view>

#include "base/vocabulary.h"

namespace s3lt {

// The outcome of a final answer. `code` is the S3 code of its error document, empty where there is none
// (HEAD); it decides before the status does. A 404 is `missing` here: only the caller knows whether a delete
// may have taken the key.
Outcome classify(int status, std::string_view code);

// RequestTimeout, PriorRequestNotComplete, SlowDown, ServiceUnavailable, InternalError, 429 and
// 500/502/503/504.
bool is_retryable(int status, std::string_view code);

}  // namespace s3lt
