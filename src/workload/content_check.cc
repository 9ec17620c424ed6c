#include "workload/content_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "workload/content_layout.h"

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

}  // namespace

// What was read of the unit that differs, and what should have been.
struct ContentCheck::Evidence {
  std::uint64_t begin = 0;       // object offset of found[0]
  std::uint64_t offset = 0;      // of the first byte that differs
  std::uint64_t end = 0;         // where the unit ends; its block, where the object should have ended in it
  std::vector<std::byte> found;  // up to there
  std::uint64_t missing() const { return end - begin - found.size(); }
  void add(std::span<const std::byte> bytes) {
    const std::size_t n = std::min<std::uint64_t>(bytes.size(), missing());
    found.insert(found.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
  }
};

ContentCheck::ContentCheck(const ContentPool& pool, const ObjectContent& content, Depth depth)
    : pool_(pool), content_(content), depth_(depth) {}
ContentCheck::~ContentCheck() = default;

std::uint64_t ContentCheck::wanted() const {
  if (unverifiable_) return 0;
  if (evidence_) return evidence_->missing();
  // In `shared` the one stamp may stand behind the first block.
  const bool whole = depth_ == Depth::bytes || (content_.mode.kind() == ContentMode::Kind::shared &&
                                                offset_ >= first_stamp_begin(content_));
  const std::uint64_t end = whole ? content_.size : std::min<std::uint64_t>(content_.size, block_size);
  return end - std::min(end, offset_);
}

std::uint64_t ContentCheck::skippable() const {
  if (wanted() > 0) return 0;
  const std::uint64_t stamp = first_stamp_begin(content_);
  const bool stamp_to_come = !unverifiable_ && !evidence_ && offset_ < stamp;
  return stamp_to_come ? stamp - offset_ : UINT64_MAX;
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
  const bool one_stamp = content_.mode.kind() == ContentMode::Kind::shared;
  while (at < end) {
    const Unit unit = unit_at(content_, at);
    at = std::min(std::max(at, one_stamp ? first_stamp_begin(content_) : unit.stamp_begin), end);
    const std::uint64_t stop = std::min(one_stamp ? content_.size : unit.end, end);
    if (at < stop && differs_before(stop)) return at - offset_;
  }
  return bytes.size();
}

// From the first mismatch on: keeps the unit in which it lies.
void ContentCheck::gather(std::uint64_t offset, std::span<const std::byte> bytes) {
  evidence_ = std::make_unique<Evidence>();
  Evidence& e = *evidence_;
  e.offset = offset;
  const Unit unit = unit_at(content_, offset);
  if (offset < block_size && !mode_is_sure_) {
    e.end = block_size;
  } else {
    // Of a block of which only the stamp was compared, only the stamp is known.
    e.begin = depth_ == Depth::bytes || unit.begin < block_size ? unit.begin : unit.stamp_begin;
    // A longer object in this one's place has its stamp behind this one's end.
    e.end = unit.begin % block_size == 0 ? unit.begin + block_size : unit.end;
  }
  e.found.resize(offset - e.begin);
  copy_content(pool_, content_, e.begin, e.found);
  e.add(bytes);
}

// The mode in which a first block that is wrong in the one that was guessed is right; nothing: it is wrong.
std::optional<ContentMode> ContentCheck::mode_of(std::span<const std::byte> first_block) const {
  if (first_block.size() < stamp_size) return std::nullopt;
  if (const auto stamp = read_stamp(first_block.last<stamp_size>())) {
    const bool same = stamp->content.key_hash == content_.key_hash && stamp->content.size == content_.size &&
                      stamp->block == 0;
    return same ? std::optional(stamp->content.mode) : std::nullopt;
  }
  ObjectContent shared = content_;
  shared.mode = ContentMode::shared();
  const std::uint64_t end = std::min<std::uint64_t>(first_block.size(), first_stamp_begin(shared));
  const bool alike =
      content_.size > block_size && matching_prefix(pool_, shared, 0, first_block.first(end)) == end;
  return alike ? std::optional(shared.mode) : std::nullopt;
}

void ContentCheck::take(std::span<const std::byte> bytes) {
  if (unverifiable_) return;
  const std::uint64_t begin = offset_;
  std::size_t same = 0;
  if (!evidence_) {
    same = matching(bytes);
    if (same < bytes.size()) gather(begin + same, bytes.subspan(same));
  } else {
    evidence_->add(bytes);
  }
  offset_ += bytes.size();
  const std::uint64_t first_end = std::min<std::uint64_t>(block_size, content_.size);
  if (mode_is_sure_ || !evidence_ || evidence_->begin != 0 || evidence_->found.size() < first_end) return;
  // Once more from the beginning, as what it is.
  const auto first = std::exchange(evidence_, nullptr);
  mode_is_sure_ = true;
  content_.mode = mode_of(std::span(first->found).first(first_end)).value_or(content_.mode);
  unverifiable_ = content_.mode.kind() == ContentMode::Kind::unknown;
  offset_ = 0;
  take(first->found);
  if (first->found.size() < begin + bytes.size()) take(bytes.subspan(first->found.size() - begin));
}

std::optional<Mismatch> ContentCheck::finish() const {
  if (!evidence_) return std::nullopt;
  const Evidence& e = *evidence_;
  const Unit unit = unit_at(content_, e.offset);
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

  // A stamp says whose block this is: where it should stand, or where an object of another length or mode has
  // it.
  std::optional<StampFields> stamp;
  for (const std::uint64_t end :
       {unit.end, std::min(unit.begin + block_size, content_.size), e.begin + e.found.size()}) {
    if (stamp || end < e.begin + stamp_size || end > e.begin + e.found.size()) continue;
    stamp = read_stamp(found.subspan(end - stamp_size - e.begin).first<stamp_size>());
  }
  const bool same_object = stamp && stamp->content.key_hash == content_.key_hash &&
                           stamp->content.size == content_.size && stamp->block == unit.number;
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
