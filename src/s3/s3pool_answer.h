// Whose answer it is that came through s3pool. What the storage said it passes on with a header of its own;
// what it says itself (502, 503, 400, as text) has none. Pure, thread-safe.
#pragma once

#include "http/head.h"

namespace s3lt {

// The code that such an answer is counted and shown under.
inline constexpr const char* s3pool_code = "s3pool";

inline bool is_s3pools_own(const http::Headers& headers) {
  return !headers.has("x-s3pool-proxy") && headers.find("content-type").starts_with("text/plain");
}

}  // namespace s3lt
