// OpenSSL's low-level SHA-256 is deprecated in favour of EVP, whose digest fetch and context cost ten
// times what the hash of a short text does, and whose states cannot be copied cheaply.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "s3/sigv4.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "base/encoding.h"

namespace s3lt {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

unsigned char* raw(std::byte* p) {
  return reinterpret_cast<unsigned char*>(p);
}

// The states of HMAC after its padded keys: copied, not computed, for each message (RFC 2104).
struct HmacStates {
  SHA256_CTX inner, outer;
  explicit HmacStates(std::span<const std::byte> key) {
    std::array<unsigned char, 64> block{};
    if (key.size() > block.size()) {
      const Sha256 hashed = sha256(key);
      std::memcpy(block.data(), hashed.data(), hashed.size());
    } else {
      std::memcpy(block.data(), key.data(), key.size());
    }
    for (auto& b : block) b ^= 0x36;
    SHA256_Init(&inner);
    SHA256_Update(&inner, block.data(), block.size());
    for (auto& b : block) b ^= 0x36 ^ 0x5c;
    SHA256_Init(&outer);
    SHA256_Update(&outer, block.data(), block.size());
  }
  SHA256_CTX begin() const { return inner; }
  Sha256 finish(SHA256_CTX& message) const {
    Sha256 digest;
    SHA256_Final(raw(digest.data()), &message);
    SHA256_CTX out = outer;
    SHA256_Update(&out, digest.data(), digest.size());
    SHA256_Final(raw(digest.data()), &out);
    return digest;
  }
};

}  // namespace

Sha256 sha256(std::span<const std::byte> data) {
  Sha256Stream stream;
  stream.update(data.data(), data.size());
  return stream.finish();
}

std::string sha256_hex(std::string_view data) {
  return to_hex(sha256(as_bytes(data)));
}

Sha256Stream::Sha256Stream() {
  static_assert(sizeof(SHA256_CTX) <= sizeof(state_));
  SHA256_Init(reinterpret_cast<SHA256_CTX*>(state_));
}
void Sha256Stream::update(const void* data, std::size_t size) {
  SHA256_Update(reinterpret_cast<SHA256_CTX*>(state_), data, size);
}
Sha256 Sha256Stream::finish() {
  Sha256 digest;
  SHA256_Final(raw(digest.data()), reinterpret_cast<SHA256_CTX*>(state_));
  return digest;
}

Sha256 hmac_sha256(std::span<const std::byte> key, std::string_view data) {
  const HmacStates states(key);
  SHA256_CTX message = states.begin();
  SHA256_Update(&message, data.data(), data.size());
  return states.finish(message);
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    parameters.emplace_back(item.substr(0, equals),
                            equals == item.npos ? std::string_view() : item.substr(equals + 1));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

struct Signer::States {
  HmacStates hmac;
};

Signer::Signer(Credentials credentials, std::string region, std::string service)
    : credentials_(std::move(credentials)), region_(std::move(region)), service_(std::move(service)) {
  canonical_.reserve(2048);
}
Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;

Sha256 Signer::signing_key(std::string_view day) const {
  Sha256 key = hmac_sha256(as_bytes("AWS4" + credentials_.secret_key), day);
  key = hmac_sha256(key, region_);
  key = hmac_sha256(key, service_);
  return hmac_sha256(key, "aws4_request");
}

void Signer::derive(std::string_view day) {
  day_ = day;
  scope_.assign(day).append("/").append(region_).append("/").append(service_).append("/aws4_request");
  states_ = std::make_unique<States>(HmacStates(signing_key(day)));
}

std::array<char, 64> Signer::signature(const SigningInput& input, std::string_view amz_date) {
  if (amz_date.substr(0, 8) != day_) derive(amz_date.substr(0, 8));

  canonical_.assign(input.method).append("\n").append(input.path).append("\n").append(input.canonical_query);
  canonical_ += '\n';
  for (const SignedHeader& h : input.headers)
    canonical_.append(h.name).append(":").append(h.value).append("\n");
  for (char separator = '\n'; const SignedHeader& h : input.headers) {
    canonical_ += separator;
    canonical_ += h.name;
    separator = ';';
  }
  canonical_.append("\n").append(input.payload_hash);

  std::array<char, 64> hex;
  write_hex(sha256(as_bytes(canonical_)), hex.data());
  SHA256_CTX message = states_->hmac.begin();
  const auto update = [&](std::string_view text) { SHA256_Update(&message, text.data(), text.size()); };
  update(algorithm);
  update("\n");
  update(amz_date);
  update("\n");
  update(scope_);
  update("\n");
  update({hex.data(), hex.size()});
  write_hex(states_->hmac.finish(message), hex.data());
  return hex;
}

void Signer::append_authorization(std::string& out, const SigningInput& input, std::string_view amz_date) {
  const std::array<char, 64> hex = signature(input, amz_date);
  out.append(algorithm).append(" Credential=").append(credentials_.access_key).append("/").append(scope_);
  out += ", SignedHeaders=";
  for (bool first = true; const SignedHeader& h : input.headers) {
    if (!first) out += ';';
    out += h.name;
    first = false;
  }
  out.append(", Signature=").append(hex.data(), hex.size());
}

std::string_view Signer::amz_date(WallTime t) {
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
  if (second != date_second_) {
    date_text_ = format_basic_utc(t);
    date_second_ = second;
  }
  return date_text_;
}

}  // namespace s3lt
