// What boto3 1.44 sends with the earlier tool's configuration. Header names, their order and spelling are
// part of the profile; the user agent is our own. Over https only PUTs differ.
#include <fmt/format.h>

#include "base/encoding.h"
#include "http/percent.h"
#include "s3/head_writer.h"
#include "s3/wire_profile.h"
#include "s3/xml.h"
#include "version.h"

namespace s3lt {
namespace {

constexpr std::string_view user_agent = "s3loadtest/" S3LOADTEST_VERSION " (boto3)";
// The read timeout of the SDK, which it announces as the time to live of a retried request.
constexpr std::chrono::seconds read_timeout{300};

class Boto3 final : public WireProfile {
 public:
  std::string_view name() const override { return "boto3"; }
  WireTraits traits(bool tls) const override {
    return {.sha256 = !tls,
            .crc32 = true,
            .crc32_behind = tls,
            .expect_continue = true,
            .invocation_id = true,
            .parallel_parts = 10,
            .kept_connections = 10};
  }
  // As upload_file does it, from the size of a part on; put_object itself never splits.
  std::uint64_t part_size(std::uint64_t size, std::optional<std::uint64_t> asked) const override {
    if (size < asked.value_or(largest_put + 1)) return 0;
    return doubled_to_fit(asked.value_or(8 * MiB), size);
  }
  // Mode standard with max_attempts 3, which is that many after the first.
  std::optional<SdkRetryRules> sdk_retries() const override {
    return SdkRetryRules{.attempts = 4,
                         .server_errors = true,
                         .throttling = true,
                         .base_seconds = 0.05,
                         .base_throttled_seconds = 1,
                         .most_seconds = 20,
                         .amz_retry_after = true,
                         .quota = 500,
                         .cost = 14,
                         .cost_throttled = 5};
  }

  // PUT /{bucket}/{key}
  // http: Expect: 100-continue, x-amz-checksum-crc32, x-amz-sdk-checksum-algorithm; Content-Length last
  // https: Expect, Transfer-Encoding: chunked, Content-Encoding: aws-chunked, X-Amz-Trailer,
  //     X-Amz-Decoded-Content-Length, x-amz-sdk-checksum-algorithm; no Content-Length (TrailerCoding)
  void encode(const PutObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "PUT", object_path(op.bucket, op.key));
    begin(w, context);
    w.header("User-Agent", user_agent);
    content(w, context, op, true);
  }

  // POST /{bucket}/{key}?uploads
  void encode(const CreateUpload& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), "uploads");
    begin(w, context);
    w.signed_header("x-amz-checksum-algorithm", "CRC32");
    w.header("User-Agent", user_agent);
    sign(w, context, empty_sha256);
    w.number("Content-Length", 0);
    w.end();
  }

  // PUT /{bucket}/{key}?uploadId=…&partNumber=…
  // As a PUT, but x-amz-sdk-checksum-algorithm stands before User-Agent.
  void encode(const UploadPart& op, const RequestContext& context, std::string& head) const override {
    const std::string query =
        fmt::format("uploadId={}&partNumber={}", http::encode_value(op.upload), op.number);
    HeadWriter w(head, "PUT", object_path(op.bucket, op.key), query);
    begin(w, context);
    w.signed_header("x-amz-sdk-checksum-algorithm", "CRC32");
    w.header("User-Agent", user_agent);
    content(w, context, op, false);
  }

  // POST /{bucket}/{key}?uploadId=…
  void encode(const CompleteUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body), query = "uploadId=" + http::encode_value(op.upload);
    HeadWriter w(head, "POST", object_path(op.bucket, op.key), query);
    begin(w, context);
    w.header("User-Agent", user_agent);
    sign(w, context, hash);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // DELETE /{bucket}/{key}?uploadId=…, with Content-Length: 0
  void encode(const AbortUpload& op, const RequestContext& context, std::string& head) const override {
    const std::string query = "uploadId=" + http::encode_value(op.upload);
    plain(HeadWriter(head, "DELETE", object_path(op.bucket, op.key), query), context, true);
  }

  // GET /{bucket}/{key}
  void encode(const GetObject& op, const RequestContext& context, std::string& head) const override {
    HeadWriter w(head, "GET", object_path(op.bucket, op.key));
    begin(w, context);
    if (!op.range.empty()) w.signed_header("Range", op.range, "range");
    w.signed_header("x-amz-checksum-mode", "ENABLED");
    w.header("User-Agent", user_agent);
    sign(w, context, empty_sha256);
    w.end();
  }

  // HEAD /{bucket}/{key}
  void encode(const HeadObject& op, const RequestContext& context, std::string& head) const override {
    plain(HeadWriter(head, "HEAD", object_path(op.bucket, op.key)), context, false);
  }

  // DELETE /{bucket}/{key}, with Content-Length: 0
  void encode(const DeleteObject& op, const RequestContext& context, std::string& head) const override {
    plain(HeadWriter(head, "DELETE", object_path(op.bucket, op.key)), context, true);
  }

  // POST /{bucket}?delete
  void encode(const DeleteObjects& op, const RequestContext& context, std::string& head) const override {
    const std::string crc = crc32_base64(crc32(0, op.body.data(), op.body.size()));
    const std::string hash = sha256_hex(op.body);
    HeadWriter w(head, "POST", object_path(op.bucket, {}), "delete");
    begin(w, context);
    w.header("User-Agent", user_agent);
    checksum(w, crc);
    sign(w, context, hash);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // GET /{bucket}?list-type=2&prefix=…&max-keys=1000[&continuation-token=…]&encoding-type=url
  void encode(const ListObjects& op, const RequestContext& context, std::string& head) const override {
    std::string query =
        fmt::format("list-type=2&prefix={}&max-keys={}", http::encode_value(op.prefix), op.max_keys);
    if (!op.continuation_token.empty()) {
      query.append("&continuation-token=").append(http::encode_value(op.continuation_token));
    }
    query.append("&encoding-type=url");
    plain(HeadWriter(head, "GET", object_path(op.bucket, {}), query), context, false);
  }

  // HEAD /{bucket}
  void encode(const HeadBucket& op, const RequestContext& context, std::string& head) const override {
    plain(HeadWriter(head, "HEAD", object_path(op.bucket, {})), context, false);
  }

  // GET /{bucket}?location
  void encode(const GetBucketLocation& op, const RequestContext& context, std::string& head) const override {
    plain(HeadWriter(head, "GET", object_path(op.bucket, {}), "location"), context, false);
  }

  // PUT /{bucket}
  void encode(const CreateBucket& op, const RequestContext& context, std::string& head) const override {
    const std::string hash = sha256_hex(op.body);
    HeadWriter w(head, "PUT", object_path(op.bucket, {}));
    begin(w, context);
    w.header("User-Agent", user_agent);
    sign(w, context, hash);
    w.number("Content-Length", op.body.size());
    w.end();
  }

  // No declaration; Quiet last and only if asked for; quotes stay as they are.
  std::string delete_objects_body(std::span<const std::string> keys, bool quiet) const override {
    std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const std::string& key : keys) {
      body += "<Object><Key>";
      append_xml_text(body, key);
      body += "</Key></Object>";
    }
    if (quiet) body += "<Quiet>true</Quiet>";
    return body + "</Delete>";
  }

  // The checksums as the answers to the parts had them.
  std::string complete_upload_body(std::span<const UploadedPart> parts) const override {
    std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const UploadedPart& part : parts) {
      body += "<Part><ETag>";
      append_xml_text(body, part.etag);
      fmt::format_to(std::back_inserter(body), "</ETag><PartNumber>{}</PartNumber>", part.number);
      if (!part.crc32.empty()) {
        body += "<ChecksumCRC32>";
        append_xml_text(body, part.crc32);
        body += "</ChecksumCRC32>";
      }
      body += "</Part>";
    }
    return body + "</CompleteMultipartUpload>";
  }

 private:
  static void begin(HeadWriter& w, const RequestContext& context) {
    w.signed_header("Host", context.host, "host");
    w.header("Accept-Encoding", "identity");
  }

  // Expect … Content-Length, of a body from an object.
  template <class Request>
  static void content(HeadWriter& w, const RequestContext& context, const Request& op, bool algorithm) {
    w.header("Expect", "100-continue");
    if (context.tls) {
      const std::string size = std::to_string(op.size);
      w.header("Transfer-Encoding", "chunked");
      w.signed_header("Content-Encoding", "aws-chunked", "content-encoding");
      w.signed_header("X-Amz-Trailer", "x-amz-checksum-crc32", "x-amz-trailer");
      w.signed_header("X-Amz-Decoded-Content-Length", size, "x-amz-decoded-content-length");
      if (algorithm) w.signed_header("x-amz-sdk-checksum-algorithm", "CRC32");
      sign(w, context, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
      w.end();
      return;
    }
    w.signed_header("x-amz-checksum-crc32", op.crc32_base64);
    if (algorithm) w.signed_header("x-amz-sdk-checksum-algorithm", "CRC32");
    sign(w, context, op.sha256_hex);
    w.number("Content-Length", op.size);
    w.end();
  }

  static void checksum(HeadWriter& w, std::string_view crc32_base64) {
    w.signed_header("x-amz-checksum-crc32", crc32_base64);
    w.signed_header("x-amz-sdk-checksum-algorithm", "CRC32");
  }

  // X-Amz-Date … amz-sdk-request
  static void sign(HeadWriter& w, const RequestContext& context, std::string_view payload_hash) {
    const std::string_view date = context.signer.amz_date(context.time);
    w.signed_header("X-Amz-Date", date, "x-amz-date");
    const std::string& token = context.signer.credentials().session_token;
    if (!token.empty()) w.signed_header("X-Amz-Security-Token", token, "x-amz-security-token");
    w.signed_header("X-Amz-Content-SHA256", payload_hash, "x-amz-content-sha256");
    w.authorization(context.signer, payload_hash, date);
    w.header("amz-sdk-invocation-id", context.invocation_id);
    if (context.after_response) {
      w.header("amz-sdk-request",
               fmt::format("ttl={}; attempt={}; max={}", format_basic_utc(context.time + read_timeout),
                           context.attempt, context.max_attempts));
    } else {
      fmt::memory_buffer text;
      fmt::format_to(std::back_inserter(text), "attempt={}; max={}", context.attempt, context.max_attempts);
      w.header("amz-sdk-request", {text.data(), text.size()});
    }
  }

  static void plain(HeadWriter w, const RequestContext& context, bool zero_length) {
    begin(w, context);
    w.header("User-Agent", user_agent);
    sign(w, context, empty_sha256);
    if (zero_length) w.number("Content-Length", 0);
    w.end();
  }
};

}  // namespace

const WireProfile& boto3_profile() {
  static const Boto3 profile;
  return profile;
}

}  // namespace s3lt
