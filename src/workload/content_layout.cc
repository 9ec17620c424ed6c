#include "workload/content_layout.h"

namespace s3lt {
namespace {

using Kind = ContentMode::Kind;
using Source = Segment::Source;

std::uint64_t shared_stamp_begin(const ObjectContent& content) {
  return content.size - std::min<std::uint64_t>(stamp_size, content.size);
}

// How many of the first `blocks` blocks are common: the percentage, rounded up or down as the key has it, so
// that it holds over many objects; and never all of them.
std::uint64_t common_blocks(const ObjectContent& content, std::uint64_t blocks) {
  if (blocks == 0) return 0;
  const std::uint64_t due = (blocks * content.mode.percent() + content.key_hash % 100) / 100;
  return std::min(due, blocks - 1);
}

}  // namespace

bool is_common_block(const ObjectContent& content, std::uint64_t block) {
  return content.mode.kind() == Kind::dedupe &&
         common_blocks(content, block + 1) > common_blocks(content, block);
}

Segment segment_at(const ObjectContent& content, std::uint64_t offset) {
  const Kind kind = content.mode.kind();
  if (kind == Kind::shared) {
    const std::uint64_t stamp = shared_stamp_begin(content);
    if (offset >= stamp) return {Source::stamp, stamp, content.size};
    // Up to the place where the pool begins again.
    const std::uint64_t begin = offset / ContentPool::full_size * ContentPool::full_size;
    return {Source::pool, begin, std::min(stamp, begin + ContentPool::full_size)};
  }
  const std::uint64_t number = offset / block_size, begin = number * block_size;
  const std::uint64_t end = std::min<std::uint64_t>(begin + block_size, content.size);
  const std::uint64_t stamp = end - std::min<std::uint64_t>(stamp_size, end - begin);
  if (kind == Kind::dedupe && is_common_block(content, number)) return {Source::pool, begin, end};
  if (offset >= stamp) return {Source::stamp, stamp, end, number};
  if (kind != Kind::compress) return {Source::pool, begin, stamp};
  const std::uint64_t zeros = stamp - std::min((end - begin) * content.mode.percent() / 100, stamp - begin);
  if (offset >= zeros) return {Source::zeros, zeros, stamp};
  return {Source::pool, begin, zeros};
}

std::uint64_t first_stamp_begin(const ObjectContent& content) {
  if (content.mode.kind() == Kind::shared) return shared_stamp_begin(content);
  const std::uint64_t end = std::min<std::uint64_t>(block_size, content.size);
  return end - std::min<std::uint64_t>(stamp_size, end);
}

Unit unit_at(const ObjectContent& content, std::uint64_t offset) {
  const std::uint64_t number = offset / block_size, begin = number * block_size;
  std::uint64_t end = std::min<std::uint64_t>(begin + block_size, content.size);
  if (content.mode.kind() == Kind::shared) {
    const std::uint64_t stamp = shared_stamp_begin(content);
    if (offset >= stamp) return {stamp, content.size, stamp, 0};
    end = std::min(end, stamp);
  }
  const bool numbered = content.mode.kind() != Kind::shared;
  return {begin, end, end - std::min<std::uint64_t>(stamp_size, end - begin), numbered ? number : 0};
}

}  // namespace s3lt
