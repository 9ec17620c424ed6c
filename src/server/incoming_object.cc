#include "server/incoming_object.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

namespace s3lt::server {

void Md5Stream::Free::operator()(EVP_MD_CTX* context) const {
  EVP_MD_CTX_free(context);
}
Md5Stream::Md5Stream() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr);
}
void Md5Stream::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
}
Md5 Md5Stream::finish() {
  Md5 digest;
  EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return digest;
}

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
  return keep(bytes);
}

// The bytes before are what the content says, and are written out.
bool IncomingObject::keep_from_here() {
  state_ = State::kept;
  kept_ = std::make_unique<KeptBytes>();
  md5_.emplace();
  if (size_) {
    if (!kept_->reservation.grow(capacity_, *size_)) return false;
    kept_->data = std::make_unique_for_overwrite<std::byte[]>(*size_);
    kept_room_ = *size_;
  }
  const std::span<std::byte> before(kept_->data.get(), received_);
  copy_content(pool_, content_, 0, before);
  md5_->update(before);
  kept_size_ = received_;
  return true;
}

bool IncomingObject::keep(std::span<const std::byte> bytes) {
  if (bytes.size() > kept_room_ - kept_size_) {
    if (size_) return false;  // more than was announced
    const std::uint64_t room =
        std::max<std::uint64_t>({kept_size_ + bytes.size(), 2 * kept_room_, 64 * 1024});
    if (!kept_->reservation.grow(capacity_, room - kept_room_)) return false;
    auto larger = std::make_unique_for_overwrite<std::byte[]>(room);
    if (kept_size_ > 0) std::memcpy(larger.get(), kept_->data.get(), kept_size_);
    kept_->data = std::move(larger);
    kept_room_ = room;
  }
  std::memcpy(kept_->data.get() + kept_size_, bytes.data(), bytes.size());
  kept_size_ += bytes.size();
  md5_->update(bytes);
  return true;
}

std::unique_ptr<Object> IncomingObject::finish() {
  auto object = std::make_unique<Object>();
  if (state_ == State::undecided) keep_from_here();  // an empty body
  if (state_ == State::kept && !size_ && recognisable(kept_size_)) {
    const std::span<const std::byte> all(kept_->data.get(), kept_size_);
    if (const auto content = recognise(pool_, key_, kept_size_, all)) {
      if (matching_prefix(pool_, *content, 0, all) == kept_size_) {
        state_ = State::recognised;
        content_ = *content;
      }
    }
  }
  if (state_ == State::kept) {
    content_ = {.key_hash = key_hash_, .size = kept_size_};
    kept_->md5 = md5_->finish();
    object->bytes = std::move(kept_);
  }
  object->key = std::move(key_);
  object->content = content_;
  return object;
}

}  // namespace s3lt::server
