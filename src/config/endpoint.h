// Where the storage listens: `scheme://host[:port]`. Values and pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace s3lt {

struct Endpoint {
  bool tls = false;
  std::string host;  // a name or an address; IPv6 without its brackets
  std::uint16_t port = 0;

  // "http://10.0.0.1:9000"; the scheme's own port is left out.
  std::string url() const;
  // The Host header, as SDKs send it: without port 80 (http) or 443 (https).
  std::string host_header() const;
  bool operator==(const Endpoint&) const = default;
};

// One URL, without `{…}`.
Result<Endpoint> parse_endpoint(std::string_view url);

// The endpoints of a comma-separated list in which `{1...16}` counts (`{01...16}` with leading zeros).
// `setting` is how the message shows the right line: "S3_ENDPOINTS=" or "--endpoint ".
Result<std::vector<Endpoint>> parse_endpoints(std::string_view list, std::string_view setting);

}  // namespace s3lt
