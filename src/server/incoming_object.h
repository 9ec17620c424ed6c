// The bytes of a PUT as they arrive, recognised as what the key says where they are that. Belongs to one
// request.
#pragma once

#include <memory>
#include <string>

#include "server/incoming_bytes.h"
#include "server/object.h"

namespace s3lt::server {

class IncomingObject : public IncomingBytes {
 public:
  // Bytes of no announced size are recognised at the end.
  IncomingObject(const ContentPool& pool, Capacity& capacity, std::string key, std::uint64_t key_hash,
                 std::optional<std::uint64_t> size)
      : IncomingBytes(pool, capacity, size), key_(std::move(key)), key_hash_(key_hash) {}

  // All bytes are there. Fills key, content and bytes of the object.
  std::unique_ptr<Object> finish();

 private:
  std::optional<PartContent> claim(std::span<const std::byte> first, std::uint64_t size) const override;

  std::string key_;
  const std::uint64_t key_hash_;
};

}  // namespace s3lt::server
