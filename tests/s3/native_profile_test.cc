// What --payload makes of the native profile's PUT; its other requests are the same with each
// (boto3_profile_test.cc has them).
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "s3/recorded_heads.h"
#include "s3/wire_profile.h"

namespace s3lt {
namespace {

constexpr std::string_view body = "seven b", date = "20260204T120000Z";

WallTime the_time() {
  return parse_basic_utc(std::string(date)).time;
}

std::vector<std::string> put_with(Payload payload) {
  Signer signer({"AK", "SK", ""}, "us-east-1");
  const std::string hash = sha256_hex(body), crc = crc32_base64(crc32(0, body.data(), body.size()));
  std::string head;
  find_profile("native")->with(payload)->encode(
      PutObject{.bucket = "b", .key = "k", .size = body.size(), .sha256_hex = hash, .crc32_base64 = crc},
      {.signer = signer, .host = "h:9000", .time = the_time()}, head);
  return lines_of(head);
}

// As whoever reads the request computes it.
std::string authorization(std::span<const SignedHeader> headers, std::string_view hash) {
  Signer signer({"AK", "SK", ""}, "us-east-1");
  std::string out = "Authorization: ";
  signer.append_authorization(
      out, {.method = "PUT", .path = "/b/k", .canonical_query = {}, .headers = headers, .payload_hash = hash},
      date);
  return out;
}

TEST(NativePayload, UnsignedSaysNothingOfTheBody) {
  const SignedHeader headers[] = {
      {"host", "h:9000"}, {"x-amz-content-sha256", unsigned_payload}, {"x-amz-date", date}};
  EXPECT_EQ(
      put_with(Payload::unsigned_body),
      (std::vector<std::string>{"PUT /b/k HTTP/1.1", "Host: h:9000", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
                                "x-amz-date: 20260204T120000Z", authorization(headers, unsigned_payload),
                                "Content-Length: 7"}));
}

TEST(NativePayload, SignedHasTheHashOfTheBody) {
  const std::string hash = sha256_hex(body);
  const SignedHeader headers[] = {{"host", "h:9000"}, {"x-amz-content-sha256", hash}, {"x-amz-date", date}};
  EXPECT_EQ(put_with(Payload::signed_body),
            (std::vector<std::string>{"PUT /b/k HTTP/1.1", "Host: h:9000", "x-amz-content-sha256: " + hash,
                                      "x-amz-date: 20260204T120000Z", authorization(headers, hash),
                                      "Content-Length: 7"}));
}

TEST(NativePayload, Crc32HasItInASignedHeaderOverAnUnsignedBody) {
  const std::string crc = crc32_base64(crc32(0, body.data(), body.size()));
  const SignedHeader headers[] = {{"host", "h:9000"},
                                  {"x-amz-checksum-crc32", crc},
                                  {"x-amz-content-sha256", unsigned_payload},
                                  {"x-amz-date", date}};
  EXPECT_EQ(
      put_with(Payload::crc32),
      (std::vector<std::string>{"PUT /b/k HTTP/1.1", "x-amz-checksum-crc32: " + crc, "Host: h:9000",
                                "x-amz-content-sha256: UNSIGNED-PAYLOAD", "x-amz-date: 20260204T120000Z",
                                authorization(headers, unsigned_payload), "Content-Length: 7"}));
}

TEST(NativePayload, EachNeedsOfTheBodyWhatItSendsOverHttpAndHttps) {
  for (const bool tls : {false, true}) {
    const WireProfile& native = *find_profile("native");
    EXPECT_FALSE(native.traits(tls).sha256 || native.traits(tls).crc32);
    EXPECT_TRUE(native.with(Payload::signed_body)->traits(tls).sha256);
    EXPECT_FALSE(native.with(Payload::signed_body)->traits(tls).crc32);
    EXPECT_TRUE(native.with(Payload::crc32)->traits(tls).crc32);
    EXPECT_FALSE(native.with(Payload::crc32)->traits(tls).sha256);
    EXPECT_EQ(native.with(Payload::crc32)->with(Payload::unsigned_body), &native);
  }
}

TEST(NativePayload, IsNoDialOfAnSdk) {
  EXPECT_EQ(find_profile("boto3")->with(Payload::unsigned_body), nullptr);
  EXPECT_EQ(find_profile("minio")->with(Payload::signed_body), nullptr);
}

}  // namespace
}  // namespace s3lt
