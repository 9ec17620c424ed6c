// Hex, base64 and the checksums that need no key. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace s3lt {

std::string to_hex(std::span<const std::byte> bytes);  // lower case
// Writes 2 * bytes.size() lower-case digits to out.
void write_hex(std::span<const std::byte> bytes, char* out);
// The value of a hexadecimal digit in either case; -1 where it is none.
constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string to_base64(std::span<const std::byte> bytes);
std::optional<std::string> from_base64(std::string_view text);

// CRC-32 (ISO-HDLC, the one of gzip and of x-amz-checksum-crc32), continued from `crc`.
std::uint32_t crc32(std::uint32_t crc, const void* data, std::size_t size);
// CRC-32C (iSCSI; Castagnoli's polynomial), continued from `crc`: x-amz-checksum-crc32c.
std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t size);
// CRC-64/NVME, continued from `crc`: x-amz-checksum-crc64nvme.
std::uint64_t crc64nvme(std::uint64_t crc, const void* data, std::size_t size);
// The value of x-amz-checksum-crc32: big-endian, base64.
std::string crc32_base64(std::uint32_t crc);

// An MD5 over pieces; copyable.
class Md5Stream {
 public:
  Md5Stream();
  void update(const void* data, std::size_t size);
  std::string finish_base64();  // the value of Content-MD5 (RFC 1864)

 private:
  alignas(8) std::byte state_[96];
};
std::string md5_base64(std::string_view data);

// XXH64 with seed 0: the hash of an object's key in its content stamps (docs/content.md).
std::uint64_t hash64(std::string_view text);

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace s3lt
