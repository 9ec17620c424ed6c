#include "server/test_client.h"

namespace s3lt::server {
namespace {

class Objects : public ServerTest {
 protected:
  void SetUp() override { start(); }
};

TEST_F(Objects, are_got_as_they_were_put_with_their_metadata) {
  TestClient client(port());
  const TestResponse put =
      client.ask({.method = "PUT",
                  .path = "/loadtest/a%20b/c",
                  .headers = {{"content-type", "text/plain"}, {"x-amz-meta-colour", "blue"}},
                  .body = "hello"});
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.headers.at("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");  // md5 of hello
  TestResponse got = client.get("a%20b/c");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.headers["content-type"], "text/plain");
  EXPECT_EQ(got.headers["x-amz-meta-colour"], "blue");
  EXPECT_EQ(got.headers["server"], "s3loadtest");
  EXPECT_EQ(got.headers["x-amz-request-id"].size(), 16U);
  EXPECT_TRUE(parse_http_date(got.headers["last-modified"]).ok);
  TestResponse head = client.ask({.method = "HEAD", .path = "/loadtest/a%20b/c"});
  EXPECT_EQ(head.headers["content-length"], "5");
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/loadtest/a%20b/c"}).status, 204);
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/loadtest/a%20b/c"}).status, 204);
  EXPECT_EQ(client.get("a%20b/c").code(), "NoSuchKey");
}

TEST_F(Objects, are_got_by_range) {
  TestClient client(port());
  ASSERT_EQ(client.put("k", "0123456789").status, 200);
  const auto range = [&](const std::string& text) {
    return client.ask({.path = "/loadtest/k", .headers = {{"range", text}}});
  };
  TestResponse middle = range("bytes=2-4");
  EXPECT_EQ(middle.status, 206);
  EXPECT_EQ(middle.body, "234");
  EXPECT_EQ(middle.headers["content-range"], "bytes 2-4/10");
  EXPECT_EQ(range("bytes=7-").body, "789");
  EXPECT_EQ(range("bytes=-3").body, "789");
  EXPECT_EQ(range("bytes=-99").body, "0123456789");
  EXPECT_EQ(range("bytes=8-99").body, "89");
  EXPECT_EQ(range("lines=1-2").status, 200);
  EXPECT_EQ(range("bytes=10-").code(), "InvalidRange");
  EXPECT_EQ(range("bytes=10-").status, 416);
  EXPECT_EQ(range("bytes=-0").status, 416);
}

TEST_F(Objects, obey_conditions) {
  TestClient client(port());
  const std::string etag = client.put("k", "x").headers.at("etag");
  const auto with = [&](const std::string& name, const std::string& value) {
    return client.ask({.path = "/loadtest/k", .headers = {{name, value}}}).status;
  };
  EXPECT_EQ(with("if-match", etag), 200);
  EXPECT_EQ(with("if-match", "\"other\""), 412);
  EXPECT_EQ(with("if-none-match", etag), 304);
  EXPECT_EQ(with("if-none-match", "\"other\""), 200);
  EXPECT_EQ(with("if-modified-since", "Wed, 01 Jan 2020 00:00:00 GMT"), 200);
  EXPECT_EQ(with("if-unmodified-since", "Wed, 01 Jan 2020 00:00:00 GMT"), 412);
  const TestRequest only_new{
      .method = "PUT", .path = "/loadtest/k", .headers = {{"if-none-match", "*"}}, .body = "y"};
  EXPECT_EQ(client.ask(only_new).status, 412);
  EXPECT_EQ(client.get("k").body, "x");
}

TEST_F(Objects, that_are_what_their_key_says_take_no_room) {
  TestClient client(port());
  for (const std::uint64_t size : {1U, 31U, 32U, 1024U, 4096U, 4100U, 1048576U}) {
    const std::string key = "sized/" + std::to_string(size), body = content_of(key, size);
    TestResponse put = client.put(key, body);
    ASSERT_EQ(put.status, 200);
    EXPECT_TRUE(put.headers["etag"].ends_with("-1\"")) << put.headers["etag"];
    EXPECT_EQ(client.get(key).body, body) << size;
    const TestResponse part = client.ask({.path = "/loadtest/" + key, .headers = {{"range", "bytes=-700"}}});
    EXPECT_EQ(part.body, body.substr(size - std::min<std::uint64_t>(size, 700)));
  }
  EXPECT_EQ(server_->stats().recognised, 7U);
  EXPECT_EQ(server_->stats().bytes_kept, 0U);
  // The same bytes under another key are only bytes.
  ASSERT_EQ(client.put("other", content_of("sized/1024", 1024)).status, 200);
  EXPECT_EQ(server_->stats().recognised, 7U);
  EXPECT_EQ(server_->stats().bytes_kept, 1024U);
}

TEST_F(Objects, that_differ_late_are_kept_byte_by_byte) {
  TestClient client(port());
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{5000}, std::size_t{700001}, std::size_t{1048575}}) {
    std::string body = content_of("flipped", 1 << 20);
    body[at] = static_cast<char>(body[at] ^ 1);
    TestResponse put = client.put("flipped", body);
    ASSERT_EQ(put.status, 200);
    EXPECT_FALSE(put.headers["etag"].ends_with("-1\""));
    EXPECT_TRUE(client.get("flipped").body == body) << at;
    EXPECT_EQ(server_->stats().bytes_kept, 1U << 20);
  }
  ASSERT_EQ(client.put("flipped", content_of("flipped", 1 << 20)).status, 200);
  EXPECT_EQ(server_->stats().bytes_kept, 0U);
}

TEST_F(Objects, are_recognised_however_their_bytes_are_split) {
  TestClient client(port());
  const std::string body = content_of("split", 9000);
  const std::string head = client.head({.method = "PUT", .path = "/loadtest/split", .body = body});
  client.send(head + body.substr(0, 100));
  // The first block arrives in parts; the server has seen each before the next is sent only by chance, so
  // this is about the order of bytes, not about times.
  client.send(body.substr(100, 3990));
  client.send(body.substr(4090));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_TRUE(client.get("split").body == body);
  EXPECT_EQ(server_->stats().recognised, 1U);
}

TEST_F(ServerTest, what_does_not_fit_is_refused_and_nothing_is_forgotten) {
  start({}, 1000);
  TestClient client(port());
  ASSERT_EQ(client.put("a", std::string(600, 'a')).status, 200);
  const TestResponse full = client.put("b", std::string(600, 'b'));
  EXPECT_EQ(full.status, 507);
  EXPECT_EQ(full.code(), "InsufficientStorage");
  EXPECT_EQ(client.get("b").status, 404);
  EXPECT_EQ(client.get("a").body, std::string(600, 'a'));
  EXPECT_EQ(client.put("recognised", content_of("recognised", 100000)).status, 200);
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/loadtest/a"}).status, 204);
  EXPECT_EQ(client.put("b", std::string(600, 'b')).status, 200);
  EXPECT_EQ(server_->stats().bytes_kept, 600U);
}

TEST_F(Objects, come_in_chunked_bodies) {
  TestClient client(port());
  const TestRequest chunked{.method = "PUT",
                            .path = "/loadtest/chunked",
                            .payload_hash = "UNSIGNED-PAYLOAD",
                            .unsigned_headers = {{"transfer-encoding", "chunked"}},
                            .send_length = false};
  client.send(client.head(chunked) + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n" +
              client.head({.path = "/loadtest/chunked"}));
  EXPECT_EQ(client.receive().status, 200);
  EXPECT_EQ(client.receive().body, "hello world");  // the pipelined request was not lost
}

TEST_F(Objects, come_in_aws_chunked_bodies_with_a_trailing_checksum) {
  TestClient client(port());
  const auto put = [&](const std::string& crc) {
    TestRequest r{.method = "PUT",
                  .path = "/loadtest/trailer",
                  .headers = {{"content-encoding", "aws-chunked"},
                              {"x-amz-decoded-content-length", "5"},
                              {"x-amz-trailer", "x-amz-checksum-crc32"}},
                  .payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
    r.body = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + crc + "\r\n\r\n";
    return client.ask(r);
  };
  EXPECT_EQ(put(crc32_base64(crc32(0, "hello", 5))).status, 200);
  TestResponse got =
      client.ask({.path = "/loadtest/trailer", .headers = {{"x-amz-checksum-mode", "ENABLED"}}});
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.headers["x-amz-checksum-crc32"], crc32_base64(crc32(0, "hello", 5)));
  EXPECT_FALSE(got.headers.contains("content-encoding"));
  EXPECT_EQ(put(crc32_base64(crc32(0, "other", 5))).code(), "BadDigest");
}

// The signatures are computed here from the published rules, not by the code under test.
TEST_F(Objects, come_in_signed_aws_chunks) {
  TestClient client(port());
  TestRequest r{.method = "PUT",
                .path = "/loadtest/signed",
                .headers = {{"x-amz-decoded-content-length", "5"}},
                .payload_hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                .send_length = false};
  const auto put = [&](bool tamper) {
    std::string head = client.head(r);
    const auto field = [&](const std::string& before, std::size_t size) {
      return head.substr(head.find(before) + before.size(), size);
    };
    const std::string date = field("x-amz-date: ", 16), day = date.substr(0, 8);
    std::string previous = field("Signature=", 64), body;
    const Sha256 key = Signer(test_credentials, "us-east-1").signing_key(day);
    for (const std::string chunk : {"hello", ""}) {
      const std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n" + date + "\n" + day +
                               "/us-east-1/s3/aws4_request\n" + previous + "\n" + std::string(empty_sha256) +
                               "\n" + sha256_hex(chunk);
      previous = to_hex(hmac_sha256(key, text));
      body += std::to_string(chunk.size()) + ";chunk-signature=" + previous + "\r\n" + chunk + "\r\n";
    }
    if (tamper) body[body.find("hello")] = 'j';
    head.insert(head.size() - 2, "content-length: " + std::to_string(body.size()) + "\r\n");
    client.send(head + body);
    return client.receive();
  };
  EXPECT_EQ(put(false).status, 200);
  EXPECT_EQ(client.get("signed").body, "hello");
  EXPECT_EQ(put(true).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(client.get("signed").body, "hello");
}

}  // namespace
}  // namespace s3lt::server
