#include "server/test_client.h"

namespace s3lt::server {
namespace {

class Refusals : public ServerTest {
 protected:
  void SetUp() override { start(); }
};

TEST_F(Refusals, name_what_is_wrong_with_the_authentication) {
  TestClient client(port());
  EXPECT_EQ(client.ask({.sign = false}).code(), "AccessDenied");
  EXPECT_EQ(client.ask({.credentials = {"nobody", "testsecret", ""}}).code(), "InvalidAccessKeyId");
  EXPECT_EQ(client.ask({.credentials = {"testkey", "wrong", ""}}).code(), "SignatureDoesNotMatch");
  const TestResponse skewed = client.ask({.clock_offset = std::chrono::minutes(16)});
  EXPECT_EQ(skewed.status, 403);
  EXPECT_EQ(skewed.code(), "RequestTimeTooSkewed");
  EXPECT_FALSE(skewed.element("ServerTime").empty());
  EXPECT_EQ(client.ask({.clock_offset = std::chrono::minutes(14)}).status, 200);
  const TestResponse region = client.ask({.region = "eu-west-1"});
  EXPECT_EQ(region.status, 400);
  EXPECT_EQ(region.code(), "AuthorizationHeaderMalformed");
  EXPECT_EQ(region.element("Region"), "us-east-1");
  EXPECT_EQ(client.ask({.unsigned_headers = {{"x-amz-meta-smuggled", "1"}}}).code(), "AccessDenied");
  EXPECT_EQ(client.ask({.unsigned_headers = {{"authorization", "AWS4-HMAC-SHA256 nonsense"}}, .sign = false})
                .code(),
            "AuthorizationHeaderMalformed");
}

TEST_F(Refusals, name_what_is_wrong_with_the_body_and_store_nothing) {
  TestClient client(port());
  const auto put = [&](std::vector<std::pair<std::string, std::string>> headers, std::string hash = {}) {
    return client.ask({.method = "PUT",
                       .path = "/loadtest/k",
                       .headers = std::move(headers),
                       .body = "hello",
                       .payload_hash = std::move(hash)});
  };
  EXPECT_EQ(put({}, sha256_hex("other")).code(), "XAmzContentSHA256Mismatch");
  EXPECT_EQ(put({{"x-amz-checksum-crc32", crc32_base64(1)}}).code(), "BadDigest");
  EXPECT_EQ(put({{"content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="}}).code(), "BadDigest");
  EXPECT_EQ(put({{"content-md5", "short"}}).code(), "InvalidDigest");
  EXPECT_EQ(client.get("k").status, 404);
  EXPECT_EQ(put({{"content-md5", "XUFAKrxLKna5cZ2REBfFkg=="},
                 {"x-amz-checksum-crc32", crc32_base64(crc32(0, "hello", 5))}})
                .status,
            200);
  EXPECT_EQ(client.ask({.method = "PUT", .path = "/loadtest/k", .send_length = false}).status, 411);
}

TEST_F(Refusals, name_what_is_wrong_with_the_target) {
  TestClient client(port());
  EXPECT_EQ(client.ask({.path = "/nobucket/k"}).code(), "NoSuchBucket");
  EXPECT_EQ(client.ask({.path = "/loadtest/" + std::string(1025, 'k')}).code(), "KeyTooLongError");
  EXPECT_EQ(client.ask({.path = "/loadtest/" + std::string(1024, 'k')}).code(), "NoSuchKey");
  EXPECT_EQ(client.ask({.method = "PUT", .path = "/Bad_Name"}).code(), "InvalidBucketName");
  EXPECT_EQ(client.ask({.path = "/loadtest/k", .query = "torrent"}).status, 501);
  EXPECT_EQ(client.ask({.method = "PATCH", .path = "/loadtest/k"}).code(), "MethodNotAllowed");
  const TestResponse head = client.ask({.method = "HEAD", .path = "/loadtest/k"});
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.get("k").status, 404);  // the connection is in step
}

TEST_F(Refusals, come_before_the_body_where_the_client_waits) {
  TestClient client(port());
  const auto expecting = [&](std::string path, std::string secret) {
    return client.head({.method = "PUT",
                        .path = std::move(path),
                        .body = "hello",
                        .unsigned_headers = {{"expect", "100-continue"}},
                        .credentials = {"testkey", std::move(secret), ""}});
  };
  client.send(expecting("/loadtest/k", "wrong"));
  EXPECT_EQ(client.receive().status, 403);
  client.send(expecting("/nobucket/k", "testsecret"));
  EXPECT_EQ(client.receive().status, 404);
  client.send(expecting("/loadtest/k", "testsecret"));  // no body was sent, so this is the next request
  EXPECT_EQ(client.receive().status, 100);
  client.send("hello");
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.get("k").body, "hello");
}

TEST_F(Refusals, leave_the_connection_usable_when_the_body_came_all_the_same) {
  TestClient client(port());
  for (const std::size_t size : {std::size_t{10}, std::size_t{3} << 20}) {
    EXPECT_EQ(client.ask({.method = "PUT", .path = "/nobucket/k", .body = std::string(size, 'x')}).status,
              404);
    EXPECT_EQ(client.ask({}).status, 200);
  }
}

TEST_F(Refusals, meet_garbage_with_400_and_an_end) {
  for (const std::string& garbage : {std::string("\x16\x03\x01 hello\r\n\r\n"), std::string("GET\r\n\r\n"),
                                     std::string("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
                                     std::string("PUT /loadtest/k HTTP/1.1\r\ncontent-length: x\r\n\r\n"),
                                     "GET / HTTP/1.1\r\nx: " + std::string(70000, 'x')}) {
    TestClient client(port());
    client.send(garbage);
    const TestResponse refused = client.receive();
    EXPECT_EQ(refused.status, 400) << garbage.substr(0, 60);
    EXPECT_EQ(refused.headers.at("connection"), "close");
    EXPECT_EQ(client.receive().status, 0);
  }
  TestClient client(port());
  EXPECT_EQ(client.ask({}).status, 200);
}

TEST_F(Refusals, do_not_mind_clients_that_vanish) {
  for (int i = 0; i < 20; ++i) {
    TestClient client(port());
    client.send(client.head({.method = "PUT", .path = "/loadtest/gone", .body = std::string(100, 'x')}) +
                "xx");
  }
  TestClient client(port());
  EXPECT_EQ(client.get("gone").status, 404);
}

TEST_F(Refusals, pipelined_requests_are_answered_in_order) {
  TestClient client(port());
  ASSERT_EQ(client.put("k", "value").status, 200);
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += client.head({.path = i % 2 == 0 ? "/loadtest/k" : "/loadtest/missing"});
  }
  client.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive().status, i % 2 == 0 ? 200 : 404);
}

// A text that a reader takes for less than it is names another object.
TEST_F(Refusals, delete_no_object_that_was_not_named) {
  TestClient client(port());
  ASSERT_EQ(client.put("a", "1").status, 200);
  ASSERT_EQ(client.put("ab", "2").status, 200);
  const auto erase = [&](const std::string& key) {
    const std::string body = "<Delete><Object><Key>" + key + "</Key></Object></Delete>";
    return client.ask({.method = "POST", .path = "/loadtest", .query = "delete=", .body = body});
  };
  EXPECT_EQ(erase("a&#0;b").code(), "MalformedXML");
  EXPECT_EQ(client.get("a").status, 200);
  EXPECT_EQ(erase("a<!-- and --><![CDATA[b]]>").element("Key"), "ab");
  EXPECT_EQ(client.get("a").status, 200);
  EXPECT_EQ(client.get("ab").status, 404);
}

TEST_F(Refusals, meet_zero_bytes_and_bodies_in_codings_that_cannot_be_undone) {
  TestClient client(port());
  EXPECT_EQ(client.ask({.path = "/loadtest", .query = "list-type=2&prefix=%00"}).code(), "InvalidURI");
  for (const std::string coding : {"gzip, chunked", "chunked, gzip", "identity"}) {
    TestClient other(port());
    other.send("PUT /loadtest/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n");
    EXPECT_EQ(other.receive().status, 400) << coding;
  }
}

}  // namespace
}  // namespace s3lt::server
