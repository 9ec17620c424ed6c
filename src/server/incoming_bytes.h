// The bytes of a body as they arrive: those that are what their key says are compared and not kept, until one
// differs; from there on, and from the start where nobody recognises them, they are kept. Belongs to one
// request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "server/byte_keeper.h"
#include "server/multipart_uploads.h"

namespace s3lt::server {

class IncomingBytes {
 public:
  virtual ~IncomingBytes() = default;
  // False: these bytes would have to be kept, and there is no room. A body is admitted by its announced size
  // as soon as its first block shows that it has to be kept.
  bool append(std::span<const std::byte> bytes);
  std::uint64_t received() const { return received_ + first_.size(); }

 protected:
  // Without a size (a chunked body that announces none) the bytes are kept.
  IncomingBytes(const ContentPool& pool, Capacity& capacity, std::optional<std::uint64_t> size)
      : pool_(pool), capacity_(capacity), size_(size) {}
  // What `size` bytes that begin so (with their first block at least) claim to be; nothing: they are kept.
  virtual std::optional<PartContent> claim(std::span<const std::byte> first, std::uint64_t size) const = 0;

  // A pool that is not full only tells what objects up to its size hold.
  bool knows_objects_of(std::uint64_t size) const {
    return size > 0 && (size <= pool_.size() || pool_.size() == ContentPool::full_size);
  }
  // All bytes are there: what they are, or nothing: kept() has them.
  const std::optional<PartContent>& recognised();
  ByteKeeper& kept() { return *kept_; }

  const ContentPool& pool_;

 private:
  bool advance(std::span<const std::byte> bytes);
  bool keep_from_here();

  Capacity& capacity_;
  const std::optional<std::uint64_t> size_;
  std::optional<PartContent> content_;  // that all bytes so far are
  std::uint64_t received_ = 0;
  std::vector<std::byte> first_;  // before it is decided: the first bytes
  std::optional<ByteKeeper> kept_;
};

}  // namespace s3lt::server
