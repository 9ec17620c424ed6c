// The bytes of a part of an upload as they arrive. A part of an object whose bytes are what its key says
// tells by its first stamp where in the object it stands, and is kept as that fact. Belongs to one request.
#pragma once

#include "server/incoming_bytes.h"

namespace s3lt::server {

class IncomingPart : public IncomingBytes {
 public:
  IncomingPart(const ContentPool& pool, Capacity& capacity, std::uint64_t key_hash,
               std::optional<std::uint64_t> size)
      : IncomingBytes(pool, capacity, size), key_hash_(key_hash) {}

  // All bytes are there: what they are, or the bytes, with size and digest among the facts.
  Part finish();

 private:
  std::optional<PartContent> claim(std::span<const std::byte> first, std::uint64_t size) const override;

  const std::uint64_t key_hash_;
};

}  // namespace s3lt::server
