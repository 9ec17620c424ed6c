#include "workload/content.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/encoding.h"
#include "base/random.h"
#include "workload/content_layout.h"

namespace s3lt {
namespace {

constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;
constexpr std::uint64_t most_gathered = 1 << 20;

alignas(64) constexpr std::array<std::byte, block_size> zeros{};

std::uint64_t check_of(const std::array<std::uint64_t, 3>& words) {
  std::uint64_t check = golden_gamma;
  for (const std::uint64_t word : words) check = mix64(check ^ word) + golden_gamma;
  return mix64(check);
}

std::uint64_t mask(std::uint64_t check, unsigned word) {
  return mix64(check + (word + 1) * golden_gamma);
}

// The bytes of a segment from `offset` on; a stamp is made in `stamp`.
const std::byte* bytes_at(const ContentPool& pool, const ObjectContent& content, const Segment& segment,
                          std::uint64_t offset, Stamp& stamp) {
  if (segment.source == Segment::Source::pool) return pool.at(offset);
  if (segment.source == Segment::Source::zeros) return zeros.data() + (offset - segment.begin);
  stamp = make_stamp(content, segment.number);
  return stamp.data() + (offset - segment.begin);
}

}  // namespace

// Four words: key hash, block and generation, size and mode, check; the first three are masked by the
// check, so that stamps do not compress either.
Stamp make_stamp(const ObjectContent& content, std::uint64_t block) {
  const std::array<std::uint64_t, 3> words{content.key_hash, block << 32 | content.generation,
                                           content.size << 8 | content.mode.byte()};
  const std::uint64_t check = check_of(words);
  std::array<std::uint64_t, 4> out{};
  for (unsigned i = 0; i < 3; ++i) out[i] = words[i] ^ mask(check, i);
  out[3] = check;
  return std::bit_cast<Stamp>(out);
}

std::optional<StampFields> read_stamp(std::span<const std::byte, stamp_size> bytes) {
  std::array<std::uint64_t, 4> in;
  std::memcpy(in.data(), bytes.data(), stamp_size);
  const std::uint64_t check = in[3];
  std::array<std::uint64_t, 3> words;
  for (unsigned i = 0; i < 3; ++i) words[i] = in[i] ^ mask(check, i);
  if (check_of(words) != check) return std::nullopt;
  StampFields fields;
  fields.content.key_hash = words[0];
  fields.block = words[1] >> 32;
  fields.content.generation = static_cast<std::uint32_t>(words[1]);
  fields.content.size = words[2] >> 8;
  fields.content.mode = ContentMode::from_byte(static_cast<std::uint8_t>(words[2]));
  return fields;
}

std::span<const iovec> ContentGather::gather(const ContentPool& pool, const ObjectContent& content,
                                             std::uint64_t offset, std::uint64_t length) {
  std::size_t pieces = 0, stamps = 0;
  const std::uint64_t end = offset + std::min(length, most_gathered);
  while (offset < end && pieces < max_pieces && stamps < stamps_.size()) {
    const Segment segment = segment_at(content, offset);
    const std::uint64_t stop = std::min(segment.end, end);
    const std::byte* from = bytes_at(pool, content, segment, offset, stamps_[stamps]);
    stamps += segment.source == Segment::Source::stamp ? 1 : 0;
    pieces_[pieces++] = {const_cast<std::byte*>(from), stop - offset};
    offset = stop;
  }
  return {pieces_.data(), pieces};
}

void copy_content(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                  std::span<std::byte> out) {
  Stamp stamp;
  while (!out.empty() && offset < content.size) {
    const Segment segment = segment_at(content, offset);
    const std::size_t n = std::min<std::uint64_t>(segment.end - offset, out.size());
    std::memcpy(out.data(), bytes_at(pool, content, segment, offset, stamp), n);
    out = out.subspan(n);
    offset += n;
  }
}

std::size_t matching_prefix(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                            std::span<const std::byte> bytes) {
  const std::uint64_t begin = offset, end = std::min(offset + bytes.size(), content.size);
  Stamp stamp;
  while (offset < end) {
    const Segment segment = segment_at(content, offset);
    const std::uint64_t n = std::min(segment.end, end) - offset;
    const std::byte* expected = bytes_at(pool, content, segment, offset, stamp);
    const std::byte* found = bytes.data() + (offset - begin);
    if (std::memcmp(expected, found, n) != 0) {
      return offset - begin +
             static_cast<std::size_t>(std::mismatch(expected, expected + n, found).first - expected);
    }
    offset += n;
  }
  return offset - begin;
}

std::optional<ObjectContent> recognise(const ContentPool& pool, std::string_view key, std::uint64_t size,
                                       std::span<const std::byte> first) {
  const std::uint64_t first_end = std::min<std::uint64_t>(block_size, size);
  if (size == 0 || first.size() < first_end) return std::nullopt;
  const bool whole = first.size() >= size;
  ObjectContent content{.key_hash = hash64(key), .size = size};
  const auto take_stamp = [&](std::uint64_t end) {
    const auto fields = read_stamp(first.subspan(end - stamp_size).first<stamp_size>());
    const bool right = fields && fields->block == 0 && fields->content.key_hash == content.key_hash &&
                       fields->content.size == size &&
                       fields->content.mode.kind() != ContentMode::Kind::unknown;
    if (right) content = fields->content;
    return right;
  };
  if (size >= stamp_size && !take_stamp(first_end)) {
    // In `shared` there is only one stamp, at the end.
    if (size <= block_size || (whole && !take_stamp(size))) return std::nullopt;
    content.mode = ContentMode::shared();
  }
  first = first.first(first_end);
  if (matching_prefix(pool, content, 0, first) != first.size()) return std::nullopt;
  return content;
}

}  // namespace s3lt
