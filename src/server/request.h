// A request as S3 understands it: which operation, on which bucket and key. Views point into the connection's
// buffer; the decoded texts are kept from request to request, so that they cost no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/head.h"
#include "server/errors.h"

namespace s3lt::server {

enum class Operation : std::uint8_t {
  put_object,
  get_object,
  head_object,
  delete_object,
  delete_objects,
  list_objects,
  create_bucket,
  head_bucket,
  delete_bucket,
  get_bucket_location,
  list_buckets,
  copy_object,
  create_multipart_upload,
  upload_part,
  upload_part_copy,
  complete_multipart_upload,
  abort_multipart_upload,
  list_parts,
  list_multipart_uploads,
  get_subresource,  // acl, versioning, tagging…
  introspection,    // GET /-/faults and /-/stats
  unknown,
};
inline constexpr std::size_t operation_count = 22;
// As faults and statistics name them; the first six as clients count them.
inline constexpr std::array<std::string_view, operation_count> operation_labels = {
    "PUT",           "GET",
    "HEAD",          "DELETE",
    "DELETE-BATCH",  "LIST",
    "CREATE-BUCKET", "HEAD-BUCKET",
    "DELETE-BUCKET", "GET-BUCKET-LOCATION",
    "LIST-BUCKETS",  "COPY",
    "CREATE-UPLOAD", "PART",
    "PART-COPY",     "COMPLETE-UPLOAD",
    "ABORT-UPLOAD",  "LIST-PARTS",
    "LIST-UPLOADS",  "SUBRESOURCE",
    "INTROSPECTION", "UNKNOWN"};
constexpr std::string_view label(Operation o) {
  return operation_labels[static_cast<std::size_t>(o)];
}

struct Request {
  http::RequestHead head;
  http::Framing framing;
  Operation operation = Operation::unknown;
  std::string_view path, query;                                 // as sent
  std::string bucket, key;                                      // decoded
  std::uint64_t key_hash = 0;                                   // of the key
  std::vector<std::pair<std::string, std::string>> parameters;  // of the query, decoded

  bool is_head() const { return head.method == "HEAD"; }
  const std::string* parameter(std::string_view name) const;
};

// The first query parameter that names a subresource of the bucket or object (acl, versioning…) which a GET
// is answered for; empty: none.
std::string_view subresource_name(const Request& request);

// Fills all but head and framing from head. What it returns is the answer where the request asks for
// something that cannot be (or not yet).
std::optional<S3Error> route(Request& request);

}  // namespace s3lt::server
