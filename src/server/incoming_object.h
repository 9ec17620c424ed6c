// The bytes of a PUT as they arrive: checked against what the key says, and kept only from the first byte on
// that differs. Belongs to one request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/byte_keeper.h"

namespace s3lt::server {

class IncomingObject {
 public:
  // Without a size (a chunked body that announces none) the bytes are kept first and recognised at the end.
  IncomingObject(const ContentPool& pool, Capacity& capacity, std::string key, std::uint64_t key_hash,
                 std::optional<std::uint64_t> size);

  // False: these bytes would have to be kept, and there is no room. An object is admitted by its announced
  // size as soon as its first block shows that it has to be kept.
  bool append(std::span<const std::byte> bytes);
  std::uint64_t received() const { return received_ + first_.size(); }

  // All bytes are there. Fills key, content and bytes of the object.
  std::unique_ptr<Object> finish();

 private:
  enum class State { undecided, recognised, kept };
  bool decide(std::span<const std::byte> first);
  bool advance(std::span<const std::byte> bytes);
  bool keep_from_here();
  bool recognisable(std::uint64_t size) const;

  const ContentPool& pool_;
  Capacity& capacity_;
  std::string key_;
  std::uint64_t key_hash_;
  std::optional<std::uint64_t> size_;
  State state_ = State::undecided;
  ObjectContent content_;
  std::uint64_t received_ = 0;
  std::vector<std::byte> first_;  // of an undecided object: its first bytes
  std::optional<ByteKeeper> kept_;
};

}  // namespace s3lt::server
