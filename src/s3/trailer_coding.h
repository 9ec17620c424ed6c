// The body of a PUT as boto3 sends it over https: aws-chunked with its CRC-32 as a trailer (S3 API reference,
// "Uploading objects with trailing checksums"), cut into HTTP chunks (RFC 9112, 7.1). Framing only: whose
// bytes stand where on the wire. Pure values; one belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace s3lt {

// Chunks of equal length, the last one shorter: each its length in hex, a line end, its bytes, a line end.
struct ChunkFraming {
  std::uint64_t chunk = 0, total = 0;  // bytes

  std::uint64_t wire_size() const;
  // How many of the total lie before this place on the wire (0 to wire_size()).
  std::uint64_t data_before(std::uint64_t offset) const;
  // What stands at this place (below wire_size()): framing, appended to `text`, or the bytes [data, data +
  // length) of the total.
  struct Run {
    std::uint64_t data = 0, length = 0;  // length 0: framing
  };
  Run at(std::uint64_t offset, std::string& text) const;
};

class TrailerCoding {
 public:
  // Of a body of `size` bytes with this value of x-amz-checksum-crc32.
  TrailerCoding(std::uint64_t size, std::string_view crc32_base64);

  // A whole small body in it.
  static std::string whole(std::string_view body, std::string_view crc32_base64);

  std::uint64_t wire_size() const { return outer_.wire_size() + last_chunk.size(); }
  // How many bytes of the body lie before this place on the wire.
  std::uint64_t body_before(std::uint64_t offset) const;
  // As ChunkFraming::at(), of the body's bytes.
  ChunkFraming::Run at(std::uint64_t offset, std::string& text) const;

 private:
  static constexpr std::string_view last_chunk = "0\r\n\r\n";
  std::string trailer_;  // behind the inner chunks
  ChunkFraming inner_, outer_;
};

}  // namespace s3lt
