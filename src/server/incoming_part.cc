#include "server/incoming_part.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

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

bool IncomingPart::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  if (state_ != State::undecided) return advance(bytes);
  if (!size_) return keep_from_here() && advance(bytes);
  const std::uint64_t block = std::min<std::uint64_t>(*size_, block_size);
  // The first block, in one piece, says what the part claims to be.
  first_.insert(first_.end(), bytes.begin(), bytes.end());
  if (first_.size() < block) return true;
  const std::vector<std::byte> joined = std::exchange(first_, {});
  return decide(std::span(joined).first(block)) && advance(joined);
}

bool IncomingPart::decide(std::span<const std::byte> first) {
  const auto claim = claim_of(key_hash_, *size_, first);
  const bool knows = claim && (claim->content.size <= pool_.size() || pool_.size() == ContentPool::full_size);
  if (!knows) return keep_from_here();
  content_ = *claim;
  state_ = State::recognised;
  return true;
}

bool IncomingPart::advance(std::span<const std::byte> bytes) {
  if (state_ == State::recognised) {
    const std::size_t same =
        matching_prefix(pool_, content_.content, content_.offset + received_, bytes);
    received_ += same;
    if (same == bytes.size()) return true;
    if (!keep_from_here()) return false;
    bytes = bytes.subspan(same);
  }
  received_ += bytes.size();
  return kept_->append(bytes);
}

// The bytes before are what the content says, and are written out.
bool IncomingPart::keep_from_here() {
  state_ = State::kept;
  kept_.emplace(capacity_);
  if (size_ && !kept_->reserve(*size_)) return false;
  return kept_->append_content(pool_, content_.content, content_.offset, received_);
}

Part IncomingPart::finish() {
  if (state_ == State::undecided) keep_from_here();  // an empty body
  Part part{.facts = {.size = received_}};
  if (state_ == State::recognised) {
    part.content = content_;
    part.facts.md5 = digest_of(content_, received_);
  } else {
    part.bytes = kept_->finish();
    part.facts.md5 = part.bytes->md5;
  }
  return part;
}

}  // namespace s3lt::server
