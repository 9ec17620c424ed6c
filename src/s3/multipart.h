// Objects in parts (S3 API reference, "Multipart upload"): how they are cut, and what the storage answers. Pure,
// thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/units.h"
#include "workload/pattern.h"

namespace s3lt {

// S3's limits: of all parts but the last, and of their number. The largest part is the largest PUT.
inline constexpr std::uint64_t smallest_part = 5 * MiB;
inline constexpr std::uint64_t most_parts = 10'000;

constexpr std::uint64_t parts_of(std::uint64_t size, std::uint64_t part_size) {
  return size / part_size + (size % part_size != 0 ? 1 : 0);
}
// The size doubled until no more than most_parts of it make an object of `size`.
constexpr std::uint64_t doubled_to_fit(std::uint64_t part_size, std::uint64_t size) {
  while (parts_of(size, part_size) > most_parts) part_size *= 2;
  return part_size;
}

// A part that the storage has, as it is named when the upload is completed.
struct UploadedPart {
  unsigned number = 0;
  std::string etag;        // as it came, with its quotes
  std::string crc32 = {};  // x-amz-checksum-crc32 of the answer; empty: it had none
};

// The id in an InitiateMultipartUploadResult; empty where the text is none.
std::string parse_upload_id(std::string_view xml);
// Whether the text is a CompleteMultipartUploadResult: S3 may answer 200 and send an Error.
bool is_completed_upload(std::string_view xml);

}  // namespace s3lt
