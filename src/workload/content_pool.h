// The bytes that objects are made of: one endless stream of 100 MiB that repeats, the same on every machine,
// not compressible (docs/content.md). A pool is immutable and shared by all threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace s3lt {

inline constexpr std::size_t block_size = 4096;

// Writes the stream's bytes [offset, offset + out.size()) to out; offset is a multiple of 8. The stream is
// the output of splitmix64 with seed 0, little-endian, and begins again behind ContentPool::full_size.
void write_pool_bytes(std::uint64_t offset, std::span<std::byte> out);

class ContentPool {
 public:
  static constexpr std::size_t full_size = 100 << 20;
  // Builds the first `size` bytes (rounded up to a block, at most full_size) in memory. Objects above
  // `size` need the full pool.
  explicit ContentPool(std::size_t size);
  // The stream's first bytes, which stand elsewhere already, for as long as `owner` lives. Whole blocks, at
  // most full_size.
  ContentPool(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
  // The pool byte under object offset `offset` (which must be below the size asked for, or the pool full).
  const std::byte* at(std::uint64_t offset) const { return bytes_.data() + offset % full_size; }
  std::size_t size() const { return bytes_.size(); }
  // What a pool for objects of up to `largest` bytes has to hold.
  static std::size_t size_for(std::uint64_t largest);

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
};

}  // namespace s3lt
