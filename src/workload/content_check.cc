#include "workload/content_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "base/encoding.h"

namespace s3lt {
namespace {

// Unrelated bytes differ in half of their bits; fewer than a quarter are damage to the right ones.
constexpr std::size_t bits_of_damage = 4;

bool mostly_the_same(std::span<const std::byte> expected, std::span<const std::byte> found) {
  std::size_t differing = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    differing += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(expected[i] ^ found[i])));
  }
  return differing * bits_of_damage < expected.size() * 8;
}

// Where the stamp of the block at `block_begin` stands.
std::uint64_t stamp_begin(std::uint64_t block_begin, std::uint64_t object_size) {
  const std::uint64_t end = std::min(block_begin + block_size, object_size);
  return end - std::min<std::uint64_t>(stamp_size, end - block_begin);
}

}  // namespace

// What was read of the block that differs, and what should have been.
struct ContentCheck::Evidence {
  std::uint64_t begin = 0;       // object offset of found[0]
  std::uint64_t offset = 0;      // of the first byte that differs
  std::vector<std::byte> found;  // up to the block's end; where the object should have ended, up to 4 KiB
  std::uint64_t end() const { return begin / block_size * block_size + block_size; }
  std::uint64_t missing() const { return end() - begin - found.size(); }
};

ContentCheck::ContentCheck(const ContentPool& pool, const ObjectContent& content, Depth depth)
    : pool_(pool), content_(content), depth_(depth) {}
ContentCheck::~ContentCheck() = default;

std::uint64_t ContentCheck::wanted() const {
  if (evidence_) return evidence_->missing();
  const std::uint64_t end =
      depth_ == Depth::bytes ? content_.size : std::min<std::uint64_t>(content_.size, block_size);
  return end - std::min(end, offset_);
}

// How many leading bytes are right, as far as they are looked at; all of them beyond the object's end.
std::size_t ContentCheck::matching(std::span<const std::byte> bytes) const {
  const std::uint64_t end = std::min(offset_ + bytes.size(), content_.size);
  const std::uint64_t whole_until = depth_ == Depth::bytes ? end : std::min<std::uint64_t>(end, block_size);
  std::uint64_t at = offset_;
  const auto differs_before = [&](std::uint64_t stop) {
    const std::uint64_t n = stop - at;
    const std::size_t same = matching_prefix(pool_, content_, at, bytes.subspan(at - offset_, n));
    at += same;
    return same < n;
  };
  if (at < whole_until && differs_before(whole_until)) return at - offset_;
  while (at < end) {
    const std::uint64_t block_begin = at / block_size * block_size;
    at = std::min(std::max(at, stamp_begin(block_begin, content_.size)), end);
    const std::uint64_t block_end = std::min(block_begin + block_size, end);
    if (at < end && differs_before(block_end)) return at - offset_;
  }
  return bytes.size();
}

// From the first mismatch on: keeps the block in which it lies.
void ContentCheck::gather(std::uint64_t offset, std::span<const std::byte> bytes) {
  evidence_ = std::make_unique<Evidence>();
  Evidence& e = *evidence_;
  e.offset = offset;
  const std::uint64_t block_begin = offset / block_size * block_size;
  // Of a block of which only the stamp was compared, only the stamp is known.
  const bool whole = depth_ == Depth::bytes || block_begin == 0;
  e.begin = whole ? block_begin : stamp_begin(block_begin, content_.size);
  e.found.resize(offset - e.begin);
  copy_content(pool_, content_, e.begin, e.found);
  const std::size_t n = std::min<std::uint64_t>(bytes.size(), e.missing());
  e.found.insert(e.found.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
}

void ContentCheck::take(std::span<const std::byte> bytes) {
  if (evidence_) {
    const std::size_t n = std::min<std::uint64_t>(bytes.size(), evidence_->missing());
    evidence_->found.insert(evidence_->found.end(), bytes.begin(),
                            bytes.begin() + static_cast<std::ptrdiff_t>(n));
  } else if (const std::size_t same = matching(bytes); same < bytes.size()) {
    gather(offset_ + same, bytes.subspan(same));
  }
  offset_ += bytes.size();
}

std::optional<Mismatch> ContentCheck::finish() const {
  if (!evidence_) return std::nullopt;
  const Evidence& e = *evidence_;
  const std::uint64_t block = e.offset / block_size, block_begin = block * block_size;
  const std::uint64_t known = std::min<std::uint64_t>(e.begin + e.found.size(), content_.size);
  std::vector<std::byte> expected(known - e.begin);
  copy_content(pool_, content_, e.begin, expected);
  const std::span<const std::byte> found(e.found);

  Mismatch mismatch{.kind = Corruption::foreign, .offset = e.offset};
  const std::size_t at = e.offset - e.begin;
  const auto shown = [at](std::span<const std::byte> bytes) {
    return to_hex(bytes.subspan(at, std::min(bytes.size() - at, Mismatch::most_shown)));
  };
  mismatch.expected = shown(expected);
  mismatch.found = shown(found);

  // A stamp says whose block this is: where it should stand, or where a longer or shorter object has it.
  std::optional<StampFields> stamp;
  for (const std::uint64_t end :
       {std::min(block_begin + block_size, content_.size), e.begin + e.found.size()}) {
    if (stamp || end < e.begin + stamp_size || end > e.begin + e.found.size()) continue;
    stamp = read_stamp(found.subspan(end - stamp_size - e.begin).first<stamp_size>());
  }
  const bool same_object = stamp && stamp->content.key_hash == content_.key_hash &&
                           stamp->content.size == content_.size && stamp->block == block;
  if (stamp && !same_object) {
    mismatch.kind = Corruption::swapped;
    mismatch.stamp = stamp;
  } else if (stamp && stamp->content.generation != content_.generation) {
    mismatch.kind = Corruption::stale;
    mismatch.stamp = stamp;
  } else if (stamp || mostly_the_same(expected, found.first(expected.size()))) {
    mismatch.kind = Corruption::flipped;
  }
  return mismatch;
}

std::string Mismatch::text(const ObjectContent& content) const {
  std::string whose;
  if (kind == Corruption::flipped) {
    whose = "damaged bytes of the object";
  } else if (kind == Corruption::foreign) {
    whose = "bytes of no object that this tool has written";
  } else if (kind == Corruption::stale) {
    whose = fmt::format("generation {} of the object instead of {}", stamp->content.generation,
                        content.generation);
  } else if (stamp->content.key_hash != content.key_hash) {
    whose =
        fmt::format("block {} of an object of another key, of {} bytes", stamp->block, stamp->content.size);
  } else if (stamp->content.size != content.size) {
    whose = fmt::format("an object of this key, but of {} bytes instead of {}", stamp->content.size,
                        content.size);
  } else {
    whose = fmt::format("block {} of the object in another place", stamp->block);
  }
  return fmt::format("{} at offset {}: expected {}, found {}", whose, offset, expected, found);
}

}  // namespace s3lt
