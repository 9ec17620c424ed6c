// Low-level MD5, like the SHA-256 of s3/sigv4.cc, for its states can be copied.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/encoding.h"

#define XXH_INLINE_ALL
#include <isa-l/crc.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace s3lt {

void write_hex(std::span<const std::byte> bytes, char* out) {
  // Two digits at a time: signatures are written twice a request.
  static constexpr auto pairs = [] {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> table{};
    for (std::size_t b = 0; b < 256; ++b) table[b] = {digits[b >> 4], digits[b & 15]};
    return table;
  }();
  for (const std::byte b : bytes) {
    std::memcpy(out, pairs[std::to_integer<std::size_t>(b)].data(), 2);
    out += 2;
  }
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string out(2 * bytes.size(), '\0');
  write_hex(bytes, out.data());
  return out;
}

std::string to_base64(std::span<const std::byte> bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3 + 1, '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  std::size_t size = static_cast<std::size_t>(n);
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '=' && text.size() - i < 2; --i) --size;
  out.resize(size);
  return out;
}

std::uint32_t crc32(std::uint32_t crc, const void* data, std::size_t size) {
  return crc32_gzip_refl(crc, static_cast<const unsigned char*>(data), size);
}

std::uint32_t crc32c(std::uint32_t crc, const void* data, std::size_t size) {
  // ISA-L leaves the inversions to its caller, takes lengths as int, and does not write to the data.
  constexpr std::size_t longest = 1 << 30;
  auto* bytes = static_cast<unsigned char*>(const_cast<void*>(data));
  crc = ~crc;
  while (size > 0) {
    const std::size_t n = std::min(size, longest);
    crc = crc32_iscsi(bytes, static_cast<int>(n), crc);
    bytes += n;
    size -= n;
  }
  return ~crc;
}

// Eight bytes at a time from tables (ISA-L has this CRC from 2.31 on only).
std::uint64_t crc64nvme(std::uint64_t crc, const void* data, std::size_t size) {
  static constexpr auto tables = [] {
    constexpr std::uint64_t polynomial = 0x9a6c9329ac4bc9b5ULL;  // reflected
    std::array<std::array<std::uint64_t, 256>, 8> t{};
    for (std::uint64_t b = 0; b < 256; ++b) {
      std::uint64_t c = b;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? (c >> 1) ^ polynomial : c >> 1;
      t[0][b] = c;
    }
    for (std::size_t k = 1; k < 8; ++k) {
      for (std::size_t b = 0; b < 256; ++b) t[k][b] = t[0][t[k - 1][b] & 255] ^ (t[k - 1][b] >> 8);
    }
    return t;
  }();
  const auto* bytes = static_cast<const unsigned char*>(data);
  crc = ~crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes, 8);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][word >> (8 * k) & 255];
  }
  for (; size > 0; --size, ++bytes) crc = tables[0][(crc ^ *bytes) & 255] ^ (crc >> 8);
  return ~crc;
}

std::string crc32_base64(std::uint32_t crc) {
  const std::array<std::byte, 4> big_endian{std::byte(crc >> 24), std::byte(crc >> 16 & 255),
                                            std::byte(crc >> 8 & 255), std::byte(crc & 255)};
  return to_base64(big_endian);
}

Md5Stream::Md5Stream() {
  static_assert(sizeof(MD5_CTX) <= sizeof(state_));
  MD5_Init(reinterpret_cast<MD5_CTX*>(state_));
}
void Md5Stream::update(const void* data, std::size_t size) {
  MD5_Update(reinterpret_cast<MD5_CTX*>(state_), data, size);
}
std::string Md5Stream::finish_base64() {
  std::array<std::byte, 16> digest;
  MD5_Final(reinterpret_cast<unsigned char*>(digest.data()), reinterpret_cast<MD5_CTX*>(state_));
  return to_base64(digest);
}

std::string md5_base64(std::string_view data) {
  Md5Stream stream;
  stream.update(data.data(), data.size());
  return stream.finish_base64();
}

std::uint64_t hash64(std::string_view text) {
  return XXH64(text.data(), text.size(), 0);
}

}  // namespace s3lt
