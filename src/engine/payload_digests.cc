#include "engine/payload_digests.h"

#include <algorithm>

namespace s3lt {
namespace {

// What is hashed at a time; the thread's other clients are served in between.
constexpr std::uint64_t hash_slice = 128 << 10;

}  // namespace

Task<void> digest_payload(LoadThread& thread, std::size_t pattern, const WireTraits& needed,
                          const ObjectContent& content, std::uint64_t offset, std::uint64_t length,
                          PayloadDigests& out) {
  SharedHashes& kept = thread.shared_hashes();
  const SharedHashes::Stretch stretch{content.size, offset, length};
  PayloadHash hash;
  const std::uint64_t end = offset + length;
  // What the objects of this size have in common there was hashed with the first of them.
  const std::uint64_t common = std::clamp(SharedHashes::common_bytes(content), offset, end);
  if (common > offset && kept.find(stretch, hash)) offset = common;
  // A short one is hashed at once.
  const bool waits = end - offset > hash_slice;
  const std::uint64_t arrival = waits ? thread.hash_queue().arrive() : 0;
  while (offset < end) {
    if (waits) co_await thread.hash_queue().turn(pattern, arrival, end - offset);
    if (thread.cut()) co_return;  // the attempt will not be made
    const std::uint64_t slice = std::min(hash_slice, (offset < common ? common : end) - offset);
    for (const iovec& piece : thread.gather().gather(*thread.plan().pool, content, offset, slice)) {
      if (needed.sha256) hash.sha256.update(piece.iov_base, piece.iov_len);
      if (needed.md5) hash.md5.update(piece.iov_base, piece.iov_len);
      if (needed.crc32) hash.crc32 = crc32(hash.crc32, piece.iov_base, piece.iov_len);
      offset += piece.iov_len;
    }
    if (offset == common) kept.keep(stretch, hash);
  }
  out.sha256.resize(64);
  write_hex(hash.sha256.finish(), out.sha256.data());
  out.crc32 = crc32_base64(hash.crc32);
  if (needed.md5) out.md5 = hash.md5.finish_base64();
}

}  // namespace s3lt
