// The digests of a PUT's or a part's body that a profile's requests name. Hashing takes turns with everything
// else on the thread (hash_queue.h).
#pragma once

#include <string>

#include "engine/load_thread.h"

namespace s3lt {

struct PayloadDigests {
  std::string sha256, crc32, md5;  // hex, base64, base64; of those not needed, nothing
};

inline bool any_digest(const WireTraits& needed) {
  return needed.sha256 || needed.crc32 || needed.md5;
}

// Those of the bytes [offset, offset + length) of an object. Ends early, without any, when the thread is cut.
Task<void> digest_payload(LoadThread& thread, std::size_t pattern, const WireTraits& needed,
                          const ObjectContent& content, std::uint64_t offset, std::uint64_t length,
                          PayloadDigests& out);

}  // namespace s3lt
