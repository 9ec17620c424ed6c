// What the minio profile writes, held header by header against what minio-py sent (tests/data/wire): order,
// spelling, values and the signature. Only the user agent is ours.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "s3/recorded_heads.h"
#include "s3/wire_profile.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

class MinioProfile : public testing::TestWithParam<bool> {
 protected:
  static bool tls() { return GetParam(); }
  static const char* client() { return tls() ? "minio-https" : "minio-http"; }
  // The request of the operation after the client's first question.
  static RecordedHead recorded(std::string_view operation) {
    for (const RecordedHead& head : read_recorded_heads(client(), operation)) {
      if (head.lines.front().find("?location=") == std::string::npos) return head;
    }
    ADD_FAILURE() << operation;
    return {{""}, {}};
  }
  template <class Request>
  static void expect_written(const RecordedHead& recorded, const Request& request) {
    Signer signer({"WIRETESTACCESSKEY001", "wire+test/secret=0123456789abcdefghijklm",
                   recorded.value("X-Amz-Security-Token")},
                  region_of(recorded.value("Authorization")));
    const ParsedTime time = parse_basic_utc(recorded.value("x-amz-date"));
    ASSERT_TRUE(time.ok);
    const std::string host = recorded.value("Host");
    std::string head = "left from before";
    find_profile("minio")->encode(request, {.signer = signer, .host = host, .time = time.time, .tls = tls()},
                                  head);
    expect_same(lines_of(head), recorded.lines);
  }
};

TEST_P(MinioProfile, AsksForTheLocationFirst) {
  const RecordedHead first = recorded_head(client(), "put_1KiB_bytes");
  ASSERT_NE(first.lines.front().find("?location="), std::string::npos);
  expect_written(first, GetBucketLocation{.bucket = "bkt"});
  const WireTraits traits = find_profile("minio")->traits(tls());
  EXPECT_TRUE(traits.asks_location && traits.one_endpoint);
  EXPECT_FALSE(traits.expect_continue || traits.crc32 || traits.invocation_id);
}

TEST_P(MinioProfile, WritesPutsAsMinioDoes) {
  for (const char* name :
       {"put_0B_bytes", "put_1KiB_bytes", "put_1MiB_bytes", "put_5MiB_bytes", "put_session_token"}) {
    SCOPED_TRACE(name);
    const RecordedHead put = recorded(name);
    const std::string key = key_in(put), hash = sha256_hex(put.body);
    const std::string md5 = tls() ? md5_base64(put.body) : std::string();
    expect_written(
        put,
        PutObject{
            .bucket = "bkt", .key = key, .size = put.body.size(), .sha256_hex = hash, .md5_base64 = md5});
  }
}

TEST_P(MinioProfile, EncodesKeysAsMinioDoes) {
  const auto all = read_recorded_heads(client(), "keys_special");
  // minio-py itself refuses those with "." and ".." for segments.
  const char* keys[] = {"a b",    "a+b",     "t~i-l_d.e", "e=q&u",  "p%20q%",
                        "ünï/中", "x!*'()y", ":@,;$?#[]", "//d//s/"};
  ASSERT_EQ(all.size(), std::size(keys));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string hash = sha256_hex(all[i].body), md5 = tls() ? md5_base64(all[i].body) : std::string();
    expect_written(all[i], PutObject{.bucket = "bkt",
                                     .key = keys[i],
                                     .size = all[i].body.size(),
                                     .sha256_hex = hash,
                                     .md5_base64 = md5});
  }
}

TEST_P(MinioProfile, WritesBodilessRequestsAsMinioDoes) {
  const RecordedHead get = recorded("get"), ranged = recorded("get_range"), head = recorded("head"),
                     removal = recorded("delete"), bucket = recorded("head_bucket"),
                     token = recorded("get_session_token");  // a HEAD
  std::string key = key_in(get);
  expect_written(get, GetObject{.bucket = "bkt", .key = key});
  key = key_in(ranged);
  expect_written(ranged, GetObject{.bucket = "bkt", .key = key, .range = "bytes=0-99"});
  key = key_in(head);
  expect_written(head, HeadObject{.bucket = "bkt", .key = key});
  key = key_in(token);
  expect_written(token, HeadObject{.bucket = "bkt", .key = key});
  key = key_in(removal);
  expect_written(removal, DeleteObject{.bucket = "bkt", .key = key});
  expect_written(bucket, HeadBucket{.bucket = "bkt"});
}

TEST_P(MinioProfile, WritesBatchDeletesAsMinioDoes) {
  const std::string keys[] = {"loadtest/0/a", "a b+c", "x&<>\"'ü"};
  const RecordedHead batch = recorded("delete_objects");
  const std::string body = find_profile("minio")->delete_objects_body(keys, true);
  EXPECT_EQ(body, batch.body);
  expect_written(batch, DeleteObjects{.bucket = "bkt", .body = body});
}

TEST_P(MinioProfile, WritesListsAsMinioDoes) {
  const std::string tokens[] = {"", "1000+tok/en==", "2000+tok/en=="};
  std::size_t page = 0;
  for (const RecordedHead& list : read_recorded_heads(client(), "list")) {
    if (list.lines.front().find("?location=") != std::string::npos) continue;
    ASSERT_LT(page, std::size(tokens));
    expect_written(
        list, ListObjects{.bucket = "bkt", .prefix = "loadtest/0/", .continuation_token = tokens[page++]});
  }
  EXPECT_EQ(page, std::size(tokens));
}

TEST_P(MinioProfile, WritesCreateBucketAsMinioDoes) {
  expect_written(recorded("create_bucket"), CreateBucket{.bucket = "newbkt"});
  if (tls()) return;  // not recorded with a region
  const RecordedHead elsewhere = recorded("create_bucket_eu-west-1");
  const std::string body = create_bucket_body("eu-west-1");
  EXPECT_EQ(body, elsewhere.body);
  expect_written(elsewhere, CreateBucket{.bucket = "newbkt", .body = body});
}

INSTANTIATE_TEST_SUITE_P(Schemes, MinioProfile, testing::Bool());

TEST(AsciiXml, WritesEveryOtherCharacterAsAReference) {
  std::string out;
  append_ascii_xml_text(out, "a<ü&中\xf0\x9f\x98\x80\r\xff\xc3");
  EXPECT_EQ(out, "a&lt;&#252;&amp;&#20013;&#128512;&#13;\xff\xc3");
}

}  // namespace
}  // namespace s3lt
