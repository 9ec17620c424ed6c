// What minio-py 7.2 sends. Header names, their order and spelling are part of the profile; the user agent is
// our own. Over https no body is hashed with SHA-256, and each one, empty or not, has its Content-MD5.
#include <fmt/format.h>

#include "base/encoding.h"
#include "http/percent.h"
#include "s3/head_writer.h"
#include "s3/wire_profile.h"
#include "s3/xml.h"
#include "version.h"

namespace s3lt {
namespace {

constexpr std::string_view user_agent = "s3loadtest/" S3LOADTEST_VERSION " (minio)";

class Minio final : public WireProfile {
 public:
  std::string_view name() const override { return "minio"; }
  WireTraits traits(bool tls) const override {
    return {.sha256 = !tls,
            .md5 = tls,
            .quiet_batches = true,
            .one_endpoint = true,
            .asks_location = true,
            .parallel_parts = 3};
  }
  // Above one part, of 5 MiB or so many times that as 10,000 of them need.
  std::uint64_t part_size(std::uint64_t size, std::optional<std::uint64_t> asked) const override {
    const std::uint64_t own = parts_of(parts_of(size, most_parts), smallest_part) * smallest_part;
    const std::uint64_t part = asked.value_or(std::max(own, smallest_part));
    return size > part ? part : 0;
  }
  // urllib3's Retry(3), as the earlier tool's pool had it: at once, and only connections.
  std::optional<SdkRetryRules> sdk_retries() const override {
    return SdkRetryRules{
        .attempts = 4, .connections_of_post = false, .retry_after = true, .repeats_signature = true};
  }

  // PUT /{bucket}/{key}
  // Content-Type: application/octet-stream
  void encode(const PutObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "PUT", object_path(op.bucket, op.key));
    begin(w, op.size == 0);
    w.signed_header("Content-Type", "application/octet-stream", "content-type");
    sign(w, context, {.size = op.size, .sha256_hex = op.sha256_hex, .md5_base64 = op.md5_base64});
  }

  // POST /{bucket}/{key}?uploads=
  // Content-Type: application/octet-stream, of the object
  void encode(const CreateUpload& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), "uploads=");
    begin(w, true);
    w.signed_header("Content-Type", "application/octet-stream", "content-type");
    sign(w, context, {});
  }

  // PUT /{bucket}/{key}?partNumber=…&uploadId=…
  void encode(const UploadPart& op, const RequestContext& context, std::string& head) const override {
    const std::string query =
        fmt::format("partNumber={}&uploadId={}", op.number, http::encode_value(op.upload));
    HeadWriter w(head, "PUT", object_path(op.bucket, op.key), query);
    begin(w);
    sign(w, context, {.size = op.size, .sha256_hex = op.sha256_hex, .md5_base64 = op.md5_base64});
  }

  // POST /{bucket}/{key}?uploadId=…
  // Content-Type: application/xml, Content-MD5, over http too
  void encode(const CompleteUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body), md5 = md5_base64(op.body);
    const std::string query = "uploadId=" + http::encode_value(op.upload);
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), query);
    begin(w);
    w.signed_header("Content-Type", "application/xml", "content-type");
    w.signed_header("Content-MD5", md5, "content-md5");
    sign(w, context, {.size = op.body.size(), .sha256_hex = hash});
  }

  // DELETE /{bucket}/{key}?uploadId=…
  void encode(const AbortUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string query = "uploadId=" + http::encode_value(op.upload);
    bodiless(HeadWriter(head, "DELETE", object_path(op.bucket, op.key), query), context);
  }

  // GET /{bucket}/{key}
  void encode(const GetObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "GET", object_path(op.bucket, op.key));
    begin(w);
    if (!op.range.empty()) w.signed_header("Range", op.range, "range");
    sign(w, context, {});
  }

  // HEAD /{bucket}/{key}
  void encode(const HeadObject& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "HEAD", object_path(op.bucket, op.key)), context);
  }

  // DELETE /{bucket}/{key}, without a Content-Length
  void encode(const DeleteObject& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "DELETE", object_path(op.bucket, op.key)), context);
  }

  // POST /{bucket}?delete=
  // Content-MD5 before Host, over http too
  void encode(const DeleteObjects& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body), md5 = md5_base64(op.body);
    HeadWriter w(head, "POST", object_path(op.bucket, {}), "delete=");
    begin(w);
    w.signed_header("Content-MD5", md5, "content-md5");
    sign(w, context, {.size = op.body.size(), .sha256_hex = hash});
  }

  // GET /{bucket}?[continuation-token=T&]delimiter=&encoding-type=url&list-type=2&max-keys=1000&prefix=P
  //     [&start-after=T]
  // A later page carries its token twice.
  void encode(const ListObjects& op, const RequestContext& context, std::string& head) const override {
    const std::string token = http::encode_value(op.continuation_token);
    std::string query = token.empty() ? std::string() : "continuation-token=" + token + "&";
    query += fmt::format("delimiter=&encoding-type=url&list-type=2&max-keys={}&prefix={}", op.max_keys,
                         http::encode_value(op.prefix));
    if (!token.empty()) query.append("&start-after=").append(token);
    bodiless(HeadWriter(head, "GET", object_path(op.bucket, {}), query), context);
  }

  // HEAD /{bucket}
  void encode(const HeadBucket& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "HEAD", object_path(op.bucket, {})), context);
  }

  // GET /{bucket}?location=
  void encode(const GetBucketLocation& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "GET", object_path(op.bucket, {}), "location="), context);
  }

  // PUT /{bucket}
  void encode(const CreateBucket& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body);
    HeadWriter w(head, "PUT", object_path(op.bucket, {}));
    begin(w, op.body.empty());
    const std::string md5 = op.body.empty() || !context.tls ? std::string() : md5_base64(op.body);
    sign(w, context, {.size = op.body.size(), .sha256_hex = hash, .md5_base64 = md5});
  }

  // Quiet first; what is not ASCII as a reference: &#252;
  std::string delete_objects_body(std::span<const std::string> keys, bool quiet) const override {
    std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    if (quiet) body += "<Quiet>true</Quiet>";
    for (const std::string& key : keys) {
      body += "<Object><Key>";
      append_ascii_xml_text(body, key);
      body += "</Key></Object>";
    }
    return body + "</Delete>";
  }

  std::string complete_upload_body(std::span<const UploadedPart> parts) const override {
    std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const UploadedPart& part : parts) {
      fmt::format_to(std::back_inserter(body), "<Part><PartNumber>{}</PartNumber><ETag>", part.number);
      append_ascii_xml_text(body, part.etag);
      body += "</ETag></Part>";
    }
    return body + "</CompleteMultipartUpload>";
  }

 private:
  struct Body {
    std::uint64_t size = 0;
    std::string_view sha256_hex = empty_sha256;
    std::string_view md5_base64 = {};  // empty: no header
  };

  static void begin(HeadWriter& w, bool empty_body = false) {
    w.header("Accept-Encoding", "identity");
    if (empty_body) w.number("Content-Length", 0);
  }

  // Host … Authorization, and the end
  static void sign(HeadWriter& w, const RequestContext& context, const Body& body) {
    w.signed_header("Host", context.host, "host");
    w.header("User-Agent", user_agent);
    const std::string length = body.size > 0 ? std::to_string(body.size) : std::string();
    if (!length.empty()) w.signed_header("Content-Length", length, "content-length");
    if (!body.md5_base64.empty()) w.signed_header("Content-MD5", body.md5_base64, "content-md5");
    const std::string_view hash = context.tls ? unsigned_payload : body.sha256_hex;
    w.signed_header("x-amz-content-sha256", hash);
    const std::string& token = context.signer.credentials().session_token;
    if (!token.empty()) w.signed_header("X-Amz-Security-Token", token, "x-amz-security-token");
    const std::string_view date = context.signer.amz_date(context.time);
    w.signed_header("x-amz-date", date);
    w.authorization(context.signer, hash, date);
    w.end();
  }

  static void bodiless(HeadWriter w, const RequestContext& context) {
    begin(w);
    sign(w, context, {});
  }
};

}  // namespace

const WireProfile& minio_profile() {
  static const Minio profile;
  return profile;
}

}  // namespace s3lt
