#include "server/request.h"

#include <algorithm>

#include "base/encoding.h"
#include "http/percent.h"

namespace s3lt::server {
namespace {

constexpr std::size_t max_key_bytes = 1024;

// "http://host/path" (RFC 9112, 3.2.2) is served like "/path".
std::string_view origin_form(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t end = target.find_first_of("/?", scheme.size());
    // "http://host?query" has no path to serve: what is left of it is refused.
    return end == target.npos ? std::string_view("/") : target.substr(end);
  }
  return target;
}

bool decode_to(std::string& out, std::string_view encoded) {
  if (encoded.find('%') == encoded.npos) {
    out.assign(encoded);
    return true;
  }
  auto decoded = http::decode(encoded);
  if (!decoded || decoded->find('\0') != decoded->npos) return false;
  out = std::move(*decoded);
  return true;
}

bool decode_query(Request& r) {
  r.parameters.clear();
  if (r.query.empty()) return true;
  for (const auto& [name, value] : http::split_query(r.query)) {
    auto decoded_name = http::decode(name, true), decoded_value = http::decode(value, true);
    if (!decoded_name || !decoded_value) return false;
    // No key holds a zero byte, and no XML could say it.
    if (decoded_name->find('\0') != decoded_name->npos || decoded_value->find('\0') != decoded_value->npos)
      return false;
    r.parameters.emplace_back(std::move(*decoded_name), std::move(*decoded_value));
  }
  return true;
}

// What a presigned request says about its signature, and x-id, with which newer SDKs repeat the operation's
// name.
constexpr std::array<std::string_view, 12> about_signature = {
    "x-id", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
    "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Content-Sha256",
    // Of version 2, which is refused by name.
    "AWSAccessKeyId", "Expires", "Signature"};

// Whether the query holds nothing but these (and what is about the signature). Everything else (versionId,
// torrent, restore…) changes what a request means, and must not be ignored.
bool only(const Request& r, std::initializer_list<std::string_view> allowed) {
  return std::all_of(r.parameters.begin(), r.parameters.end(), [&](const auto& p) {
    return std::find(about_signature.begin(), about_signature.end(), p.first) != about_signature.end() ||
           std::find(allowed.begin(), allowed.end(), p.first) != allowed.end();
  });
}
std::optional<S3Error> unless(bool good) {
  return good ? std::nullopt : std::optional(errors::not_implemented);
}

std::optional<S3Error> route_service(Request& r) {
  if (r.head.method != "GET") return errors::method_not_allowed;
  r.operation = Operation::list_buckets;
  if (!only(r, {})) return errors::not_implemented;
  return std::nullopt;
}

std::optional<S3Error> route_bucket(Request& r) {
  const std::string_view method = r.head.method;
  if (method == "GET" && r.parameter("location")) {
    r.operation = Operation::get_bucket_location;
    return unless(only(r, {"location"}));
  }
  if (method == "GET" && r.parameter("uploads")) {
    r.operation = Operation::list_multipart_uploads;
    return unless(only(r, {"uploads", "prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads",
                           "encoding-type"}));
  }
  if (const std::string_view name = subresource_name(r); method == "GET" && !name.empty()) {
    r.operation = Operation::get_subresource;
    return unless(only(r, {name}));
  }
  if (method == "POST" && r.parameter("delete")) {
    r.operation = Operation::delete_objects;
    return unless(only(r, {"delete"}));
  }
  if (method == "GET") {
    r.operation = Operation::list_objects;
    return unless(only(r, {"list-type", "prefix", "delimiter", "max-keys", "continuation-token",
                           "start-after", "encoding-type", "fetch-owner", "marker"}));
  }
  if (method == "PUT") {
    r.operation = Operation::create_bucket;
  } else if (method == "HEAD") {
    r.operation = Operation::head_bucket;
  } else if (method == "DELETE") {
    r.operation = Operation::delete_bucket;
  } else if (method == "POST") {
    return errors::not_implemented;
  } else {
    return errors::method_not_allowed;
  }
  return unless(only(r, {}));
}

// What is asked of an unfinished upload, or of the key's uploads.
std::optional<S3Error> route_upload(Request& r) {
  const std::string_view method = r.head.method;
  if (method == "POST" && r.parameter("uploads")) {
    r.operation = Operation::create_multipart_upload;
    return unless(only(r, {"uploads"}));
  }
  if (!r.parameter("uploadId")) return errors::not_implemented;
  if (method == "PUT") {
    const bool copy = r.head.headers.has("x-amz-copy-source");
    r.operation = copy ? Operation::upload_part_copy : Operation::upload_part;
    return unless(r.parameter("partNumber") && only(r, {"uploadId", "partNumber"}));
  }
  if (method == "GET") {
    r.operation = Operation::list_parts;
    return unless(only(r, {"uploadId", "max-parts", "part-number-marker", "encoding-type"}));
  }
  if (method == "POST") {
    r.operation = Operation::complete_multipart_upload;
  } else if (method == "DELETE") {
    r.operation = Operation::abort_multipart_upload;
  } else {
    return errors::method_not_allowed;
  }
  return unless(only(r, {"uploadId"}));
}

std::optional<S3Error> route_object(Request& r) {
  const std::string_view method = r.head.method;
  if (r.parameter("uploads") || r.parameter("uploadId")) return route_upload(r);
  if (const std::string_view name = subresource_name(r); method == "GET" && !name.empty()) {
    r.operation = Operation::get_subresource;
    return unless(only(r, {name}));
  }
  if (method == "GET") {
    r.operation = Operation::get_object;
  } else if (method == "PUT") {
    r.operation = r.head.headers.has("x-amz-copy-source") ? Operation::copy_object : Operation::put_object;
  } else if (method == "HEAD") {
    r.operation = Operation::head_object;
  } else if (method == "DELETE") {
    r.operation = Operation::delete_object;
  } else if (method == "POST") {
    return errors::not_implemented;
  } else {
    return errors::method_not_allowed;
  }
  if (method == "GET" || method == "HEAD") {
    return unless(
        only(r, {"response-content-type", "response-content-language", "response-expires",
                 "response-cache-control", "response-content-disposition", "response-content-encoding"}));
  }
  return unless(only(r, {}));
}

}  // namespace

const std::string* Request::parameter(std::string_view name) const {
  for (const auto& [n, value] : parameters) {
    if (n == name) return &value;
  }
  return nullptr;
}

std::optional<S3Error> route(Request& r) {
  r.operation = Operation::unknown;
  r.bucket.clear();
  r.key.clear();
  const std::string_view target = origin_form(r.head.target);
  const std::size_t mark = target.find('?');
  r.path = target.substr(0, mark);
  r.query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  if (!r.path.starts_with('/') || !decode_query(r)) return errors::invalid_uri;
  if (r.path == "/-/faults" || r.path == "/-/stats") {
    if (r.head.method != "GET" && r.head.method != "HEAD") return errors::method_not_allowed;
    r.operation = Operation::introspection;
    return std::nullopt;
  }
  const std::string_view rest = r.path.substr(1);
  const std::size_t slash = rest.find('/');
  const std::string_view key = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
  if (!decode_to(r.bucket, rest.substr(0, slash)) || !decode_to(r.key, key)) return errors::invalid_uri;
  if (r.bucket.empty()) return r.key.empty() ? route_service(r) : std::optional(errors::invalid_bucket_name);
  if (r.key.empty()) return route_bucket(r);
  r.key_hash = hash64(r.key);
  const auto problem = route_object(r);
  if (!problem && r.key.size() > max_key_bytes) return errors::key_too_long;
  return problem;
}

}  // namespace s3lt::server
