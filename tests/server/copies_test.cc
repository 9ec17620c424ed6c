#include "server/test_client.h"

namespace s3lt::server {
namespace {

class Copies : public ServerTest {
 protected:
  void SetUp() override { start(); }
  static TestResponse copy(TestClient& client, const std::string& source, const std::string& key,
                           std::vector<std::pair<std::string, std::string>> headers = {}) {
    headers.emplace_back("x-amz-copy-source", source);
    return client.ask({.method = "PUT", .path = "/loadtest/" + key, .headers = std::move(headers)});
  }
};

TEST_F(Copies, share_the_bytes_and_outlive_the_source) {
  TestClient client(port());
  const TestResponse put =
      client.ask({.method = "PUT",
                  .path = "/loadtest/a%20b%2Bc",
                  .headers = {{"content-type", "text/x"},
                              {"x-amz-checksum-crc32", crc32_base64(crc32(0, "hello", 5))},
                              {"x-amz-meta-colour", "blue"}},
                  .body = "hello"});
  ASSERT_EQ(put.status, 200);
  const TestResponse copied = copy(client, "/loadtest/a%20b%2Bc", "copy");
  EXPECT_EQ(copied.status, 200);
  EXPECT_EQ(copied.element("ETag"), "&quot;5d41402abc4b2a76b9719d911017c592&quot;");
  EXPECT_EQ(copied.element("ChecksumCRC32"), crc32_base64(crc32(0, "hello", 5)));
  EXPECT_FALSE(copied.element("LastModified").empty());
  EXPECT_EQ(server_->stats().bytes_kept, 5U);
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/loadtest/a%20b%2Bc"}).status, 204);
  TestResponse got = client.get("copy");
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.headers["content-type"], "text/x");
  EXPECT_EQ(got.headers["x-amz-meta-colour"], "blue");
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/loadtest/copy"}).status, 204);
  EXPECT_EQ(server_->stats().bytes_kept, 0U);
}

TEST_F(Copies, have_metadata_of_their_own_where_it_is_replaced) {
  TestClient client(port());
  ASSERT_EQ(client.put("k", "hello").status, 200);
  EXPECT_EQ(copy(client, "loadtest/k", "k").code(), "InvalidRequest");  // onto itself, unchanged
  EXPECT_EQ(
      copy(client, "loadtest/k", "k", {{"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-colour", "red"}})
          .status,
      200);
  TestResponse got = client.get("k");
  EXPECT_EQ(got.headers["x-amz-meta-colour"], "red");
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(copy(client, "loadtest/k", "l", {{"x-amz-metadata-directive", "KEEP"}}).code(),
            "InvalidArgument");
}

TEST_F(Copies, of_recognised_objects_are_bytes_under_another_key) {
  TestClient client(port());
  const std::string body = content_of("source", 10000);
  ASSERT_EQ(client.put("source", body).status, 200);
  EXPECT_EQ(copy(client, "loadtest/source", "copy").status, 200);
  EXPECT_TRUE(client.get("copy").body == body);
  EXPECT_EQ(server_->stats().bytes_kept, 10000U);
  EXPECT_EQ(copy(client, "loadtest/source", "source", {{"x-amz-metadata-directive", "REPLACE"}}).status, 200);
  EXPECT_EQ(server_->stats().recognised, 1U);
  EXPECT_TRUE(client.get("source").body == body);
}

TEST_F(Copies, are_refused_where_the_source_is_not_there_or_not_as_asked) {
  TestClient client(port());
  const std::string etag = client.put("k", "hello").headers.at("etag");
  EXPECT_EQ(copy(client, "loadtest/missing", "copy").code(), "NoSuchKey");
  EXPECT_EQ(copy(client, "nobucket/k", "copy").code(), "NoSuchBucket");
  EXPECT_EQ(copy(client, "loadtest", "copy").code(), "InvalidArgument");
  EXPECT_EQ(copy(client, "loadtest/%", "copy").code(), "InvalidArgument");
  EXPECT_EQ(copy(client, "loadtest/k?versionId=abc", "copy").code(), "NoSuchVersion");
  EXPECT_EQ(copy(client, "loadtest/k", "copy", {{"x-amz-copy-source-if-match", "\"x\""}}).status, 412);
  EXPECT_EQ(copy(client, "loadtest/k", "copy", {{"x-amz-copy-source-if-none-match", etag}}).status, 412);
  EXPECT_EQ(copy(client, "loadtest/k", "copy", {{"x-amz-tagging", "a=b"}}).code(), "NotImplemented");
  EXPECT_EQ(client.get("copy").status, 404);
  EXPECT_EQ(copy(client, "loadtest/k?versionId=null", "copy", {{"x-amz-copy-source-if-match", etag}}).status,
            200);
  EXPECT_EQ(copy(client, "loadtest/k", "copy", {{"if-none-match", "*"}}).status, 412);
}

TEST_F(ServerTest, a_copy_that_does_not_fit_is_refused) {
  start({}, 9999);
  TestClient client(port());
  ASSERT_EQ(client.put("source", content_of("source", 10000)).status, 200);
  EXPECT_EQ(client
                .ask({.method = "PUT",
                      .path = "/loadtest/copy",
                      .headers = {{"x-amz-copy-source", "loadtest/source"}}})
                .code(),
            "InsufficientStorage");
}

}  // namespace
}  // namespace s3lt::server
