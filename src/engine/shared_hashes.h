// The hashes of what objects in `shared` have in common, kept by size and part, so that of each further object only
// its stamp is hashed. Belongs to one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/encoding.h"
#include "s3/sigv4.h"
#include "workload/content_layout.h"

namespace s3lt {

// Of the bytes of a body so far.
struct PayloadHash {
  Sha256Stream sha256;
  std::uint32_t crc32 = 0;
  Md5Stream md5;
};

class SharedHashes {
 public:
  // How many of an object's first bytes all of its size have in common; 0 in the other modes.
  static std::uint64_t common_bytes(const ObjectContent& content) {
    return content.mode.kind() == ContentMode::Kind::shared ? first_stamp_begin(content) : 0;
  }
  // Bytes of the objects of one size.
  struct Stretch {
    std::uint64_t size = 0, offset = 0, length = 0;
    bool operator==(const Stretch&) const = default;
  };
  // Of what they have in common there; false where it is not known.
  bool find(const Stretch& stretch, PayloadHash& hash) const {
    const auto found = std::ranges::find(kept_, stretch, &Kept::stretch);
    if (found == kept_.end()) return false;
    hash = found->hash;
    return true;
  }
  void keep(const Stretch& stretch, const PayloadHash& hash) {
    if (kept_.size() == most || std::ranges::find(kept_, stretch, &Kept::stretch) != kept_.end()) return;
    kept_.push_back({stretch, hash});
  }

 private:
  struct Kept {
    Stretch stretch;
    PayloadHash hash;
  };
  static constexpr std::size_t most = 256;  // sizes, of which a pattern has few, and parts
  std::vector<Kept> kept_;
};

}  // namespace s3lt
