// Any signed request, for whoever wants to know what a storage makes of it: every part is the caller's. Pure,
// thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/wire_profile.h"

namespace s3lt {

struct SignedRequest {
  std::string method = "GET";
  std::string bucket, key;                                 // either may be empty
  std::vector<std::pair<std::string, std::string>> query;  // as it is, not encoded
  // Signed, in lower case and sorted by nobody; and not signed, behind the signature.
  std::vector<std::pair<std::string, std::string>> headers, unsigned_headers;
  std::string payload_hash = std::string(empty_sha256);  // of x-amz-content-sha256
};

// The whole head, with its last empty line, over `head`.
void encode(const SignedRequest& request, const RequestContext& context, std::string& head);

}  // namespace s3lt
