// The aws-chunked coding of a body (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html):
// chunks with or without signatures, then trailing headers. Split anywhere. One decoder decodes one body.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "s3/sigv4.h"
#include "server/authentication.h"

namespace s3lt::server {

// How a body is put, as x-amz-content-sha256 says.
struct PayloadCoding {
  bool chunked = false, signed_chunks = false, trailer = false;
};
// Nothing where the value begins with STREAMING- but is none that S3 knows.
std::optional<PayloadCoding> payload_coding(std::string_view content_sha256);

class AwsChunkedDecoder {
 public:
  // The signer gives the signing key; it is not used for unsigned chunks.
  AwsChunkedDecoder(PayloadCoding coding, const Signer& signer, const Signature& signature);

  enum class Status { need_more, done, malformed, wrong_signature };
  struct Step {
    Status status = Status::need_more;
    std::size_t consumed = 0;
    std::string_view data;  // at most one run a step
  };
  Step step(std::string_view input);
  // After done: "name:value" lines, each ended by '\n', without the signature.
  const std::string& trailers() const { return trailers_; }
  // Bytes of the current chunk still to come.
  std::uint64_t remaining() const { return state_ == State::data ? remaining_ : 0; }

 private:
  enum class State { header, data, data_end, trailer, done };
  bool read_header();
  bool check_chunk();
  bool check_trailers();
  std::array<char, 64> sign(std::string_view algorithm, const Sha256* payload, std::string_view text);

  PayloadCoding coding_;
  Sha256 key_{};
  std::string scope_;
  Signature previous_;
  State state_ = State::header;
  std::string line_, trailers_, expected_, trailer_signature_;
  std::uint64_t remaining_ = 0;
  bool last_ = false;
  std::optional<Sha256Stream> hash_;
};

}  // namespace s3lt::server
