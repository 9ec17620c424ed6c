// Requests and answers of S3 for whoever tidies a bucket, beside those of a load (requests.h, xml.h; S3 API
// reference: ListObjectsV2, ListObjectVersions, ListMultipartUploads, AbortMultipartUpload, DeleteObjects,
// GetBucketVersioning, GetObjectRetention, GetObjectLegalHold). They look the same in every backend: signed,
// with nothing that is not needed. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/sigv4.h"
#include "s3/wire_profile.h"

namespace s3lt {

struct AdminRequest {
  std::string method = "GET";
  std::string key;                                         // empty: the bucket
  std::vector<std::pair<std::string, std::string>> query;  // as it is, not encoded
  std::string body;
};

// The whole head of the request, with its last empty line, over `head`; the body follows it.
void encode(const AdminRequest& request, std::string_view bucket, const RequestContext& context,
            std::string& head);

// A page of keys under `prefix`, and of the common prefixes up to `delimiter` (empty: none).
AdminRequest list_keys(std::string_view prefix, std::string_view delimiter, std::string_view token);

// An object, or one version of it.
struct ObjectVersion {
  std::string key, version;  // version empty: the newest, or the only one
  bool operator==(const ObjectVersion&) const = default;
};
struct VersionPage {
  std::vector<ObjectVersion> versions;  // delete markers too
  std::uint64_t markers = 0;            // how many of them are delete markers
  bool truncated = false;
  std::string next_key, next_version;
};
AdminRequest list_versions(std::string_view prefix, std::string_view key_marker,
                           std::string_view version_marker);
std::optional<VersionPage> parse_versions(std::string_view xml);

AdminRequest delete_versions(std::span<const ObjectVersion> objects);

struct Upload {
  std::string key, id;
};
struct UploadPage {
  std::vector<Upload> uploads;
  bool truncated = false;
  std::string next_key, next_id;
};
AdminRequest list_uploads(std::string_view prefix, std::string_view key_marker, std::string_view id_marker);
std::optional<UploadPage> parse_uploads(std::string_view xml);
AdminRequest abort_upload(const Upload& upload);

// A multipart upload from its begin to its end (CreateMultipartUpload, UploadPart, CompleteMultipartUpload).
AdminRequest create_upload(std::string_view key);
AdminRequest upload_part(const Upload& upload, unsigned number, std::string body);
AdminRequest complete_upload(const Upload& upload, std::span<const UploadedPart> parts);

AdminRequest get_versioning();
// "Enabled", "Suspended", or empty: never was.
std::string parse_versioning(std::string_view xml);
// Whether the bucket keeps, or once kept, versions of its objects.
bool parse_has_versions(std::string_view xml);

AdminRequest get_location();
// The region; empty is us-east-1. Nothing where it is no such answer.
std::optional<std::string> parse_location(std::string_view xml);

// Whether a bucket keeps versions from being deleted, and for how long without being asked to.
struct ObjectLock {
  bool enabled = false;
  std::string default_retention;  // "GOVERNANCE, 30 days"; empty: none
};
AdminRequest get_object_lock();
ObjectLock parse_object_lock(std::string_view xml);

// Why an object lock keeps a version from being deleted.
AdminRequest get_retention(const ObjectVersion& object);
// "GOVERNANCE until 2026-02-04T12:00:00Z"; empty where there is none.
std::string parse_retention(std::string_view xml);
AdminRequest get_legal_hold(const ObjectVersion& object);
bool parse_legal_hold(std::string_view xml);

}  // namespace s3lt
