#include "server/incoming_object.h"

#include <algorithm>

namespace s3lt::server {

IncomingObject::IncomingObject(const ContentPool& pool, Capacity& capacity, std::string key,
                               std::uint64_t key_hash, std::optional<std::uint64_t> size)
    : pool_(pool), capacity_(capacity), key_(std::move(key)), key_hash_(key_hash), size_(size) {
  content_.key_hash = key_hash;
  content_.size = size.value_or(0);
}

// A pool that is not full only tells what objects up to its size hold.
bool IncomingObject::recognisable(std::uint64_t size) const {
  return size > 0 && (size <= pool_.size() || pool_.size() == ContentPool::full_size);
}

bool IncomingObject::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  if (state_ != State::undecided) return advance(bytes);
  if (!size_ || !recognisable(*size_)) return keep_from_here() && advance(bytes);
  // The first block, in one piece, says what the object claims to be.
  if (first_.size() + bytes.size() < std::min<std::uint64_t>(*size_, block_size)) {
    first_.insert(first_.end(), bytes.begin(), bytes.end());
    return true;
  }
  if (first_.empty()) return decide(bytes) && advance(bytes);
  first_.insert(first_.end(), bytes.begin(), bytes.end());
  const std::vector<std::byte> joined = std::move(first_);
  first_.clear();
  return decide(joined) && advance(joined);
}

bool IncomingObject::decide(std::span<const std::byte> first) {
  const auto content = recognise(pool_, key_, *size_, first);
  if (!content) return keep_from_here();
  content_ = *content;
  state_ = State::recognised;
  return true;
}

bool IncomingObject::advance(std::span<const std::byte> bytes) {
  if (state_ == State::recognised) {
    const std::size_t same = matching_prefix(pool_, content_, received_, bytes);
    received_ += same;
    if (same == bytes.size()) return true;
    if (!keep_from_here()) return false;
    bytes = bytes.subspan(same);
  }
  received_ += bytes.size();
  return kept_->append(bytes);
}

// The bytes before are what the content says, and are written out.
bool IncomingObject::keep_from_here() {
  state_ = State::kept;
  kept_.emplace(capacity_);
  if (size_ && !kept_->reserve(*size_)) return false;
  return kept_->append_content(pool_, content_, 0, received_);
}

std::unique_ptr<Object> IncomingObject::finish() {
  auto object = std::make_unique<Object>();
  if (state_ == State::undecided) keep_from_here();  // an empty body
  // Whole, more is known than at first: without an announced size, and where the only stamp is at the end.
  if (state_ == State::kept && recognisable(kept_->size())) {
    const std::span<const std::byte> all = kept_->bytes();
    if (const auto content = recognise(pool_, key_, all.size(), all)) {
      if (matching_prefix(pool_, *content, 0, all) == all.size()) {
        state_ = State::recognised;
        content_ = *content;
      }
    }
  }
  if (state_ == State::kept) {
    content_ = {.key_hash = key_hash_, .size = kept_->size()};
    object->bytes = kept_->finish();
  }
  object->key = std::move(key_);
  object->content = content_;
  return object;
}

}  // namespace s3lt::server
