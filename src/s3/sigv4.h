// AWS Signature Version 4
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html). Signing costs two
// SHA-256 of a short text: the day's key and its HMAC states are cached. A Signer belongs to one thread; the
// free functions are pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/credentials.h"

namespace s3lt {

using Sha256 = std::array<std::byte, 32>;
Sha256 sha256(std::span<const std::byte> data);
std::string sha256_hex(std::string_view data);
inline constexpr std::string_view empty_sha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

// A SHA-256 over pieces (OpenSSL's low-level functions: no digest fetch, copyable).
class Sha256Stream {
 public:
  Sha256Stream();
  void update(const void* data, std::size_t size);
  Sha256 finish();

 private:
  alignas(8) std::byte state_[128];
};

struct SignedHeader {
  std::string_view name;   // lower case
  std::string_view value;  // trimmed
};

struct SigningInput {
  std::string_view method;
  std::string_view path;                  // as sent, encoded once
  std::string_view canonical_query;       // sorted, encoded; see canonical_query()
  std::span<const SignedHeader> headers;  // sorted by name
  std::string_view payload_hash;          // value of x-amz-content-sha256
};

class Signer {
 public:
  Signer(Credentials credentials, std::string region, std::string service = "s3");
  ~Signer();
  Signer(Signer&&) noexcept;

  // The signature (64 lower-case hex digits) of a request dated `amz_date` (20260204T120000Z).
  std::array<char, 64> signature(const SigningInput& input, std::string_view amz_date);
  // Appends "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
  void append_authorization(std::string& out, const SigningInput& input, std::string_view amz_date);

  const Credentials& credentials() const { return credentials_; }
  const std::string& region() const { return region_; }
  // The value of X-Amz-Date, kept for a second.
  std::string_view amz_date(WallTime t);

  // The key of a day, for chunk signatures: HMAC chain of date, region, service.
  Sha256 signing_key(std::string_view day) const;

 private:
  struct States;
  void derive(std::string_view day);
  Credentials credentials_;
  std::string region_, service_;
  std::string day_, scope_;
  std::string date_text_;
  std::int64_t date_second_ = -1;
  std::unique_ptr<States> states_;
  std::string canonical_;  // reused
};

Sha256 hmac_sha256(std::span<const std::byte> key, std::string_view data);
// Sorts "b&a=1" into "a=1&b=" (parameters as sent, encoded).
std::string canonical_query(std::string_view query);

}  // namespace s3lt
