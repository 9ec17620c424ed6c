#include "server/incoming_bytes.h"

#include <algorithm>
#include <utility>

namespace s3lt::server {

bool IncomingBytes::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  if (content_ || kept_) return advance(bytes);
  if (!size_) return keep_from_here() && advance(bytes);
  // The first block, in one piece, says what all of them claim to be.
  const std::uint64_t block = std::min<std::uint64_t>(*size_, block_size);
  std::vector<std::byte> joined;
  if (!first_.empty() || bytes.size() < block) {
    first_.insert(first_.end(), bytes.begin(), bytes.end());
    if (first_.size() < block) return true;
    joined = std::exchange(first_, {});
    bytes = joined;
  }
  content_ = claim(bytes, *size_);
  return (content_ || keep_from_here()) && advance(bytes);
}

bool IncomingBytes::advance(std::span<const std::byte> bytes) {
  if (content_) {
    const std::size_t same = matching_prefix(pool_, content_->content, content_->offset + received_, bytes);
    received_ += same;
    if (same == bytes.size()) return true;
    if (!keep_from_here()) return false;
    bytes = bytes.subspan(same);
  }
  received_ += bytes.size();
  return kept_->append(bytes);
}

// The bytes before are what the content says, and are written out.
bool IncomingBytes::keep_from_here() {
  const PartContent before = std::exchange(content_, std::nullopt).value_or(PartContent{});
  kept_.emplace(capacity_);
  if (size_ && !kept_->reserve(*size_)) return false;
  return kept_->append_content(pool_, before.content, before.offset, received_);
}

const std::optional<PartContent>& IncomingBytes::recognised() {
  if (!content_ && !kept_) keep_from_here();  // an empty body
  return content_;
}

}  // namespace s3lt::server
