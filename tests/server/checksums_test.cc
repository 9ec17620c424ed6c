#include "s3/checksum.h"
#include "server/test_client.h"

namespace s3lt::server {
namespace {

// The check values of the catalogue of CRCs (https://reveng.sourceforge.io/crc-catalogue) and of FIPS 180 for
// "123456789", in base64.
struct Known {
  std::string name, header, value;
};
const std::vector<Known> known = {
    {"CRC32", "x-amz-checksum-crc32", "y/Q5Jg=="},
    {"CRC32C", "x-amz-checksum-crc32c", "4waSgw=="},
    {"CRC64NVME", "x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
    {"SHA1", "x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="},
    {"SHA256", "x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="},
};
const std::string text = "123456789";

TEST(Checksums, have_their_published_values_however_the_bytes_are_split) {
  for (const Known& k : known) {
    const auto algorithm = find_checksum_algorithm(k.name);
    ASSERT_TRUE(algorithm);
    EXPECT_EQ(checksum_header(*algorithm), k.header);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      ChecksumStream stream(*algorithm);
      stream.update(as_bytes(std::string_view(text).substr(0, cut)));
      stream.update(as_bytes(std::string_view(text).substr(cut)));
      EXPECT_EQ(stream.finish().base64(), k.value) << k.name;
    }
    EXPECT_FALSE(parse_checksum(*algorithm, "AA=="));
    EXPECT_FALSE(parse_checksum(*algorithm, "not base64"));
  }
}

class ObjectChecksums : public ServerTest {
 protected:
  void SetUp() override { start(); }
  static TestResponse put(TestClient& client, std::vector<std::pair<std::string, std::string>> headers) {
    return client.ask({.method = "PUT", .path = "/loadtest/k", .headers = std::move(headers), .body = text});
  }
};

TEST_F(ObjectChecksums, are_verified_stored_and_told_when_asked) {
  TestClient client(port());
  for (const Known& k : known) {
    TestResponse stored = put(client, {{k.header, k.value}});
    EXPECT_EQ(stored.status, 200) << k.name << stored.body;
    EXPECT_EQ(stored.headers[k.header], k.value);
    TestResponse got = client.ask({.path = "/loadtest/k", .headers = {{"x-amz-checksum-mode", "ENABLED"}}});
    EXPECT_EQ(got.headers[k.header], k.value);
    EXPECT_EQ(got.headers["x-amz-checksum-type"], "FULL_OBJECT");
    EXPECT_FALSE(client.get("k").headers.contains(k.header));
    std::string other = k.value;
    other[1] = other[1] == 'A' ? 'B' : 'A';
    EXPECT_EQ(put(client, {{k.header, other}}).code(), "BadDigest") << k.name;
    EXPECT_EQ(put(client, {{k.header, "AA=="}}).code(), "InvalidRequest");
  }
}

TEST_F(ObjectChecksums, come_in_trailers_too) {
  TestClient client(port());
  for (const Known& k : known) {
    TestRequest r{.method = "PUT",
                  .path = "/loadtest/k",
                  .headers = {{"x-amz-decoded-content-length", "9"}, {"x-amz-trailer", k.header}},
                  .payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"};
    r.body = "9\r\n" + text + "\r\n0\r\n" + k.header + ":" + k.value + "\r\n\r\n";
    EXPECT_EQ(client.ask(r).status, 200) << k.name;
    r.body[4] ^= 1;
    EXPECT_EQ(client.ask(r).code(), "BadDigest") << k.name;
  }
}

TEST_F(ObjectChecksums, that_nobody_knows_or_of_two_kinds_are_refused) {
  TestClient client(port());
  EXPECT_EQ(put(client, {{"x-amz-checksum-crc99", "AA=="}}).code(), "InvalidRequest");
  EXPECT_EQ(
      put(client, {{"x-amz-checksum-crc32", known[0].value}, {"x-amz-checksum-sha1", known[3].value}}).code(),
      "InvalidRequest");
  EXPECT_EQ(client.get("k").status, 404);
}

}  // namespace
}  // namespace s3lt::server
