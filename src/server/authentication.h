// Verifies the SigV4 signature of a request, in its Authorization header or in its query (presigned), for
// real. One per thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/sigv4.h"
#include "server/request.h"
#include "server/time_text.h"

namespace s3lt::server {

// Why a request is refused, with what the error's XML adds ("<Region>us-east-1</Region>").
struct Refusal {
  S3Error error;
  std::string details;
};

// What the signatures of an aws-chunked body go on from.
struct Signature {
  std::array<char, 64> seed;
  std::string amz_date;
};

class Authenticator {
 public:
  Authenticator(const Credentials& credentials, const std::string& region);

  // Nothing where the request is signed as it must be; `now` is the server's time, in unix seconds.
  std::optional<Refusal> verify(const Request& request, std::int64_t now);
  // Of the request verified last.
  Signature last_signature() const { return {computed_, amz_date_}; }
  Signer& signer() { return signer_; }

 private:
  struct Authorization {
    std::string_view access_key, day, region, signed_headers, signature;
    bool presigned = false;
  };
  std::optional<Refusal> read_header(std::string_view text, Authorization& out) const;
  std::optional<Refusal> read_query(const Request& request, Authorization& out) const;
  std::optional<Refusal> check_scope(const Request& request, const Authorization& authorization) const;
  std::optional<Refusal> check_date(const Request& request, std::int64_t now);
  std::optional<Refusal> check_expiry(const Request& request, std::int64_t now);
  std::optional<Refusal> collect_headers(const Request& request, std::string_view names);
  bool matches(Signer& signer, const Request& request, const Authorization& authorization);
  Refusal wrong_region(const Authorization& authorization) const;
  bool asks_location(const Request& request, const Authorization& authorization) const;

  Signer signer_;
  Signer default_region_;  // clients that ask for a bucket's location do not know the region yet
  TimeText time_text_;
  std::string amz_date_;
  std::int64_t amz_date_seconds_ = 0;
  std::array<char, 64> computed_{};
  std::vector<SignedHeader> headers_;  // reused
  std::vector<std::string> folded_;    // values that are not as they stand in the head
};

}  // namespace s3lt::server
