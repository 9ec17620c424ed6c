// Whose answer it is that came through s3pool. What the storage said it passes on with a header of its own;
// what it says itself (502, 503, 400, as text) has none. Pure, thread-safe.
#pragma once

#include <string_view>

namespace s3lt {

// The code that such an answer is counted and shown under.
inline constexpr const char* s3pool_code = "s3pool";

inline constexpr const char* s3pool_header = "x-s3pool-proxy";

// `passed_on`: it has the header.
inline bool is_s3pools_own(bool passed_on, std::string_view content_type) {
  return !passed_on && content_type.starts_with("text/plain");
}

}  // namespace s3lt
