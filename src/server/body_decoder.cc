#include "server/body_decoder.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"

namespace s3lt::server {
namespace {

bool is_hex_digest(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// The value of a trailer, without the white space that HTTP allows around it.
std::string trailer(const std::string& lines, std::string_view wanted) {
  std::string_view rest = lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !http::iequals(line.substr(0, colon), wanted)) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    return std::string(value);
  }
  return {};
}

}  // namespace

BodyDecoder::BodyDecoder(const Request& request, const Signer& signer, const Signature& signature) {
  const http::Headers& headers = request.head.headers;
  using Kind = http::Framing::Kind;
  if (request.framing.kind == Kind::chunked) {
    http_chunked_.emplace();
  } else {
    wire_remaining_ = request.framing.length;
    complete_ = wire_remaining_ == 0;
    announced_ = wire_remaining_;
  }
  const std::string_view content_sha256 = headers.find("x-amz-content-sha256");
  const auto coding = payload_coding(content_sha256);
  if (!coding) {
    error_ = errors::not_implemented;
    return;
  }
  if (coding->chunked) {
    aws_chunked_.emplace(*coding, signer, signature);
    announced_.reset();
    std::uint64_t length = 0;
    const std::string_view text = headers.find("x-amz-decoded-content-length");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
      error_ = errors::missing_content_length;
      return;
    }
    announced_ = length;
  } else if (is_hex_digest(content_sha256)) {
    sha256_expected_ = content_sha256;
    sha256_.emplace();
  } else if (!content_sha256.empty() && content_sha256 != unsigned_payload) {
    error_ = S3Error{"InvalidArgument", 400,
                     "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value or a SHA-256 in hex"};
    return;
  }
  expect_checksum(request);
  expect_md5(headers);
}

// At most one x-amz-checksum- header, or one announced as a trailer.
void BodyDecoder::expect_checksum(const Request& request) {
  // There it is the object's, not this body's.
  if (request.operation == Operation::complete_multipart_upload) return;
  constexpr std::string_view prefix = "x-amz-checksum-";
  const auto expect = [&](std::string_view header) {
    const std::string_view name = header.substr(prefix.size());
    if (http::iequals(name, "mode") || http::iequals(name, "algorithm") || http::iequals(name, "type"))
      return;
    const auto algorithm = find_checksum_algorithm(name);
    if (!algorithm) {
      error_ = {"InvalidRequest", 400,
                "The algorithm type you specified in x-amz-checksum- header is invalid."};
    } else if (checksum_) {
      error_ = {"InvalidRequest", 400,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."};
    } else {
      checksum_.emplace(*algorithm);
    }
  };
  const auto is_checksum = [&](std::string_view name) {
    return name.size() > prefix.size() && http::iequals(name.substr(0, prefix.size()), prefix);
  };
  for (const http::Header& h : request.head.headers.all()) {
    if (!is_checksum(h.name)) continue;
    expect(h.name);
    if (checksum_ && checksum_expected_.empty()) checksum_expected_ = h.value;
  }
  if (!aws_chunked_ || error_) return;
  const std::string_view trailers = request.head.headers.find("x-amz-trailer");
  if (!is_checksum(trailers)) return;
  expect(trailers);
  checksum_in_trailer_ = checksum_.has_value();
}

void BodyDecoder::expect_md5(const http::Headers& headers) {
  md5_expected_ = headers.find("content-md5");
  if (md5_expected_.empty()) return;
  const auto digest = from_base64(md5_expected_);
  if (!digest || digest->size() != 16) {
    error_ = errors::invalid_digest;
    return;
  }
  md5_.emplace();
}

std::size_t BodyDecoder::feed(std::string_view input, const PayloadSink& sink) {
  if (!http_chunked_) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(wire_remaining_, input.size()));
    take_wire(input.substr(0, n), sink);
    wire_remaining_ -= n;
    complete_ = wire_remaining_ == 0;
    return n;
  }
  std::size_t taken = 0;
  while (taken < input.size() && !complete_ && !broken_) {
    const auto step = http_chunked_->step(input.substr(taken));
    taken += step.consumed;
    if (!step.data.empty()) take_wire(step.data, sink);
    complete_ = step.status == http::ChunkedDecoder::Status::done;
    if (step.status == http::ChunkedDecoder::Status::malformed) {
      broken_ = true;
      if (!error_) error_ = errors::bad_request;
    }
  }
  return taken;
}

void BodyDecoder::take_wire(std::string_view bytes, const PayloadSink& sink) {
  if (!aws_chunked_) return take_payload(bytes, sink);
  while (!bytes.empty() && !error_) {
    if (aws_done_) {
      error_ = errors::incomplete_body;  // bytes after the last chunk
      return;
    }
    const auto step = aws_chunked_->step(bytes);
    bytes.remove_prefix(step.consumed);
    using Status = AwsChunkedDecoder::Status;
    if (step.status == Status::malformed) error_ = errors::incomplete_body;
    if (step.status == Status::wrong_signature) error_ = errors::signature_does_not_match;
    if (error_) return;
    if (!step.data.empty()) take_payload(step.data, sink);
    aws_done_ = step.status == Status::done;
  }
}

void BodyDecoder::take_payload(std::string_view bytes, const PayloadSink& sink) {
  if (error_) return;
  received_ += bytes.size();
  // Beyond its length nothing is kept; verify() says so, unless a chunk's signature turns out wrong first:
  // the answer must not depend on how the bytes came in.
  if (announced_ && received_ > *announced_) return;
  if (sha256_) sha256_->update(bytes.data(), bytes.size());
  if (md5_) md5_->update(as_bytes(bytes));
  if (checksum_) checksum_->update(as_bytes(bytes));
  error_ = sink(bytes);
}

std::optional<S3Error> BodyDecoder::check_checksum() {
  if (!checksum_) return std::nullopt;
  if (checksum_in_trailer_) {
    checksum_expected_ = trailer(aws_chunked_->trailers(), checksum_header(checksum_->algorithm()));
    if (checksum_expected_.empty()) {
      return S3Error{"MalformedTrailerError", 400, "The request announced a trailer that did not come"};
    }
  }
  const auto expected = parse_checksum(checksum_->algorithm(), checksum_expected_);
  if (!expected) {
    return S3Error{"InvalidRequest", 400, "Value for x-amz-checksum- header is invalid."};
  }
  if (checksum_->finish() != *expected) return errors::bad_digest;
  verified_ = *expected;
  return std::nullopt;
}

std::optional<S3Error> BodyDecoder::verify() {
  if (error_) return error_;
  if ((aws_chunked_ && !aws_done_) || (announced_ && received_ != *announced_))
    return errors::incomplete_body;
  if (sha256_ && to_hex(sha256_->finish()) != sha256_expected_) return errors::sha256_mismatch;
  if (md5_ && to_base64(md5_->finish()) != md5_expected_) return errors::bad_digest;
  return check_checksum();
}

}  // namespace s3lt::server
