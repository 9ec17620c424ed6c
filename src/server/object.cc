#include "server/object.h"

#include <algorithm>
#include <bit>

#include "base/encoding.h"
#include "base/random.h"

namespace s3lt::server {

bool Capacity::take(std::uint64_t bytes) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > limit_ || used > limit_ - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

bool Reservation::grow(Capacity& capacity, std::uint64_t bytes) {
  if (!capacity.take(bytes)) return false;
  capacity_ = &capacity;
  bytes_ += bytes;
  return true;
}

void Reservation::absorb(Reservation&& other) {
  if (other.capacity_ == nullptr) return;
  capacity_ = std::exchange(other.capacity_, nullptr);
  bytes_ += std::exchange(other.bytes_, 0);
}

void Reservation::release() {
  if (capacity_ != nullptr) capacity_->give_back(bytes_);
  capacity_ = nullptr;
  bytes_ = 0;
}

std::string checksum_text(const Checksum& checksum, std::size_t parts) {
  std::string text = checksum.base64();
  if (checksum.composite) text.append("-").append(std::to_string(parts));
  return text;
}

void append_etag(std::string& out, const Object& object) {
  char digits[32];
  if (object.recognised()) {
    const ObjectContent& c = object.content;
    const std::uint64_t form = c.generation + (std::uint64_t{c.mode.byte()} << 32);
    const std::uint64_t low = mix64(c.key_hash ^ mix64(c.size + form * 0x9e3779b97f4a7c15ULL));
    const std::array<std::uint64_t, 2> words{low, mix64(low ^ c.key_hash)};
    write_hex(std::as_bytes(std::span(words)), digits);
    out.append("\"").append(digits, 32);
    out.append("-").append(std::to_string(std::max(object.parts, 1u))).append("\"");
  } else {
    write_hex(object.bytes->md5, digits);
    out.append("\"").append(digits, 32);
    if (object.bytes->parts > 0) out.append("-").append(std::to_string(object.bytes->parts));
    out += '"';
  }
}

}  // namespace s3lt::server
