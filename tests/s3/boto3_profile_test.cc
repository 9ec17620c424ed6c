// What the boto3 profile writes, held header by header against what boto3 sent (tests/data/wire): order,
// spelling, values and the signature. Only the user agent is ours.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "s3/recorded_heads.h"
#include "s3/wire_profile.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

// Over http, and over https.
class Boto3Profile : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { tls = GetParam(); }

 public:
  static inline bool tls = false;
};
std::vector<RecordedHead> recorded_heads(std::string_view operation) {
  return read_recorded_heads(Boto3Profile::tls ? "boto3-https" : "boto3-http", operation);
}

// The profile's head for this request, signed when and as the recorded one was.
template <class Request>
std::vector<std::string> written_like(const RecordedHead& recorded, const Request& request) {
  Signer signer({"WIRETESTACCESSKEY001", "wire+test/secret=0123456789abcdefghijklm",
                 recorded.value("X-Amz-Security-Token")},
                region_of(recorded.value("Authorization")));
  const std::string host = recorded.value("Host"), id = recorded.value("amz-sdk-invocation-id");
  const std::string sdk = recorded.value("amz-sdk-request");
  const ParsedTime time = parse_basic_utc(recorded.value("X-Amz-Date"));
  EXPECT_TRUE(time.ok);
  const unsigned attempt = static_cast<unsigned>(std::stoul(sdk.substr(sdk.find("attempt=") + 8)));
  const unsigned most = static_cast<unsigned>(std::stoul(sdk.substr(sdk.find("max=") + 4)));
  std::string head = "left from before";
  find_profile("boto3")->encode(request,
                                {.signer = signer,
                                 .host = host,
                                 .time = time.time,
                                 .invocation_id = id,
                                 .attempt = attempt,
                                 .max_attempts = most,
                                 .after_response = sdk.starts_with("ttl="),
                                 .tls = Boto3Profile::tls},
                                head);
  return lines_of(head);
}

RecordedHead only(std::string_view operation, std::size_t index = 0) {
  return recorded_head(Boto3Profile::tls ? "boto3-https" : "boto3-http", operation, index);
}

PutObject put_of(const RecordedHead& recorded, std::string_view key, std::string& hash, std::string& crc) {
  hash = sha256_hex(recorded.body);
  crc = crc32_base64(crc32(0, recorded.body.data(), recorded.body.size()));
  return {.bucket = "bkt", .key = key, .size = recorded.body.size(), .sha256_hex = hash, .crc32_base64 = crc};
}

TEST_P(Boto3Profile, WritesPutsAsBoto3Does) {
  for (const char* name : {"put_0B_bytes", "put_1KiB_bytes", "put_1MiB_bytes", "put_session_token"}) {
    SCOPED_TRACE(name);
    const RecordedHead recorded = only(name);
    std::string hash, crc;
    const std::string key = key_in(recorded);
    expect_same(written_like(recorded, put_of(recorded, key, hash, crc)), recorded.lines);
  }
}

TEST_P(Boto3Profile, EncodesKeysAsBoto3Does) {
  const char* keys[] = {"a b",    "a+b",     "t~i-l_d.e", "e=q&u",   "p%20q%",
                        "ünï/中", "x!*'()y", ":@,;$?#[]", "//d//s/", "./../dot"};
  const auto recorded = recorded_heads("keys_special");
  ASSERT_EQ(recorded.size(), std::size(keys));
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    std::string hash, crc;
    expect_same(written_like(recorded[i], put_of(recorded[i], keys[i], hash, crc)), recorded[i].lines);
  }
}

TEST_P(Boto3Profile, WritesGetsAsBoto3Does) {
  for (const char* name : {"get", "get_session_token"}) {
    const RecordedHead recorded = only(name);
    const std::string key = key_in(recorded);
    expect_same(written_like(recorded, GetObject{.bucket = "bkt", .key = key}), recorded.lines);
  }
  const RecordedHead ranged = only("get_range");
  const std::string key = key_in(ranged);
  expect_same(written_like(ranged, GetObject{.bucket = "bkt", .key = key, .range = "bytes=0-99"}),
              ranged.lines);
}

TEST_P(Boto3Profile, WritesHeadsAndDeletesAsBoto3Does) {
  RecordedHead recorded = only("head");
  std::string key = key_in(recorded);
  expect_same(written_like(recorded, HeadObject{.bucket = "bkt", .key = key}), recorded.lines);
  recorded = only("delete");
  key = key_in(recorded);
  expect_same(written_like(recorded, DeleteObject{.bucket = "bkt", .key = key}), recorded.lines);
  recorded = only("head_bucket");
  expect_same(written_like(recorded, HeadBucket{.bucket = "bkt"}), recorded.lines);
}

TEST_P(Boto3Profile, WritesBatchDeletesAsBoto3Does) {
  for (const bool quiet : {false, true}) {
    const RecordedHead recorded = only(quiet ? "delete_objects_quiet" : "delete_objects");
    // The recorded keys, as the body has them.
    std::vector<std::string> keys;
    for (std::size_t at = 0; (at = recorded.body.find("<Key>", at)) != std::string::npos;) {
      at += 5;
      std::string key = recorded.body.substr(at, recorded.body.find("</Key>", at) - at);
      for (const auto& [escaped, plain] :
           {std::pair{"&lt;", "<"}, std::pair{"&gt;", ">"}, std::pair{"&amp;", "&"}}) {
        for (std::size_t i; (i = key.find(escaped)) != std::string::npos;)
          key.replace(i, std::string_view(escaped).size(), plain);
      }
      keys.push_back(key);
    }
    ASSERT_FALSE(keys.empty());
    const std::string body = find_profile("boto3")->delete_objects_body(keys, quiet);
    EXPECT_EQ(body, recorded.body);
    expect_same(written_like(recorded, DeleteObjects{.bucket = "bkt", .body = body}), recorded.lines);
  }
}

TEST_P(Boto3Profile, WritesListsAsBoto3Does) {
  const auto pages = recorded_heads("list");
  ASSERT_EQ(pages.size(), 2u);
  expect_same(written_like(pages[0], ListObjects{.bucket = "bkt", .prefix = "loadtest/0/"}), pages[0].lines);
  expect_same(written_like(pages[1], ListObjects{.bucket = "bkt",
                                                 .prefix = "loadtest/0/",
                                                 .continuation_token = "1000+tok/en=="}),
              pages[1].lines);
  const RecordedHead all = only("list_noprefix");
  expect_same(written_like(all, ListObjects{.bucket = "bkt", .prefix = ""}), all.lines);
}

TEST_P(Boto3Profile, WritesCreateBucketAsBoto3Does) {
  for (const char* region : {"us-east-1", "eu-west-1"}) {
    if (tls && region == std::string_view("eu-west-1")) continue;  // not recorded
    const bool plain = std::string_view(region) == "us-east-1";
    const RecordedHead recorded = only(plain ? "create_bucket" : "create_bucket_eu-west-1");
    const std::string body = create_bucket_body(region);
    EXPECT_EQ(body, recorded.body);
    expect_same(written_like(recorded, CreateBucket{.bucket = "bkt", .body = body}), recorded.lines);
  }
}

// Each attempt is signed afresh and says how long the client will wait.
TEST(Boto3Retries, AreWrittenAsBoto3Does) {
  Boto3Profile::tls = false;
  for (const char* name : {"retry_503_get", "retry_503_put"}) {
    const auto attempts = recorded_heads(name);
    ASSERT_EQ(attempts.size(), 3u);
    std::string ttl;
    for (const RecordedHead& recorded : attempts) {
      SCOPED_TRACE(recorded.value("amz-sdk-request"));
      const std::string key = key_in(recorded);
      std::string hash, crc;
      std::vector<std::string> written = std::string_view(name) == "retry_503_get"
                                             ? written_like(recorded, GetObject{.bucket = "bkt", .key = key})
                                             : written_like(recorded, put_of(recorded, key, hash, crc));
      // The recording client's read timeout was 60 s, the profile's is 300 s.
      std::vector<std::string> expected = recorded.lines;
      for (auto* lines : {&written, &expected}) {
        for (std::string& line : *lines) {
          const std::size_t at = line.find("ttl=");
          if (at != std::string::npos) line.replace(at + 4, 16, "*");
        }
      }
      expect_same(written, expected);
    }
  }
}

TEST(Boto3Retries, TellTheTimeToLiveOfARetry) {
  Signer signer({"a", "b", ""}, "us-east-1");
  std::string head;
  find_profile("boto3")->encode(GetObject{.bucket = "b", .key = "k"},
                                {.signer = signer,
                                 .host = "h",
                                 .time = parse_basic_utc("20260204T120000Z").time,
                                 .attempt = 2,
                                 .max_attempts = 6,
                                 .after_response = true},
                                head);
  EXPECT_NE(head.find("\r\namz-sdk-request: ttl=20260204T120500Z; attempt=2; max=6\r\n"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Schemes, Boto3Profile, testing::Bool());

// The native profile: few headers, in this order, and a signature that someone else can recompute.
TEST(NativeProfile, WritesTheLeanestRequests) {
  Signer signer({"AK", "SK", ""}, "us-east-1"), again({"AK", "SK", ""}, "us-east-1");
  const WallTime time = parse_basic_utc("20260204T120000Z").time;
  const RequestContext context{.signer = signer, .host = "h:9000", .time = time};
  const auto signature_of = [&](std::string_view method, std::string_view path, std::string_view query,
                                std::string_view hash) {
    const SignedHeader headers[] = {
        {"host", "h:9000"}, {"x-amz-content-sha256", hash}, {"x-amz-date", "20260204T120000Z"}};
    std::string out;
    again.append_authorization(
        out,
        {.method = method, .path = path, .canonical_query = query, .headers = headers, .payload_hash = hash},
        "20260204T120000Z");
    return "Authorization: " + out;
  };
  const WireProfile& native = *find_profile("native");
  std::string head;
  native.encode(PutObject{.bucket = "b", .key = "k k", .size = 7}, context, head);
  EXPECT_EQ(lines_of(head), (std::vector<std::string>{
                                "PUT /b/k%20k HTTP/1.1", "Host: h:9000",
                                "x-amz-content-sha256: UNSIGNED-PAYLOAD", "x-amz-date: 20260204T120000Z",
                                signature_of("PUT", "/b/k%20k", "", unsigned_payload), "Content-Length: 7"}));
  const std::string empty_hash = "x-amz-content-sha256: " + std::string(empty_sha256);
  const auto bodiless = [&](std::string_view method, std::string_view path, std::string_view query = {}) {
    std::string line = std::string(method) + " " + std::string(path);
    if (!query.empty()) line += "?" + std::string(query);
    return std::vector<std::string>{line + " HTTP/1.1", "Host: h:9000", empty_hash,
                                    "x-amz-date: 20260204T120000Z",
                                    signature_of(method, path, query, empty_sha256)};
  };
  native.encode(GetObject{.bucket = "b", .key = "k"}, context, head);
  EXPECT_EQ(lines_of(head), bodiless("GET", "/b/k"));
  native.encode(HeadObject{.bucket = "b", .key = "k"}, context, head);
  EXPECT_EQ(lines_of(head), bodiless("HEAD", "/b/k"));
  native.encode(DeleteObject{.bucket = "b", .key = "k"}, context, head);
  EXPECT_EQ(lines_of(head), bodiless("DELETE", "/b/k"));
  native.encode(HeadBucket{.bucket = "b"}, context, head);
  EXPECT_EQ(lines_of(head), bodiless("HEAD", "/b"));
  native.encode(ListObjects{.bucket = "b", .prefix = "p/", .continuation_token = "t="}, context, head);
  EXPECT_EQ(lines_of(head),
            bodiless("GET", "/b",
                     "continuation-token=t%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=p%2F"));
}

TEST(NativeProfile, SignsRangesTokensAndBatchDigests) {
  Signer signer({"AK", "SK", "TOKEN"}, "us-east-1");
  const RequestContext context{
      .signer = signer, .host = "h", .time = parse_basic_utc("20260204T120000Z").time};
  std::string head;
  find_profile("native")->encode(GetObject{.bucket = "b", .key = "k", .range = "bytes=0-9"}, context, head);
  EXPECT_NE(head.find("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token,"),
            std::string::npos);
  EXPECT_NE(head.find("\r\nx-amz-security-token: TOKEN\r\n"), std::string::npos);
  const std::string keys[] = {"a<&>b"};
  const std::string body = find_profile("native")->delete_objects_body(keys, true);
  EXPECT_EQ(body, "<Delete><Quiet>true</Quiet><Object><Key>a&lt;&amp;&gt;b</Key></Object></Delete>");
  find_profile("native")->encode(DeleteObjects{.bucket = "b", .body = body}, context, head);
  EXPECT_TRUE(head.starts_with("POST /b?delete= HTTP/1.1\r\ncontent-md5: " + md5_base64(body) + "\r\n"));
  EXPECT_NE(head.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"), std::string::npos);
  EXPECT_NE(head.find("SignedHeaders=content-md5;host;"), std::string::npos);
}

TEST(WireProfiles, AreFoundByName) {
  EXPECT_EQ(find_profile("minio")->name(), "minio");
  EXPECT_EQ(find_profile("boto3")->name(), "boto3");
  EXPECT_EQ(find_profile("native")->name(), "native");
  EXPECT_EQ(find_profile("no such"), nullptr);
}

}  // namespace
}  // namespace s3lt
