#include "workload/content_pool.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/random.h"

namespace s3lt {
namespace {

constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

static_assert(std::endian::native == std::endian::little,
              "the content scheme is written for little-endian machines");

}  // namespace

void write_pool_bytes(std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const std::uint64_t begin = offset % ContentPool::full_size;
    const std::size_t n = std::min<std::uint64_t>(out.size(), ContentPool::full_size - begin);
    std::uint64_t state = begin / 8 * golden_gamma;
    std::size_t at = 0;
    for (; at + 8 <= n; at += 8) {
      const std::uint64_t word = mix64(state += golden_gamma);
      std::memcpy(out.data() + at, &word, 8);
    }
    if (at < n) {
      const std::uint64_t word = mix64(state + golden_gamma);
      std::memcpy(out.data() + at, &word, n - at);
    }
    out = out.subspan(n);
    offset += n;
  }
}

std::size_t ContentPool::size_for(std::uint64_t largest) {
  return std::min<std::uint64_t>((largest + block_size - 1) / block_size * block_size, full_size);
}

ContentPool::ContentPool(std::size_t size) {
  const std::size_t bytes = size_for(size);
  const std::shared_ptr<std::byte[]> built = std::make_shared_for_overwrite<std::byte[]>(bytes);
  write_pool_bytes(0, {built.get(), bytes});
  bytes_ = {built.get(), bytes};
  owner_ = built;
}

ContentPool::ContentPool(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)), bytes_(bytes) {}

}  // namespace s3lt
