#include "server/byte_keeper.h"

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

bool ByteKeeper::reserve(std::uint64_t size) {
  if (!kept_->reservation.grow(capacity_, size)) return false;
  kept_->data = std::make_unique_for_overwrite<std::byte[]>(size);
  room_ = size;
  fixed_ = true;
  return true;
}

bool ByteKeeper::make_room(std::uint64_t more) {
  if (more <= room_ - size_) return true;
  if (fixed_) return false;
  const std::uint64_t room = std::max<std::uint64_t>({size_ + more, 2 * room_, 64 * 1024});
  if (!kept_->reservation.grow(capacity_, room - room_)) return false;
  auto larger = std::make_unique_for_overwrite<std::byte[]>(room);
  if (size_ > 0) std::memcpy(larger.get(), kept_->data.get(), size_);
  kept_->data = std::move(larger);
  room_ = room;
  return true;
}

bool ByteKeeper::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  if (!make_room(bytes.size())) return false;
  std::memcpy(kept_->data.get() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
  md5_.update(bytes);
  return true;
}

bool ByteKeeper::append_content(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                                std::uint64_t length) {
  if (length == 0) return true;
  if (!make_room(length)) return false;
  const std::span<std::byte> place(kept_->data.get() + size_, length);
  copy_content(pool, content, offset, place);
  size_ += length;
  md5_.update(place);
  return true;
}

bool ByteKeeper::append_object(const ContentPool& pool, const Object& object, std::uint64_t offset,
                               std::uint64_t length) {
  if (object.recognised()) return append_content(pool, object.content, offset, length);
  return append({object.bytes->data.get() + offset, length});
}

std::unique_ptr<KeptBytes> ByteKeeper::finish() {
  kept_->md5 = md5_.finish();
  return std::move(kept_);
}

}  // namespace s3lt::server
