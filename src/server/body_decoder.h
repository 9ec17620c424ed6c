// A request's body as it comes over the wire, decoded (HTTP's chunked coding, within it aws-chunked) and held
// against everything that the request says about it: lengths, hashes, checksums, signatures. Pure: bytes come
// in as arguments. One decoder decodes one body.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "server/aws_chunked.h"
#include "s3/checksum.h"
#include "server/incoming_object.h"
#include "server/request.h"

namespace s3lt::server {

// Takes decoded bytes; an error ends the reception.
using PayloadSink = std::function<std::optional<S3Error>(std::string_view)>;

class BodyDecoder {
 public:
  // Reads what the request announces; error() where that cannot be.
  BodyDecoder(const Request& request, const Signer& signer, const Signature& signature);

  // The decoded length, where the request announces it.
  std::optional<std::uint64_t> announced() const { return announced_; }
  const std::optional<S3Error>& error() const { return error_; }

  // Takes bytes from the connection and says how many of them belong to the body. Stops at the body's end; an
  // error stops the decoding, but not the framing: the rest is still taken, so that the connection stays
  // usable.
  std::size_t feed(std::string_view input, const PayloadSink& sink);
  bool complete() const { return complete_; }
  // From here on the body is only taken off the connection: its answer is decided.
  void abandon(const S3Error& why) {
    if (!error_) error_ = why;
  }
  // These many bytes of a body that is not chunked were taken elsewhere; n <= wire_remaining().
  void skip(std::uint64_t n) {
    wire_remaining_ -= n;
    complete_ = wire_remaining_ == 0;
  }
  // The connection is out of step: it has to be closed after the answer.
  bool broken() const { return broken_; }
  // Bytes that surely belong to the body: reading no more than these reads nothing of the next request.
  std::uint64_t wire_remaining() const { return wire_remaining_; }
  bool http_chunked() const { return http_chunked_.has_value(); }

  // After complete(): whether lengths, hashes and checksums were right.
  std::optional<S3Error> verify();
  // What kind of x-amz-checksum- the request has or announces.
  ChecksumAlgorithm checksum_algorithm() const {
    return checksum_ ? checksum_->algorithm() : ChecksumAlgorithm::none;
  }
  // That the client sent, and that was right; none before verify().
  const Checksum& checksum() const { return verified_; }

 private:
  void take_wire(std::string_view bytes, const PayloadSink& sink);
  void take_payload(std::string_view bytes, const PayloadSink& sink);
  void expect_checksum(const Request& request);
  void expect_md5(const http::Headers& headers);
  std::optional<S3Error> check_checksum();

  std::optional<S3Error> error_;
  std::optional<http::ChunkedDecoder> http_chunked_;
  std::optional<AwsChunkedDecoder> aws_chunked_;
  std::uint64_t wire_remaining_ = 0;
  bool complete_ = false, broken_ = false, aws_done_ = false;

  std::optional<std::uint64_t> announced_;
  std::uint64_t received_ = 0;
  std::string sha256_expected_, md5_expected_, checksum_expected_;
  std::optional<Sha256Stream> sha256_;
  std::optional<Md5Stream> md5_;
  std::optional<ChecksumStream> checksum_;
  bool checksum_in_trailer_ = false;
  Checksum verified_;
};

}  // namespace s3lt::server
