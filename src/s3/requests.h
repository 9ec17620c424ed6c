// The S3 requests that we send, as values. Views stay the caller's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace s3lt {

struct PutObject {
  std::string_view bucket, key;
  std::uint64_t size = 0;
  // Of the body, where the profile needs them (WireProfile::traits); otherwise empty.
  std::string_view sha256_hex = {}, crc32_base64 = {}, md5_base64 = {};
};
struct GetObject {
  std::string_view bucket, key;
  std::string_view range = {};  // "bytes=0-99"; empty: all of it
};
struct HeadObject {
  std::string_view bucket, key;
};
struct DeleteObject {
  std::string_view bucket, key;
};
struct DeleteObjects {
  std::string_view bucket;
  std::string_view body;  // as delete_objects_body() made it
};
struct ListObjects {
  std::string_view bucket, prefix;
  unsigned max_keys = 1000;
  std::string_view continuation_token = {};
};
// An object in parts (S3 API reference, "Multipart upload").
struct CreateUpload {
  std::string_view bucket, key;
};
struct UploadPart {
  std::string_view bucket, key, upload;
  unsigned number = 1;
  std::uint64_t size = 0;
  // Of the part, as PutObject has them.
  std::string_view sha256_hex = {}, crc32_base64 = {}, md5_base64 = {};
};
struct CompleteUpload {
  std::string_view bucket, key, upload;
  std::string_view body;  // as complete_upload_body() made it
};
struct AbortUpload {
  std::string_view bucket, key, upload;
};
struct HeadBucket {
  std::string_view bucket;
};
struct GetBucketLocation {
  std::string_view bucket;
};
struct CreateBucket {
  std::string_view bucket;
  std::string_view body = {};  // as create_bucket_body() made it: empty for us-east-1
};

}  // namespace s3lt
