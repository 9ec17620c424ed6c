#include "server/aws_chunked.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace s3lt::server {
namespace {

constexpr std::size_t max_line = 4096, max_trailers = 16 * 1024;

bool same(std::string_view given, const std::array<char, 64>& computed) {
  return given.size() == computed.size() &&
         CRYPTO_memcmp(given.data(), computed.data(), computed.size()) == 0;
}

}  // namespace

std::optional<PayloadCoding> payload_coding(std::string_view v) {
  if (v == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") return PayloadCoding{true, false, true};
  if (v == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") return PayloadCoding{true, true, false};
  if (v == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") return PayloadCoding{true, true, true};
  if (v.starts_with("STREAMING-")) return std::nullopt;
  return PayloadCoding{};
}

AwsChunkedDecoder::AwsChunkedDecoder(PayloadCoding coding, const Signer& signer, const Signature& signature)
    : coding_(coding), previous_(signature) {
  if (!coding.signed_chunks) return;
  const std::string_view day = std::string_view(signature.amz_date).substr(0, 8);
  key_ = signer.signing_key(day);
  scope_.assign(day).append("/").append(signer.region()).append("/s3/aws4_request");
}

std::array<char, 64> AwsChunkedDecoder::sign(std::string_view algorithm, const Sha256* payload,
                                             std::string_view text) {
  std::string to_sign(algorithm);
  to_sign.append("\n").append(previous_.amz_date).append("\n").append(scope_).append("\n");
  to_sign.append(previous_.seed.data(), previous_.seed.size()).append("\n");
  if (payload != nullptr) {
    to_sign.append(empty_sha256).append("\n").append(to_hex(*payload));
  } else {
    to_sign += sha256_hex(text);
  }
  std::array<char, 64> hex;
  write_hex(hmac_sha256(key_, to_sign), hex.data());
  return hex;
}

// "400;chunk-signature=…"
bool AwsChunkedDecoder::read_header() {
  const std::size_t semicolon = std::min(line_.find(';'), line_.size());
  const auto [end, error] = std::from_chars(line_.data(), line_.data() + semicolon, remaining_, 16);
  if (error != std::errc() || end != line_.data() + semicolon || semicolon == 0) return false;
  if (coding_.signed_chunks) {
    constexpr std::string_view name = ";chunk-signature=";
    const std::string_view rest = std::string_view(line_).substr(semicolon);
    if (!rest.starts_with(name)) return false;
    expected_ = rest.substr(name.size());
    hash_.emplace();
  }
  last_ = remaining_ == 0;
  line_.clear();
  return true;
}

bool AwsChunkedDecoder::check_chunk() {
  if (!coding_.signed_chunks) return true;
  const Sha256 digest = hash_->finish();
  const std::array<char, 64> computed = sign("AWS4-HMAC-SHA256-PAYLOAD", &digest, {});
  previous_.seed = computed;
  return same(expected_, computed);
}

bool AwsChunkedDecoder::check_trailers() {
  if (!coding_.signed_chunks || !coding_.trailer) return true;
  return same(trailer_signature_, sign("AWS4-HMAC-SHA256-TRAILER", nullptr, trailers_));
}

AwsChunkedDecoder::Step AwsChunkedDecoder::step(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size()) {
    if (state_ == State::done) return {Status::done, at, {}};
    if (state_ == State::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
      const std::string_view data = input.substr(at, n);
      if (hash_) hash_->update(data.data(), n);
      remaining_ -= n;
      if (remaining_ == 0) {
        state_ = State::data_end;
        if (!check_chunk()) return {Status::wrong_signature, at + n, {}};
      }
      return {Status::need_more, at + n, data};
    }
    // All else is lines.
    const char c = input[at++];
    if (c != '\n') {
      if (line_.size() >= max_line) return {Status::malformed, at, {}};
      line_ += c;
      continue;
    }
    if (line_.empty() || line_.back() != '\r') return {Status::malformed, at, {}};
    line_.pop_back();
    switch (state_) {
      case State::header:
        if (!read_header()) return {Status::malformed, at, {}};
        if (last_ && !check_chunk()) return {Status::wrong_signature, at, {}};
        state_ = last_ ? State::trailer : State::data;
        break;
      case State::data_end:
        if (!line_.empty()) return {Status::malformed, at, {}};
        state_ = State::header;
        break;
      case State::trailer:
        if (line_.empty()) {
          state_ = State::done;
          return {check_trailers() ? Status::done : Status::wrong_signature, at, {}};
        }
        if (line_.starts_with("x-amz-trailer-signature:")) {
          trailer_signature_ = line_.substr(line_.find(':') + 1);
        } else {
          if (!coding_.trailer || trailers_.size() + line_.size() > max_trailers)
            return {Status::malformed, at, {}};
          trailers_.append(line_).append("\n");
        }
        line_.clear();
        break;
      case State::data:
      case State::done:
        break;
    }
  }
  return {state_ == State::done ? Status::done : Status::need_more, at, {}};
}

}  // namespace s3lt::server
