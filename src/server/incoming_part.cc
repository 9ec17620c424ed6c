#include "server/incoming_part.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/random.h"

namespace s3lt::server {
namespace {

// Which object, and which of its bytes, a part with this first block claims to be.
std::optional<PartContent> claim_of(std::uint64_t key_hash, std::uint64_t part_size,
                                    std::span<const std::byte> block) {
  if (block.size() < stamp_size) return std::nullopt;
  const auto stamp = read_stamp(block.last<stamp_size>());
  if (!stamp || stamp->content.key_hash != key_hash) return std::nullopt;
  const ContentMode::Kind kind = stamp->content.mode.kind();
  // In `shared` the one stamp does not say where it stands.
  if (kind == ContentMode::Kind::unknown || kind == ContentMode::Kind::shared) return std::nullopt;
  const std::uint64_t offset = stamp->block * block_size, size = stamp->content.size;
  if (offset > size || part_size > size - offset) return std::nullopt;
  return PartContent{stamp->content, offset};
}

// Stands for the MD5 of bytes that were not hashed: of 32 digits, and the same for the same bytes.
Md5 digest_of(const PartContent& part, std::uint64_t length) {
  const ObjectContent& c = part.content;
  std::uint64_t low = mix64(c.key_hash ^ mix64(c.size + part.offset * 0x9e3779b97f4a7c15ULL));
  low = mix64(low ^ mix64(length + c.generation + (std::uint64_t{c.mode.byte()} << 32)));
  const std::array<std::uint64_t, 2> words{low, mix64(low ^ c.key_hash)};
  return std::bit_cast<Md5>(words);
}

}  // namespace

std::optional<PartContent> IncomingPart::claim(std::span<const std::byte> first, std::uint64_t size) const {
  auto claimed = claim_of(key_hash_, size, first.first(std::min<std::uint64_t>(size, block_size)));
  if (claimed && !knows_objects_of(claimed->content.size)) claimed.reset();
  return claimed;
}

Part IncomingPart::finish() {
  Part part{.facts = {.size = received()}};
  if (const auto& content = recognised()) {
    part.content = *content;
    part.facts.md5 = digest_of(*content, received());
  } else {
    part.bytes = kept().finish();
    part.facts.md5 = part.bytes->md5;
  }
  return part;
}

}  // namespace s3lt::server
