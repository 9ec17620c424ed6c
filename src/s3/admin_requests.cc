#include "s3/admin_requests.h"

#include "base/encoding.h"
#include "http/percent.h"
#include "s3/signed_request.h"
#include "s3/xml.h"
#include "s3/xml_document.h"

namespace s3lt {
namespace {

constexpr std::string_view page_size = "1000";

std::string text(const pugi::xml_node& parent, std::string_view name) {
  return xml_text(xml_child(parent, name));
}

// Keys come encoded where that was asked for, since XML cannot hold every character.
std::string key_of(const pugi::xml_node& parent, std::string_view name, bool encoded) {
  std::string raw = text(parent, name);
  if (!encoded) return raw;
  return http::decode(raw, true).value_or(raw);
}

// The root of a document of that name, empty where the text is none.
pugi::xml_node root_of(pugi::xml_document& document, std::string_view xml, std::string_view name) {
  return load_xml(document, xml) ? xml_child(document, name) : pugi::xml_node();
}

AdminRequest of_version(const ObjectVersion& object, std::string_view what) {
  AdminRequest request{.method = "GET", .key = object.key, .query = {{std::string(what), ""}}, .body = {}};
  if (!object.version.empty()) request.query.emplace_back("versionId", object.version);
  return request;
}

bool is_encoded(const pugi::xml_node& root) {
  return text(root, "EncodingType") == "url";
}

}  // namespace

void encode(const AdminRequest& request, std::string_view bucket, const RequestContext& context,
            std::string& head) {
  SignedRequest sent{.method = request.method,
                     .bucket = std::string(bucket),
                     .key = request.key,
                     .query = request.query,
                     .payload_hash = sha256_hex(request.body)};
  if (!request.body.empty()) {
    sent.headers = {{"content-md5", md5_base64(request.body)}};
    sent.unsigned_headers = {{"Content-Length", std::to_string(request.body.size())}};
  }
  encode(sent, context, head);
}

// GET /{bucket}?list-type=2&prefix=…&delimiter=…
AdminRequest list_keys(std::string_view prefix, std::string_view delimiter, std::string_view token) {
  AdminRequest request;
  request.query = {{"list-type", "2"},
                   {"encoding-type", "url"},
                   {"max-keys", std::string(page_size)},
                   {"prefix", std::string(prefix)}};
  if (!delimiter.empty()) request.query.emplace_back("delimiter", delimiter);
  if (!token.empty()) request.query.emplace_back("continuation-token", token);
  return request;
}

// GET /{bucket}?versions&prefix=…
AdminRequest list_versions(std::string_view prefix, std::string_view key_marker,
                           std::string_view version_marker) {
  AdminRequest request;
  request.query = {{"versions", ""},
                   {"encoding-type", "url"},
                   {"max-keys", std::string(page_size)},
                   {"prefix", std::string(prefix)}};
  if (!key_marker.empty()) request.query.emplace_back("key-marker", key_marker);
  if (!version_marker.empty()) request.query.emplace_back("version-id-marker", version_marker);
  return request;
}

std::optional<VersionPage> parse_versions(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListVersionsResult");
  if (!root) return std::nullopt;
  const bool encoded = is_encoded(root);
  VersionPage page;
  for (const pugi::xml_node& child : root.children()) {
    const std::string_view name = xml_name(child);
    if (name != "Version" && name != "DeleteMarker") continue;
    page.versions.push_back({key_of(child, "Key", encoded), text(child, "VersionId")});
    page.markers += name == "DeleteMarker" ? 1 : 0;
  }
  page.truncated = text(root, "IsTruncated") == "true";
  page.next_key = key_of(root, "NextKeyMarker", encoded);
  page.next_version = text(root, "NextVersionIdMarker");
  return page;
}

// POST /{bucket}?delete
AdminRequest delete_versions(std::span<const ObjectVersion> objects) {
  AdminRequest request{.method = "POST", .key = {}, .query = {{"delete", ""}}, .body = "<Delete>"};
  for (const ObjectVersion& object : objects) {
    request.body += "<Object><Key>";
    append_xml_text(request.body, object.key);
    request.body += "</Key>";
    if (!object.version.empty()) {
      request.body += "<VersionId>";
      append_xml_text(request.body, object.version);
      request.body += "</VersionId>";
    }
    request.body += "</Object>";
  }
  request.body += "</Delete>";
  return request;
}

// GET /{bucket}?uploads&prefix=…
AdminRequest list_uploads(std::string_view prefix, std::string_view key_marker, std::string_view id_marker) {
  AdminRequest request;
  request.query = {{"uploads", ""},
                   {"encoding-type", "url"},
                   {"max-uploads", std::string(page_size)},
                   {"prefix", std::string(prefix)}};
  if (!key_marker.empty()) request.query.emplace_back("key-marker", key_marker);
  if (!id_marker.empty()) request.query.emplace_back("upload-id-marker", id_marker);
  return request;
}

std::optional<UploadPage> parse_uploads(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListMultipartUploadsResult");
  if (!root) return std::nullopt;
  const bool encoded = is_encoded(root);
  UploadPage page;
  for (const pugi::xml_node& child : root.children()) {
    if (xml_name(child) == "Upload")
      page.uploads.push_back({key_of(child, "Key", encoded), text(child, "UploadId")});
  }
  page.truncated = text(root, "IsTruncated") == "true";
  page.next_key = key_of(root, "NextKeyMarker", encoded);
  page.next_id = text(root, "NextUploadIdMarker");
  return page;
}

// DELETE /{bucket}/{key}?uploadId=…
AdminRequest abort_upload(const Upload& upload) {
  return {.method = "DELETE", .key = upload.key, .query = {{"uploadId", upload.id}}, .body = {}};
}

// POST /{bucket}/{key}?uploads
AdminRequest create_upload(std::string_view key) {
  return {.method = "POST", .key = std::string(key), .query = {{"uploads", ""}}, .body = {}};
}

// PUT /{bucket}/{key}?partNumber=…&uploadId=…
AdminRequest upload_part(const Upload& upload, unsigned number, std::string body) {
  return {.method = "PUT",
          .key = upload.key,
          .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload.id}},
          .body = std::move(body)};
}

// POST /{bucket}/{key}?uploadId=…
AdminRequest complete_upload(const Upload& upload, std::span<const UploadedPart> parts) {
  AdminRequest request{.method = "POST",
                       .key = upload.key,
                       .query = {{"uploadId", upload.id}},
                       .body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"};
  for (const UploadedPart& part : parts) {
    request.body += "<Part><PartNumber>" + std::to_string(part.number) + "</PartNumber><ETag>";
    append_xml_text(request.body, part.etag);
    request.body += "</ETag></Part>";
  }
  request.body += "</CompleteMultipartUpload>";
  return request;
}

// GET /{bucket}?versioning
AdminRequest get_versioning() {
  return {.method = "GET", .key = {}, .query = {{"versioning", ""}}, .body = {}};
}

std::string parse_versioning(std::string_view xml) {
  pugi::xml_document document;
  return text(root_of(document, xml, "VersioningConfiguration"), "Status");
}

bool parse_has_versions(std::string_view xml) {
  const std::string status = parse_versioning(xml);
  return status == "Enabled" || status == "Suspended";
}

// GET /{bucket}?location
AdminRequest get_location() {
  return {.method = "GET", .key = {}, .query = {{"location", ""}}, .body = {}};
}

std::optional<std::string> parse_location(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "LocationConstraint");
  if (!root) return std::nullopt;
  return xml_text(root);
}

// GET /{bucket}?object-lock
AdminRequest get_object_lock() {
  return {.method = "GET", .key = {}, .query = {{"object-lock", ""}}, .body = {}};
}

ObjectLock parse_object_lock(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ObjectLockConfiguration");
  ObjectLock lock{.enabled = text(root, "ObjectLockEnabled") == "Enabled", .default_retention = {}};
  const pugi::xml_node rule = xml_child(xml_child(root, "Rule"), "DefaultRetention");
  const std::string mode = text(rule, "Mode"), days = text(rule, "Days"), years = text(rule, "Years");
  if (!mode.empty())
    lock.default_retention = mode + ", " + (days.empty() ? years + " years" : days + " days");
  return lock;
}

// GET /{bucket}/{key}?retention&versionId=…
AdminRequest get_retention(const ObjectVersion& object) {
  return of_version(object, "retention");
}

std::string parse_retention(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "Retention");
  const std::string mode = text(root, "Mode"), until = text(root, "RetainUntilDate");
  if (mode.empty() || until.empty()) return {};
  return mode + " until " + until;
}

// GET /{bucket}/{key}?legal-hold&versionId=…
AdminRequest get_legal_hold(const ObjectVersion& object) {
  return of_version(object, "legal-hold");
}

bool parse_legal_hold(std::string_view xml) {
  pugi::xml_document document;
  return text(root_of(document, xml, "LegalHold"), "Status") == "ON";
}

}  // namespace s3lt
