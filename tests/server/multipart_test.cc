#include "server/test_client.h"

namespace s3lt::server {
namespace {

constexpr std::size_t part_size = 5 * MiB;

class MultipartUploads : public ServerTest {
 protected:
  void SetUp() override { start(); }

  static std::string body_of(char c, std::size_t size = part_size) { return std::string(size, c); }
  static std::string create(TestClient& client, const std::string& key,
                            std::vector<std::pair<std::string, std::string>> headers = {}) {
    const TestResponse created = client.ask(
        {.method = "POST", .path = "/loadtest/" + key, .query = "uploads=", .headers = std::move(headers)});
    EXPECT_EQ(created.status, 200) << created.body;
    return created.element("UploadId");
  }
  static TestResponse put(TestClient& client, const std::string& key, const std::string& id, int number,
                          const std::string& body,
                          std::vector<std::pair<std::string, std::string>> headers = {}) {
    return client.ask({.method = "PUT",
                       .path = "/loadtest/" + key,
                       .query = "partNumber=" + std::to_string(number) + "&uploadId=" + id,
                       .headers = std::move(headers),
                       .body = body});
  }
  struct Named {
    int number = 0;
    std::string etag;
    std::string more = {};
  };
  static TestResponse complete(TestClient& client, const std::string& key, const std::string& id,
                               const std::vector<Named>& parts,
                               std::vector<std::pair<std::string, std::string>> headers = {}) {
    std::string xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const Named& p : parts) {
      xml += "<Part><ETag>" + p.etag + "</ETag><PartNumber>" + std::to_string(p.number) + "</PartNumber>" +
             p.more + "</Part>";
    }
    return client.ask({.method = "POST",
                       .path = "/loadtest/" + key,
                       .query = "uploadId=" + id,
                       .headers = std::move(headers),
                       .body = xml + "</CompleteMultipartUpload>"});
  }
};

TEST_F(MultipartUploads, become_one_object_of_their_parts_in_order) {
  TestClient client(port());
  const std::string id = create(client, "k", {{"x-amz-meta-colour", "blue"}, {"content-type", "text/x"}});
  EXPECT_EQ(id.size(), 32U);
  const std::string second = put(client, "k", id, 7, "the end").headers.at("etag");
  const std::string first = put(client, "k", id, 2, body_of('a')).headers.at("etag");
  EXPECT_EQ(client.get("k").code(), "NoSuchKey");  // not yet
  EXPECT_EQ(server_->stats().uploads, 1U);
  EXPECT_EQ(server_->stats().bytes_kept, part_size + 7);

  const TestResponse done = complete(client, "k", id, {{2, first}, {7, second}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.element("Key"), "k");
  TestResponse got = client.get("k");
  EXPECT_TRUE(got.body == body_of('a') + "the end");
  EXPECT_EQ(got.headers["x-amz-meta-colour"], "blue");
  EXPECT_EQ(got.headers["content-type"], "text/x");
  // By md5sum; the whole has the MD5 of its parts' MD5s, as S3 has it.
  EXPECT_EQ(first, "\"79b281060d337b9b2b84ccf390adcf74\"");
  EXPECT_TRUE(got.headers["etag"].ends_with("-2\"")) << got.headers["etag"];
  EXPECT_EQ(server_->stats().uploads, 0U);
  EXPECT_EQ(server_->stats().bytes_kept, part_size + 7);
  EXPECT_EQ(put(client, "k", id, 1, "late").code(), "NoSuchUpload");
  EXPECT_EQ(client.ask({.path = "/loadtest/k", .headers = {{"range", "bytes=5242878-5242881"}}}).body,
            "aath");
}

// Of an object that is what its key says: kept as that fact, whatever its size.
TEST_F(MultipartUploads, of_recognised_parts_become_a_recognised_object) {
  TestClient client(port());
  const std::string whole = content_of("k", 8 * MiB), first = whole.substr(0, part_size),
                    second = whole.substr(part_size);
  const std::string id = create(client, "k", {{"x-amz-checksum-algorithm", "CRC32"}});
  const auto with_crc = [&](int number, const std::string& body) {
    return put(client, "k", id, number, body,
               {{"x-amz-checksum-crc32", crc32_base64(crc32(0, body.data(), body.size()))}});
  };
  const std::string last = with_crc(2, second).headers.at("etag"), begin = with_crc(1, first).headers.at("etag");
  EXPECT_NE(last, begin);
  EXPECT_EQ(server_->stats().bytes_kept, 0U);
  const TestResponse done = complete(client, "k", id, {{1, begin}, {2, last}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(server_->stats().recognised, 1U);
  EXPECT_EQ(server_->stats().bytes_kept, 0U);
  TestResponse got = client.ask({.path = "/loadtest/k", .headers = {{"x-amz-checksum-mode", "ENABLED"}}});
  EXPECT_TRUE(got.body == whole);
  const std::string tag = got.headers["etag"];
  EXPECT_NE(done.element("ETag").find(tag.substr(1, tag.size() - 2)), std::string::npos) << tag;
  EXPECT_TRUE(tag.ends_with("-2\"")) << tag;
  EXPECT_TRUE(got.headers["x-amz-checksum-crc32"].ends_with("-2"));
  EXPECT_EQ(got.headers["x-amz-checksum-crc32"], done.element("ChecksumCRC32"));
}

TEST_F(MultipartUploads, keep_the_bytes_of_recognised_parts_that_make_no_whole) {
  TestClient client(port());
  const std::string whole = content_of("k", 8 * MiB), first = whole.substr(0, part_size);
  std::string flipped = whole.substr(part_size);
  flipped[2 * MiB] = static_cast<char>(flipped[2 * MiB] ^ 1);
  for (const std::string& second : {std::string("another end"), flipped, first}) {
    const std::string id = create(client, "k", {{"x-amz-checksum-algorithm", "CRC32"},
                                                {"x-amz-checksum-type", "FULL_OBJECT"}});
    const auto with_crc = [&](int number, const std::string& body) {
      return put(client, "k", id, number, body,
                 {{"x-amz-checksum-crc32", crc32_base64(crc32(0, body.data(), body.size()))}})
          .headers.at("etag");
    };
    const std::string one = with_crc(1, first), two = with_crc(2, second);
    const TestResponse done = complete(client, "k", id, {{1, one}, {2, two}});
    ASSERT_EQ(done.status, 200) << done.body;
    const std::string all = first + second;
    EXPECT_EQ(done.element("ChecksumCRC32"), crc32_base64(crc32(0, all.data(), all.size())));
    EXPECT_TRUE(client.get("k").body == all);
    EXPECT_EQ(server_->stats().recognised, 0U);
    EXPECT_EQ(server_->stats().bytes_kept, all.size());
  }
}

TEST_F(MultipartUploads, keep_parts_under_another_key_and_parts_that_begin_within_a_block) {
  TestClient client(port());
  const std::string whole = content_of("k", 8 * MiB);
  const std::string other = create(client, "other");
  put(client, "other", other, 1, whole.substr(0, part_size));
  EXPECT_EQ(server_->stats().bytes_kept, part_size);
  const std::string id = create(client, "k");
  const std::string one = put(client, "k", id, 1, whole.substr(0, part_size + 100)).headers.at("etag"),
                    two = put(client, "k", id, 2, whole.substr(part_size + 100)).headers.at("etag");
  EXPECT_EQ(server_->stats().bytes_kept, whole.size() - 100) << "but for the first of k, which is recognised";
  EXPECT_EQ(complete(client, "k", id, {{1, one}, {2, two}}).status, 200);
  EXPECT_TRUE(client.get("k").body == whole);
}

TEST_F(MultipartUploads, keep_the_last_of_parts_with_one_number_and_drop_what_is_not_named) {
  TestClient client(port());
  const std::string id = create(client, "k");
  put(client, "k", id, 1, "first");
  const std::string again = put(client, "k", id, 1, "second").headers.at("etag");
  put(client, "k", id, 2, "unnamed");
  EXPECT_EQ(complete(client, "k", id, {{1, again}}).status, 200);
  EXPECT_EQ(client.get("k").body, "second");
  EXPECT_EQ(server_->stats().bytes_kept, 6U);
}

TEST_F(MultipartUploads, are_refused_where_the_named_parts_are_wrong_and_stay_as_they_were) {
  TestClient client(port());
  const std::string id = create(client, "k");
  const std::string one = put(client, "k", id, 1, "small").headers.at("etag");
  const std::string two = put(client, "k", id, 2, "last").headers.at("etag");
  EXPECT_EQ(complete(client, "k", id, {{2, two}, {1, one}}).code(), "InvalidPartOrder");
  EXPECT_EQ(complete(client, "k", id, {{1, one}, {1, one}}).code(), "InvalidPartOrder");
  EXPECT_EQ(complete(client, "k", id, {{1, two}}).code(), "InvalidPart");
  EXPECT_EQ(complete(client, "k", id, {{3, one}}).code(), "InvalidPart");
  EXPECT_EQ(complete(client, "k", id, {{1, one}, {2, two}}).code(), "EntityTooSmall");
  EXPECT_EQ(complete(client, "k", id, {}).code(), "MalformedXML");
  EXPECT_EQ(complete(client, "other", id, {{1, one}}).code(), "NoSuchUpload");
  EXPECT_EQ(complete(client, "k", std::string(32, '0'), {{1, one}}).code(), "NoSuchUpload");
  EXPECT_EQ(put(client, "k", id, 0, "x").code(), "InvalidArgument");
  EXPECT_EQ(put(client, "k", id, 10001, "x").code(), "InvalidArgument");
  EXPECT_EQ(put(client, "k", "nonsense", 1, "x").status, 404);
  EXPECT_EQ(client.get("k").status, 404);
  EXPECT_EQ(complete(client, "k", id, {{1, one}}).status, 200);
}

TEST_F(MultipartUploads, free_everything_when_they_are_aborted) {
  TestClient client(port());
  const std::string id = create(client, "k");
  put(client, "k", id, 1, body_of('a'));
  EXPECT_EQ(server_->stats().bytes_kept, part_size);
  const TestRequest abort{.method = "DELETE", .path = "/loadtest/k", .query = "uploadId=" + id};
  EXPECT_EQ(client.ask(abort).status, 204);
  EXPECT_EQ(server_->stats().bytes_kept, 0U);
  EXPECT_EQ(client.ask(abort).code(), "NoSuchUpload");
  EXPECT_EQ(client.get("k").status, 404);
}

TEST_F(ServerTest, parts_count_as_kept_bytes_and_are_refused_beyond_the_capacity) {
  start({}, 6 * MiB);
  TestClient client(port());
  const std::string id =
      client.ask({.method = "POST", .path = "/loadtest/k", .query = "uploads="}).element("UploadId");
  const auto put = [&](int number, std::size_t size) {
    return client.ask({.method = "PUT",
                       .path = "/loadtest/k",
                       .query = "partNumber=" + std::to_string(number) + "&uploadId=" + id,
                       .body = std::string(size, 'x')});
  };
  const TestResponse first = put(1, 5 * MiB);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(put(2, 2 * MiB).code(), "InsufficientStorage");
  const std::string second = put(2, 1 * MiB).headers.at("etag");
  EXPECT_EQ(client.put("other", "x").status, 507);
  // Completing needs no room of its own, although the server is full.
  const TestResponse done =
      client.ask({.method = "POST",
                  .path = "/loadtest/k",
                  .query = "uploadId=" + id,
                  .body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
                          first.headers.at("etag") + "</ETag></Part><Part><PartNumber>2</PartNumber><ETag>" +
                          second + "</ETag></Part></CompleteMultipartUpload>"});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(client.get("k").body == std::string(6 * MiB, 'x'));
  EXPECT_EQ(server_->stats().bytes_kept, 6 * MiB);
}

TEST_F(MultipartUploads, list_their_parts_in_pages) {
  TestClient client(port());
  const std::string id = create(client, "k%20y");
  for (const int number : {3, 1, 20}) put(client, "k%20y", id, number, std::string(10, 'x'));
  const auto page = [&](const std::string& query) {
    return client.ask({.path = "/loadtest/k%20y", .query = query + "&uploadId=" + id});
  };
  const TestResponse first = page("max-parts=2");
  EXPECT_EQ(first.element("IsTruncated"), "true");
  EXPECT_EQ(first.element("PartNumber"), "1");
  EXPECT_EQ(first.element("NextPartNumberMarker"), "3");
  EXPECT_EQ(first.element("Key"), "k y");
  EXPECT_EQ(first.element("Size"), "10");
  const TestResponse second = page("max-parts=2&part-number-marker=3");
  EXPECT_EQ(second.element("IsTruncated"), "false");
  EXPECT_EQ(second.element("PartNumber"), "20");
  EXPECT_EQ(client.ask({.path = "/loadtest/k%20y", .query = "uploadId=none"}).code(), "NoSuchUpload");
  EXPECT_EQ(page("max-parts=x").code(), "InvalidArgument");
}

TEST_F(MultipartUploads, are_listed_by_key_and_time_in_pages_with_prefix_and_delimiter) {
  TestClient client(port());
  const std::string b = create(client, "b"), a1 = create(client, "a"), a2 = create(client, "a");
  const std::string deep = create(client, "dir/x");
  create(client, "dir/y");
  const auto list = [&](const std::string& query) {
    return client.ask({.path = "/loadtest", .query = "uploads=" + query}).body;
  };
  const std::string all = list("");
  const std::vector<std::string> order{a1, a2, b, deep};
  for (std::size_t i = 1; i < order.size(); ++i) EXPECT_LT(all.find(order[i - 1]), all.find(order[i]));
  const std::string first = list("&max-uploads=1");
  EXPECT_NE(first.find("<NextUploadIdMarker>" + a1), first.npos) << first;
  EXPECT_NE(first.find("<IsTruncated>true"), first.npos);
  const std::string next = list("&key-marker=a&upload-id-marker=" + a1);
  EXPECT_EQ(next.find("<UploadId>" + a1), next.npos);
  EXPECT_NE(next.find("<UploadId>" + a2), next.npos);
  EXPECT_EQ(list("&key-marker=a").find(a2), std::string::npos);
  const std::string folded = list("&delimiter=/");
  EXPECT_NE(folded.find("<CommonPrefixes><Prefix>dir/</Prefix></CommonPrefixes>"), folded.npos) << folded;
  EXPECT_EQ(folded.find(deep), folded.npos);
  EXPECT_NE(list("&prefix=dir/&delimiter=/").find(deep), std::string::npos);
  EXPECT_EQ(list("&prefix=dir/").find(b), std::string::npos);
}

TEST_F(MultipartUploads, have_composite_checksums_of_their_parts) {
  TestClient client(port());
  const std::string id = create(client, "k", {{"x-amz-checksum-algorithm", "SHA256"}});
  const auto digest = [](std::string_view text) {
    const Sha256 hash = sha256(as_bytes(text));
    return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
  };
  const std::string a = body_of('a'), b = "the end";
  const std::string first =
      put(client, "k", id, 1, a, {{"x-amz-checksum-sha256", to_base64(as_bytes(digest(a)))}})
          .headers.at("etag");
  EXPECT_EQ(put(client, "k", id, 2, b).code(), "InvalidRequest");  // without its checksum
  EXPECT_EQ(put(client, "k", id, 2, b, {{"x-amz-checksum-sha256", to_base64(as_bytes(digest(a)))}}).code(),
            "BadDigest");
  const TestResponse second =
      put(client, "k", id, 2, b, {{"x-amz-checksum-sha256", to_base64(as_bytes(digest(b)))}});
  EXPECT_EQ(second.headers.at("x-amz-checksum-sha256"), to_base64(as_bytes(digest(b))));
  EXPECT_EQ(complete(client, "k", id,
                     {{1, first, "<ChecksumSHA256>AAAA</ChecksumSHA256>"}, {2, second.headers.at("etag")}})
                .code(),
            "InvalidPart");
  const TestResponse done = complete(client, "k", id, {{1, first}, {2, second.headers.at("etag")}});
  EXPECT_EQ(done.element("ChecksumSHA256"), to_base64(as_bytes(digest(digest(a) + digest(b)))) + "-2");
  EXPECT_EQ(done.element("ChecksumType"), "COMPOSITE");
  TestResponse head =
      client.ask({.method = "HEAD", .path = "/loadtest/k", .headers = {{"x-amz-checksum-mode", "ENABLED"}}});
  EXPECT_EQ(head.headers["x-amz-checksum-sha256"], done.element("ChecksumSHA256"));
  EXPECT_EQ(head.headers["x-amz-checksum-type"], "COMPOSITE");
}

TEST_F(MultipartUploads, have_a_checksum_of_the_whole_where_it_is_asked_for) {
  TestClient client(port());
  const auto crc = [](const std::string& text) { return crc32_base64(crc32(0, text.data(), text.size())); };
  const std::string id =
      create(client, "k", {{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  const std::string a = body_of('a'), b = "the end";
  const std::string one = put(client, "k", id, 1, a, {{"x-amz-checksum-crc32", crc(a)}}).headers.at("etag");
  const std::string two = put(client, "k", id, 2, b, {{"x-amz-checksum-crc32", crc(b)}}).headers.at("etag");
  EXPECT_EQ(complete(client, "k", id, {{1, one}, {2, two}}, {{"x-amz-checksum-crc32", crc(a)}}).code(),
            "BadDigest");
  EXPECT_EQ(complete(client, "k", id, {{1, one}, {2, two}}, {{"x-amz-mp-object-size", "5"}}).code(),
            "InvalidRequest");
  const TestResponse done =
      complete(client, "k", id, {{1, one}, {2, two}},
               {{"x-amz-checksum-crc32", crc(a + b)}, {"x-amz-mp-object-size", "5242887"}});
  EXPECT_EQ(done.element("ChecksumCRC32"), crc(a + b)) << done.body;
  EXPECT_EQ(done.element("ChecksumType"), "FULL_OBJECT");
  const TestResponse wrong =
      client.ask({.method = "POST",
                  .path = "/loadtest/k",
                  .query = "uploads=",
                  .headers = {{"x-amz-checksum-algorithm", "SHA1"}, {"x-amz-checksum-type", "FULL_OBJECT"}}});
  EXPECT_EQ(wrong.code(), "InvalidRequest");
}

TEST_F(MultipartUploads, obey_if_none_match_at_their_end) {
  TestClient client(port());
  const std::string id = create(client, "k");
  const std::string one = put(client, "k", id, 1, "part").headers.at("etag");
  ASSERT_EQ(client.put("k", "there").status, 200);
  EXPECT_EQ(complete(client, "k", id, {{1, one}}, {{"if-none-match", "*"}}).status, 412);
  EXPECT_EQ(client.get("k").body, "there");
  EXPECT_EQ(complete(client, "k", id, {{1, one}}).status, 200);
  EXPECT_EQ(client.get("k").body, "part");
}

TEST_F(MultipartUploads, take_parts_from_other_objects) {
  TestClient client(port());
  const std::string source = content_of("source", 6 * MiB);
  ASSERT_EQ(client.put("source", source).status, 200);  // recognised, and so kept nowhere
  const std::string id = create(client, "k");
  const auto copy = [&](int number, const std::string& range) {
    return client.ask(
        {.method = "PUT",
         .path = "/loadtest/k",
         .query = "partNumber=" + std::to_string(number) + "&uploadId=" + id,
         .headers = {{"x-amz-copy-source", "/loadtest/source"}, {"x-amz-copy-source-range", range}}});
  };
  const std::string one = copy(1, "bytes=0-5242879").element("ETag"),
                    two = copy(2, "bytes=10-19").element("ETag");
  EXPECT_TRUE(one.starts_with("&quot;")) << one;
  EXPECT_EQ(copy(3, "bytes=0-6291456").code(), "InvalidArgument");
  EXPECT_EQ(copy(3, "bytes=5-").code(), "InvalidArgument");
  EXPECT_EQ(complete(client, "k", id, {{1, one}, {2, two}}).status, 200);
  EXPECT_TRUE(client.get("k").body == source.substr(0, part_size) + source.substr(10, 10));
}

}  // namespace
}  // namespace s3lt::server
