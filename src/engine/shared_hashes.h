// The hashes of what objects in `shared` have in common, kept by size, so that of each further object only
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
  // Those of objects of this size; false where they are not known.
  bool find(std::uint64_t size, PayloadHash& hash) const {
    const auto found = std::ranges::find(kept_, size, &Kept::size);
    if (found == kept_.end()) return false;
    hash = found->hash;
    return true;
  }
  void keep(std::uint64_t size, const PayloadHash& hash) {
    if (kept_.size() == most || std::ranges::find(kept_, size, &Kept::size) != kept_.end()) return;
    kept_.push_back({size, hash});
  }

 private:
  struct Kept {
    std::uint64_t size;
    PayloadHash hash;
  };
  static constexpr std::size_t most = 256;  // sizes; a pattern has few
  std::vector<Kept> kept_;
};

}  // namespace s3lt
