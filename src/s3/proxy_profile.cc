// What the earlier tool sent to its s3pool: plain requests without a signature, which s3pool makes of them.
// Keys go out raw, for s3pool encodes the path itself (docs/proxy.md).
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "http/percent.h"
#include "s3/head_writer.h"
#include "s3/wire_profile.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

std::string_view raw_path(std::string_view bucket, std::string_view key) {
  thread_local std::string path;
  path.assign("/").append(bucket).append("/").append(key);
  return path;
}

std::string bucket_path(std::string_view bucket) {
  return std::string("/").append(bucket);
}

class Proxy final : public WireProfile {
 public:
  std::string_view name() const override { return "proxy"; }
  WireTraits traits(bool) const override { return {.through_s3pool = true}; }
  // The earlier tool's own: connections alone, after 0.1 and 0.2 s.
  std::optional<SdkRetryRules> sdk_retries() const override {
    return SdkRetryRules{.attempts = 3, .base_seconds = 0.1, .most_seconds = 1, .random_delay = false};
  }
  // '?' and '#' end a path; the others are in no request line that s3pool reads.
  bool can_send(std::string_view key) const override {
    return std::ranges::all_of(key, [](unsigned char c) {
      return c > 0x20 && c < 0x7f &&
             std::string_view("?#<>`").find(static_cast<char>(c)) == std::string_view::npos;
    });
  }

  // PUT /{bucket}/{key}
  // Content-Type: application/octet-stream
  void encode(const PutObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "PUT", raw_path(op.bucket, op.key));
    begin(w, context);
    w.header("Content-Type", "application/octet-stream");
    w.number("Content-Length", op.size);
    w.end();
  }

  // As native; in parts s3pool takes a path that is encoded already.
  std::uint64_t part_size(std::uint64_t size, std::optional<std::uint64_t> asked) const override {
    return find_profile("native")->part_size(size, asked);
  }

  // POST /{bucket}/{key}?uploads; so spelt, s3pool keeps all parts to one endpoint
  void encode(const CreateUpload& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), "uploads");
    begin(w, context);
    w.number("Content-Length", 0);
    w.end();
  }

  // PUT /{bucket}/{key}?partNumber=…&uploadId=…
  void encode(const UploadPart& op, const RequestContext& context, std::string& head) const override {
    const std::string query =
        fmt::format("partNumber={}&uploadId={}", op.number, http::encode_value(op.upload));
    HeadWriter w(head, "PUT", object_path(op.bucket, op.key), query);
    begin(w, context);
    w.number("Content-Length", op.size);
    w.end();
  }

  // POST /{bucket}/{key}?uploadId=…
  void encode(const CompleteUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string query = "uploadId=" + http::encode_value(op.upload);
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), query);
    begin(w, context);
    w.header("Content-Type", "application/xml");
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // DELETE /{bucket}/{key}?uploadId=…
  void encode(const AbortUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string query = "uploadId=" + http::encode_value(op.upload);
    bodiless(HeadWriter(head, "DELETE", object_path(op.bucket, op.key), query), context);
  }

  // GET /{bucket}/{key}; s3pool does not pass a Range on, and answers with everything
  void encode(const GetObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "GET", raw_path(op.bucket, op.key));
    begin(w, context);
    if (!op.range.empty()) w.header("Range", op.range);
    w.end();
  }

  // HEAD /{bucket}/{key}
  void encode(const HeadObject& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "HEAD", raw_path(op.bucket, op.key)), context);
  }

  // DELETE /{bucket}/{key}
  void encode(const DeleteObject& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "DELETE", raw_path(op.bucket, op.key)), context);
  }

  // POST /{bucket}/?delete=
  void encode(const DeleteObjects& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "POST", raw_path(op.bucket, {}), "delete=");
    begin(w, context);
    w.header("Content-Type", "application/xml");
    w.header("Content-MD5", md5_base64(op.body));
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // GET /{bucket}/?list-type=2&max-keys=1000[&prefix=…][&continuation-token=…]
  void encode(const ListObjects& op, const RequestContext& context, std::string& head) const override {
    std::string query = fmt::format("list-type=2&max-keys={}", op.max_keys);
    if (!op.prefix.empty()) query.append("&prefix=").append(http::encode_value(op.prefix));
    if (!op.continuation_token.empty())
      query.append("&continuation-token=").append(http::encode_value(op.continuation_token));
    bodiless(HeadWriter(head, "GET", raw_path(op.bucket, {}), query), context);
  }

  // HEAD /{bucket}
  void encode(const HeadBucket& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "HEAD", bucket_path(op.bucket)), context);
  }

  // GET /{bucket}?location
  void encode(const GetBucketLocation& op, const RequestContext& context, std::string& head) const override {
    bodiless(HeadWriter(head, "GET", bucket_path(op.bucket), "location"), context);
  }

  // PUT /{bucket}
  void encode(const CreateBucket& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "PUT", bucket_path(op.bucket));
    begin(w, context);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // A declaration and no namespace; it never asks for a quiet answer.
  std::string delete_objects_body(std::span<const std::string> keys, bool) const override {
    std::string body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete>";
    for (const std::string& key : keys) {
      body += "<Object><Key>";
      append_xml_text(body, key);
      body += "</Key></Object>";
    }
    return body + "</Delete>";
  }

  std::string complete_upload_body(std::span<const UploadedPart> parts) const override {
    return find_profile("native")->complete_upload_body(parts);
  }

 private:
  static void begin(HeadWriter& w, const RequestContext& context) {
    w.header("Host", context.host);
    w.header("Accept-Encoding", "identity");
  }
  static void bodiless(HeadWriter w, const RequestContext& context) {
    begin(w, context);
    w.end();
  }
};

}  // namespace

const WireProfile& proxy_profile() {
  static const Proxy profile;
  return profile;
}

}  // namespace s3lt
