// Ranges and conditions of requests (RFC 9110, 13 and 14) against an object. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/head.h"
#include "server/object.h"

namespace s3lt::server {

struct Range {
  enum class Kind { whole, part, unsatisfiable } kind = Kind::whole;
  std::uint64_t begin = 0, length = 0;
};
// One range of bytes; anything else is ignored (whole), as S3 does.
Range parse_range(std::string_view text, std::uint64_t size);

// The status that the request's conditions lead to: 200, 304 or 412.
int check_conditions(const http::Headers& headers, const Object& object);
// The same of x-amz-copy-source-if-…: 200 or 412.
int check_source_conditions(const http::Headers& headers, const Object& object);

}  // namespace s3lt::server
