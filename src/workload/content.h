// The bytes of an object follow from its key (docs/content.md), so that anyone can make and check them.
//
// An object is cut into blocks of 4 KiB. In `unique`, block b of an object is block b of the pool, but for
// its last 32 bytes, which are a stamp of key hash, size, block number, generation and mode; a last block of
// fewer bytes ends in its stamp too (cut to the block where that has fewer than 32 bytes). The other modes
// leave stamps out or put zeros in (workload/content_mode.h), and are told by their stamps.
//
// All of it is values, but for the pool.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "workload/content_mode.h"
#include "workload/content_pool.h"

namespace s3lt {

inline constexpr std::size_t stamp_size = 32;

// What an object's bytes are made of.
struct ObjectContent {
  std::uint64_t key_hash = 0;  // hash64(key), the whole key with its prefix
  std::uint64_t size = 0;
  std::uint32_t generation = 0;
  ContentMode mode = {};
  bool operator==(const ObjectContent&) const = default;
};

// The mode in which an object of that size is written where `mode` is asked for: what has no room for a stamp
// could not tell its mode, and is unique.
constexpr ContentMode mode_at(ContentMode mode, std::uint64_t size) {
  return size < stamp_size ? ContentMode() : mode;
}

using Stamp = std::array<std::byte, stamp_size>;
Stamp make_stamp(const ObjectContent& content, std::uint64_t block);
struct StampFields {
  ObjectContent content;
  std::uint64_t block = 0;
};
// Nothing where the bytes are no stamp (its own check fails).
std::optional<StampFields> read_stamp(std::span<const std::byte, stamp_size> bytes);

// Cuts the bytes [offset, offset + length) of an object into pieces for a gathering write, without copying
// the pool. The pieces stay valid until the next call. One per thread or connection.
class ContentGather {
 public:
  static constexpr std::size_t max_pieces = 512;
  // At most max_pieces pieces, of about 1 MiB: sum of their lengths may be less than `length`.
  std::span<const iovec> gather(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                                std::uint64_t length);

 private:
  std::array<iovec, max_pieces> pieces_;
  std::array<Stamp, max_pieces / 2 + 1> stamps_;
};

// Writes the bytes [offset, offset + out.size()) of an object to out.
void copy_content(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                  std::span<std::byte> out);

// How many leading bytes of `bytes`, which claim to stand at `offset`, are the object's; bytes.size() if all.
std::size_t matching_prefix(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                            std::span<const std::byte> bytes);

// What the first bytes of a whole object say that it is: at least its first block, or all of it. Nothing
// where they are not the beginning of an object of this key and size in any known mode. Objects below 32
// bytes have a cut stamp: generation 0 is tried. So it is for an object in `shared` of which not all is
// given.
std::optional<ObjectContent> recognise(const ContentPool& pool, std::string_view key, std::uint64_t size,
                                       std::span<const std::byte> first);

}  // namespace s3lt
