// The leanest requests that are right: four headers, no payload hash, no checksum, no Expect; with --payload
// the hash of a PUT's body, or its checksum. That stands in a header, over http and https alike: it is known
// before the body goes out, and a trailer would cost two codings (S3 API reference, "Checking object
// integrity").
#include <fmt/format.h>

#include "base/encoding.h"
#include "http/percent.h"
#include "s3/head_writer.h"
#include "s3/wire_profile.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

class Native final : public WireProfile {
 public:
  explicit Native(Payload payload) : payload_(payload) {}
  std::string_view name() const override { return "native"; }
  const WireProfile* with(Payload payload) const override { return &profile(payload); }
  // Continuing TLS sessions is what saves most where a storage closes connections (docs/architecture.md).
  WireTraits traits(bool) const override {
    return {.sha256 = payload_ == Payload::signed_body,
            .crc32 = payload_ == Payload::crc32,
            .resumes_tls = true,
            .parallel_parts = 4,
            .kept_connections = 4};
  }
  std::uint64_t part_size(std::uint64_t size, std::optional<std::uint64_t> asked) const override {
    if (size < asked.value_or(largest_put + 1)) return 0;
    return doubled_to_fit(asked.value_or(64 * MiB), size);
  }
  std::optional<SdkRetryRules> sdk_retries() const override { return std::nullopt; }

  // PUT /{bucket}/{key}[, with x-amz-checksum-crc32]
  void encode(const PutObject& op, const RequestContext& context, std::string& head) const override {
    describe_body(HeadWriter(head, "PUT", object_path(op.bucket, op.key)), op, context);
  }

  // POST /{bucket}/{key}?uploads[, with x-amz-checksum-algorithm]
  void encode(const CreateUpload& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), "uploads=");
    if (payload_ == Payload::crc32) w.signed_header("x-amz-checksum-algorithm", "CRC32");
    sign(w, context, empty_sha256);
    w.number("Content-Length", 0);
    w.end();
  }

  // PUT /{bucket}/{key}?partNumber=…&uploadId=…
  void encode(const UploadPart& op, const RequestContext& context, std::string& head) const override {
    const std::string query =
        fmt::format("partNumber={}&uploadId={}", op.number, http::encode_value(op.upload));
    describe_body(HeadWriter(head, "PUT", object_path(op.bucket, op.key), query), op, context);
  }

  // POST /{bucket}/{key}?uploadId=…
  void encode(const CompleteUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body), query = "uploadId=" + http::encode_value(op.upload);
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), query);
    sign(w, context, hash);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // DELETE /{bucket}/{key}?uploadId=…
  void encode(const AbortUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string query = "uploadId=" + http::encode_value(op.upload);
    bodiless(HeadWriter(head, "DELETE", object_path(op.bucket, op.key), query), context);
  }

  // GET /{bucket}/{key}
  void encode(const GetObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "GET", object_path(op.bucket, op.key));
    if (!op.range.empty()) w.signed_header("range", op.range);
    sign(w, context, empty_sha256);
    w.end();
  }

  // HEAD /{bucket}/{key}
  void encode(const HeadObject& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "HEAD", object_path(op.bucket, op.key)), context);
  }

  // DELETE /{bucket}/{key}
  void encode(const DeleteObject& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "DELETE", object_path(op.bucket, op.key)), context);
  }

  // POST /{bucket}?delete, with the Content-MD5 that S3 asks for
  void encode(const DeleteObjects& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body);
    const std::string md5 = md5_base64(op.body);
    HeadWriter w(head, "POST", object_path(op.bucket, {}), "delete=");
    w.signed_header("content-md5", md5);
    sign(w, context, hash);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // GET /{bucket}?list-type=2&…&prefix=…
  void encode(const ListObjects& op, const RequestContext& context, std::string& head) const override {
    std::string query;
    if (!op.continuation_token.empty()) {
      query.append("continuation-token=").append(http::encode_value(op.continuation_token)).append("&");
    }
    query += fmt::format("encoding-type=url&list-type=2&max-keys={}&prefix={}", op.max_keys,
                         http::encode_value(op.prefix));
    bodiless(HeadWriter(head, "GET", object_path(op.bucket, {}), query), context);
  }

  // HEAD /{bucket}
  void encode(const HeadBucket& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "HEAD", object_path(op.bucket, {})), context);
  }

  // GET /{bucket}?location
  void encode(const GetBucketLocation& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "GET", object_path(op.bucket, {}), "location="), context);
  }

  // PUT /{bucket}
  void encode(const CreateBucket& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body);
    HeadWriter w(head, "PUT", object_path(op.bucket, {}));
    sign(w, context, hash);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  std::string delete_objects_body(std::span<const std::string> keys, bool quiet) const override {
    std::string body = quiet ? "<Delete><Quiet>true</Quiet>" : "<Delete>";
    for (const std::string& key : keys) {
      body += "<Object><Key>";
      append_xml_text(body, key);
      body += "</Key></Object>";
    }
    return body + "</Delete>";
  }

  std::string complete_upload_body(std::span<const UploadedPart> parts) const override {
    std::string body = "<CompleteMultipartUpload>";
    for (const UploadedPart& part : parts) {
      fmt::format_to(std::back_inserter(body), "<Part><PartNumber>{}</PartNumber><ETag>", part.number);
      append_xml_text(body, part.etag);
      body += "</ETag>";
      if (payload_ == Payload::crc32 && !part.crc32.empty()) {
        body += "<ChecksumCRC32>";
        append_xml_text(body, part.crc32);
        body += "</ChecksumCRC32>";
      }
      body += "</Part>";
    }
    return body + "</CompleteMultipartUpload>";
  }

  static const Native& profile(Payload payload) {
    static const Native profiles[] = {Native(Payload::unsigned_body), Native(Payload::signed_body),
                                      Native(Payload::crc32)};
    return profiles[static_cast<std::size_t>(payload)];
  }

 private:
  template <class Request>
  void describe_body(HeadWriter w, const Request& op, const RequestContext& context) const {
    if (payload_ == Payload::crc32) w.signed_header("x-amz-checksum-crc32", op.crc32_base64);
    sign(w, context, payload_ == Payload::signed_body ? op.sha256_hex : unsigned_payload);
    w.number("Content-Length", op.size);
    w.end();
  }

  static void sign(HeadWriter& w, const RequestContext& context, std::string_view payload_hash) {
    w.signed_header("Host", context.host, "host");
    w.signed_header("x-amz-content-sha256", payload_hash);
    const std::string_view date = context.signer.amz_date(context.time);
    w.signed_header("x-amz-date", date);
    const std::string& token = context.signer.credentials().session_token;
    if (!token.empty()) w.signed_header("x-amz-security-token", token);
    w.authorization(context.signer, payload_hash, date);
  }

  static void bodiless(HeadWriter w, const RequestContext& context) {
    sign(w, context, empty_sha256);
    w.end();
  }

  const Payload payload_;
};

}  // namespace

const WireProfile& native_profile() {
  return Native::profile(Payload::unsigned_body);
}

}  // namespace s3lt
