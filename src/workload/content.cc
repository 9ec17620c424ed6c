#include "workload/content.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/encoding.h"
#include "base/random.h"

namespace s3lt {
namespace {

constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

// Where the pieces of one block lie within the object.
struct Block {
  std::uint64_t number, begin, stamp_begin, end;
};

Block block_at(std::uint64_t offset, std::uint64_t object_size) {
  const std::uint64_t number = offset / block_size, begin = number * block_size;
  const std::uint64_t end = std::min(begin + block_size, object_size);
  return {number, begin, end - std::min<std::uint64_t>(stamp_size, end - begin), end};
}

std::uint64_t check_of(const std::array<std::uint64_t, 3>& words) {
  std::uint64_t check = golden_gamma;
  for (const std::uint64_t word : words) check = mix64(check ^ word) + golden_gamma;
  return mix64(check);
}

std::uint64_t mask(std::uint64_t check, unsigned word) {
  return mix64(check + (word + 1) * golden_gamma);
}

}  // namespace

// Four words: key hash, block and generation, size and mode, check; the first three are masked by the
// check, so that stamps do not compress either.
Stamp make_stamp(const ObjectContent& content, std::uint64_t block) {
  const std::array<std::uint64_t, 3> words{content.key_hash, block << 32 | content.generation,
                                           content.size << 8 | static_cast<std::uint64_t>(content.mode)};
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
  if ((words[2] & 255) != static_cast<std::uint64_t>(ContentMode::unique)) return std::nullopt;
  return fields;
}

std::span<const iovec> ContentGather::gather(const ContentPool& pool, const ObjectContent& content,
                                             std::uint64_t offset, std::uint64_t length) {
  std::size_t pieces = 0, stamps = 0;
  const std::uint64_t end = offset + length;
  while (offset < end && pieces + 2 <= max_pieces) {
    const Block block = block_at(offset, content.size);
    if (offset < block.stamp_begin) {
      const std::uint64_t stop = std::min(block.stamp_begin, end);
      pieces_[pieces++] = {const_cast<std::byte*>(pool.at(offset)), stop - offset};
      offset = stop;
    }
    if (offset < end && offset < block.end) {
      stamps_[stamps] = make_stamp(content, block.number);
      const std::uint64_t stop = std::min(block.end, end);
      pieces_[pieces++] = {stamps_[stamps++].data() + (offset - block.stamp_begin), stop - offset};
      offset = stop;
    }
  }
  return {pieces_.data(), pieces};
}

void copy_content(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                  std::span<std::byte> out) {
  std::byte* to = out.data();
  const std::uint64_t end = offset + out.size();
  while (offset < end) {
    const Block block = block_at(offset, content.size);
    if (offset < block.stamp_begin) {
      const std::uint64_t n = std::min(block.stamp_begin, end) - offset;
      std::memcpy(to, pool.at(offset), n);
      to += n;
      offset += n;
    }
    if (offset < end && offset < block.end) {
      const Stamp stamp = make_stamp(content, block.number);
      const std::uint64_t n = std::min(block.end, end) - offset;
      std::memcpy(to, stamp.data() + (offset - block.stamp_begin), n);
      to += n;
      offset += n;
    }
  }
}

std::size_t matching_prefix(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                            std::span<const std::byte> bytes) {
  const std::uint64_t begin = offset, end = std::min(offset + bytes.size(), content.size);
  const auto differs_at = [&](const std::byte* expected, std::uint64_t n) {
    const std::byte* found = bytes.data() + (offset - begin);
    if (std::memcmp(expected, found, n) == 0) return n;
    return static_cast<std::uint64_t>(std::mismatch(expected, expected + n, found).first - expected);
  };
  while (offset < end) {
    const Block block = block_at(offset, content.size);
    if (offset < block.stamp_begin) {
      const std::uint64_t n = std::min(block.stamp_begin, end) - offset,
                          same = differs_at(pool.at(offset), n);
      offset += same;
      if (same < n) return offset - begin;
    }
    if (offset < end && offset < block.end) {
      const Stamp stamp = make_stamp(content, block.number);
      const std::uint64_t n = std::min(block.end, end) - offset;
      const std::uint64_t same = differs_at(stamp.data() + (offset - block.stamp_begin), n);
      offset += same;
      if (same < n) return offset - begin;
    }
  }
  return offset - begin;
}

std::optional<ObjectContent> recognise(const ContentPool& pool, std::string_view key, std::uint64_t size,
                                       std::span<const std::byte> first) {
  const Block block = block_at(0, size);
  if (size == 0 || first.size() < block.end) return std::nullopt;
  first = first.first(block.end);
  ObjectContent content{.key_hash = hash64(key), .size = size};
  if (block.end >= stamp_size) {
    const auto fields = read_stamp(first.last<stamp_size>());
    if (!fields || fields->block != 0) return std::nullopt;
    if (fields->content.key_hash != content.key_hash || fields->content.size != size) return std::nullopt;
    content = fields->content;
  }
  if (matching_prefix(pool, content, 0, first) != first.size()) return std::nullopt;
  return content;
}

}  // namespace s3lt
