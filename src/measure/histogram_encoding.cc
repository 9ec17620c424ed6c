// HdrHistogram's V2 encoding. Layout, all numbers big-endian:
//   cookie (4), payload length (4), normalizing index offset (4), significant digits (4),
//   lowest value (8), highest value (8), integer-to-double ratio (8), counts
// and around it: cookie (4), length (4), a zlib stream; around that: base64.
#include <zlib.h>

#include <bit>
#include <optional>
#include <span>
#include <vector>

#include "base/encoding.h"
#include "measure/histogram.h"

namespace s3lt {
namespace {

// The low nibble of the second-lowest digit is the word size of V1; V2 writes 1 there ("HISTFAAA").
constexpr std::uint32_t cookie_base_mask = 0xffffff0f, word_size = 0x10;
constexpr std::uint32_t v2_cookie = 0x1c849303, v2_compressed_cookie = 0x1c849304;
constexpr std::size_t header_size = 40, compressed_header_size = 8;
constexpr std::size_t longest_count = 9;  // bytes: eight of 7 bits and one of 8

void put_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 255));
}

std::uint64_t get_big_endian(std::string_view in, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(in[at + i]);
  return value;
}

void put_zigzag(std::string& out, std::int64_t value) {
  std::uint64_t rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (std::size_t i = 1; i < longest_count && rest > 127; ++i, rest >>= 7) {
    out.push_back(static_cast<char>((rest & 127) | 128));
  }
  out.push_back(static_cast<char>(rest));
}

// Nothing where the text ends within a number.
std::optional<std::int64_t> get_zigzag(std::string_view in, std::size_t& at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < longest_count; ++i) {
    if (at >= in.size()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(in[at++]);
    const bool last = i + 1 == longest_count;
    value |= static_cast<std::uint64_t>(last ? byte : byte & 127) << (7 * i);
    if (last || byte < 128) break;
  }
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::string encode_counts(const Histogram& histogram) {
  std::string out;
  const int length = histogram.empty() ? 0 : Histogram::index_of(histogram.max()) + 1;
  for (int index = 0; index < length;) {
    const std::uint64_t n = histogram.count_at(index++);
    if (n != 0) {
      put_zigzag(out, static_cast<std::int64_t>(n));
      continue;
    }
    std::int64_t zeros = 1;
    for (; index < length && histogram.count_at(index) == 0; ++index) ++zeros;
    put_zigzag(out, zeros == 1 ? 0 : -zeros);
  }
  return out;
}

std::unexpected<Error> broken(std::string_view why) {
  return usage_error("not a histogram that can be read: " + std::string(why));
}

// The payload (header and counts) inside base64 and the zlib stream.
Result<std::string> unpack(std::string_view text) {
  const std::optional<std::string> packed = from_base64(text);
  if (!packed) return broken("it is not base64");
  if (packed->size() < compressed_header_size) return broken("it is cut short");
  const auto cookie = static_cast<std::uint32_t>(get_big_endian(*packed, 0, 4));
  if ((cookie & cookie_base_mask) != v2_compressed_cookie)
    return broken("it is not in the compressed V2 encoding");
  const std::uint64_t length = get_big_endian(*packed, 4, 4);
  if (length > packed->size() - compressed_header_size) return broken("it is cut short");

  // No histogram of our layout is longer, whatever a hostile stream would inflate to.
  std::string payload(header_size + longest_count * static_cast<std::size_t>(Histogram::counts_length), '\0');
  auto size = static_cast<uLongf>(payload.size());
  const int status = uncompress(reinterpret_cast<Bytef*>(payload.data()), &size,
                                reinterpret_cast<const Bytef*>(packed->data() + compressed_header_size),
                                static_cast<uLong>(length));
  if (status != Z_OK) return broken("its compressed bytes are damaged");
  payload.resize(size);
  return payload;
}

}  // namespace

std::string Histogram::encode_compressed_base64() const {
  const std::string counts = encode_counts(*this);
  std::string payload;
  payload.reserve(header_size + counts.size());
  put_big_endian(payload, v2_cookie | word_size, 4);
  put_big_endian(payload, counts.size(), 4);
  put_big_endian(payload, 0, 4);  // normalizing index offset
  put_big_endian(payload, significant_digits, 4);
  put_big_endian(payload, lowest, 8);
  put_big_endian(payload, highest, 8);
  put_big_endian(payload, std::bit_cast<std::uint64_t>(1.0), 8);
  payload += counts;

  uLongf size = compressBound(static_cast<uLong>(payload.size()));
  std::vector<Bytef> deflated(size);
  // It cannot fail: the room is enough by compressBound, and without memory nothing else goes on either.
  compress(deflated.data(), &size, reinterpret_cast<const Bytef*>(payload.data()),
           static_cast<uLong>(payload.size()));
  std::string packed;
  packed.reserve(compressed_header_size + size);
  put_big_endian(packed, v2_compressed_cookie | word_size, 4);
  put_big_endian(packed, size, 4);
  packed.append(reinterpret_cast<const char*>(deflated.data()), size);
  return to_base64(std::as_bytes(std::span(packed)));
}

Result<Histogram> Histogram::decode_compressed_base64(std::string_view text) {
  const auto unpacked = unpack(text);
  if (!unpacked) return std::unexpected(unpacked.error());
  const std::string& payload = *unpacked;
  if (payload.size() < header_size) return broken("it is cut short");
  const auto cookie = static_cast<std::uint32_t>(get_big_endian(payload, 0, 4));
  if ((cookie & cookie_base_mask) != v2_cookie) return broken("it is not in the V2 encoding");
  const std::uint64_t length = get_big_endian(payload, 4, 4);
  if (length > payload.size() - header_size) return broken("it is cut short");
  // With the same digits and the same lowest value every bucket has the same index; a higher or lower
  // highest value only moves the end.
  if (get_big_endian(payload, 8, 4) != 0) return broken("its buckets are shifted");
  if (get_big_endian(payload, 12, 4) != significant_digits || get_big_endian(payload, 16, 8) != lowest) {
    return broken("it does not hold 3 significant digits from 1");
  }

  Histogram histogram;
  const std::string_view counts = std::string_view(payload).substr(header_size, length);
  std::int64_t index = 0;
  for (std::size_t at = 0; at < counts.size();) {
    const std::optional<std::int64_t> value = get_zigzag(counts, at);
    if (!value) return broken("it is cut short");
    if (*value < 0) {
      if (*value < -counts_length) return broken("its values are above one hour");
      index -= *value;
      continue;
    }
    if (*value > 0) {
      if (index > index_of(highest)) return broken("its values are above one hour");
      histogram.add_bucket(static_cast<int>(index), static_cast<std::uint64_t>(*value));
    }
    ++index;
  }
  return histogram;
}

}  // namespace s3lt
