// The bytes of a part of an upload as they arrive. A part of an object whose bytes are what its key says tells by
// its first stamp where in the object it stands, and is kept as that fact; any other is kept byte by byte, from
// the first byte on that differs. Belongs to one request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "server/byte_keeper.h"
#include "server/multipart_uploads.h"

namespace s3lt::server {

class IncomingPart {
 public:
  // Without a size (a chunked body that announces none) the bytes are kept.
  IncomingPart(const ContentPool& pool, Capacity& capacity, std::uint64_t key_hash,
               std::optional<std::uint64_t> size)
      : pool_(pool), capacity_(capacity), key_hash_(key_hash), size_(size) {}

  // False: these bytes would have to be kept, and there is no room.
  bool append(std::span<const std::byte> bytes);
  std::uint64_t received() const { return received_ + first_.size(); }

  // All bytes are there: what they are, or the bytes, with size and digest among the facts.
  Part finish();

 private:
  enum class State { undecided, recognised, kept };
  bool decide(std::span<const std::byte> first);
  bool advance(std::span<const std::byte> bytes);
  bool keep_from_here();

  const ContentPool& pool_;
  Capacity& capacity_;
  const std::uint64_t key_hash_;
  const std::optional<std::uint64_t> size_;
  State state_ = State::undecided;
  PartContent content_;
  std::uint64_t received_ = 0;
  std::vector<std::byte> first_;  // of an undecided part: its first bytes
  std::optional<ByteKeeper> kept_;
};

}  // namespace s3lt::server
