#include "server/test_client.h"

namespace s3lt::server {
namespace {

class Buckets : public ServerTest {
 protected:
  void SetUp() override { start(); }

  // All of a page's elements of that name.
  static std::vector<std::string> elements(const std::string& xml, const std::string& name) {
    std::vector<std::string> out;
    const std::string open = "<" + name + ">";
    for (std::size_t at = xml.find(open); at != xml.npos; at = xml.find(open, at + 1)) {
      const std::size_t begin = at + open.size();
      out.push_back(xml.substr(begin, xml.find("</" + name + ">", begin) - begin));
    }
    return out;
  }
};

TEST_F(Buckets, are_created_found_and_deleted) {
  TestClient client(port());
  EXPECT_EQ(client.ask({.method = "HEAD", .path = "/second"}).status, 404);
  EXPECT_EQ(client.ask({.method = "PUT", .path = "/second"}).status, 200);
  EXPECT_EQ(client.ask({.method = "PUT", .path = "/second"}).status, 200);
  EXPECT_EQ(client.ask({.method = "HEAD", .path = "/second"}).status, 200);
  EXPECT_EQ(elements(client.ask({.path = "/"}).body, "Name"),
            (std::vector<std::string>{"loadtest", "second"}));
  EXPECT_EQ(client.ask({.path = "/second", .query = "location"}).status, 200);
  ASSERT_EQ(client.ask({.method = "PUT", .path = "/second/k", .body = "x"}).status, 200);
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/second"}).code(), "BucketNotEmpty");
  ASSERT_EQ(client.ask({.method = "DELETE", .path = "/second/k"}).status, 204);
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/second"}).status, 204);
  EXPECT_EQ(client.ask({.method = "DELETE", .path = "/second"}).code(), "NoSuchBucket");
}

TEST_F(Buckets, are_listed_page_by_page_without_loss) {
  TestClient client(port());
  std::vector<std::string> keys;
  for (int i = 0; i < 250; ++i) {
    keys.push_back("p/" + std::to_string(i * 7919 % 1000));
    ASSERT_EQ(client.put(keys.back(), "x").status, 200);
  }
  ASSERT_EQ(client.put("q", "x").status, 200);
  std::sort(keys.begin(), keys.end());
  std::vector<std::string> listed;
  std::string token;
  int pages = 0;
  for (bool more = true; more && pages < 100; ++pages) {
    std::string query = "list-type=2&max-keys=30&prefix=p%2F";
    if (!token.empty()) query += "&continuation-token=" + http::encode_value(token);
    const TestResponse page = client.ask({.query = query});
    ASSERT_EQ(page.status, 200);
    const auto part = elements(page.body, "Key");
    EXPECT_EQ(page.element("KeyCount"), std::to_string(part.size()));
    listed.insert(listed.end(), part.begin(), part.end());
    more = page.element("IsTruncated") == "true";
    token = page.element("NextContinuationToken");
    EXPECT_EQ(more, !token.empty());
  }
  EXPECT_EQ(pages, 9);
  EXPECT_EQ(listed, keys);
  const TestResponse after =
      client.ask({.query = "list-type=2&start-after=" + http::encode_value(keys[248])});
  EXPECT_EQ(elements(after.body, "Key"), (std::vector<std::string>{keys[249], "q"}));
  EXPECT_EQ(client.ask({.query = "list-type=2&continuation-token=bogus"}).code(), "InvalidArgument");
  EXPECT_EQ(client.ask({.query = "list-type=2&max-keys=0"}).element("IsTruncated"), "false");
}

TEST_F(Buckets, are_listed_with_common_prefixes_once_each) {
  TestClient client(port());
  for (const char* key : {"a", "b/1", "b/2", "b/c/3", "d/4", "e"})
    ASSERT_EQ(client.put(key, "x").status, 200);
  const TestResponse all = client.ask({.query = "list-type=2&delimiter=%2F"});
  EXPECT_EQ(elements(all.body, "Key"), (std::vector<std::string>{"a", "e"}));
  EXPECT_EQ(elements(all.body, "Prefix"), (std::vector<std::string>{"", "b/", "d/"}));
  EXPECT_EQ(all.element("KeyCount"), "4");
  const TestResponse below = client.ask({.query = "list-type=2&prefix=b%2F&delimiter=%2F"});
  EXPECT_EQ(elements(below.body, "Key"), (std::vector<std::string>{"b/1", "b/2"}));
  std::vector<std::string> seen;
  std::string token;
  for (int page = 0; page < 10; ++page) {
    std::string query = "list-type=2&delimiter=%2F&max-keys=1";
    if (!token.empty()) query += "&continuation-token=" + http::encode_value(token);
    const TestResponse one = client.ask({.query = query});
    for (const auto& key : elements(one.body, "Key")) seen.push_back(key);
    for (const auto& prefix : elements(one.body, "Prefix")) {
      if (!prefix.empty()) seen.push_back(prefix);
    }
    token = one.element("NextContinuationToken");
    if (token.empty()) break;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b/", "d/", "e"}));
}

TEST_F(Buckets, list_odd_keys_escaped_or_encoded) {
  TestClient client(port());
  const std::string key = "a&b <c> \xc3\xbc+";
  ASSERT_EQ(client.put(http::encode_path(key), "x").status, 200);
  EXPECT_EQ(client.ask({.query = "list-type=2"}).element("Key"), "a&amp;b &lt;c&gt; \xc3\xbc+");
  EXPECT_EQ(client.ask({.query = "encoding-type=url&list-type=2"}).element("Key"), http::encode_path(key));
}

TEST_F(Buckets, list_by_the_older_operation_too) {
  TestClient client(port());
  for (const char* key : {"a/1", "b", "c"}) ASSERT_EQ(client.put(key, "x").status, 200);
  const TestResponse first = client.ask({.query = "delimiter=%2F&max-keys=1"});
  EXPECT_EQ(first.element("NextMarker"), "a/");
  EXPECT_EQ(elements(client.ask({.query = "delimiter=%2F&marker=a%2F"}).body, "Key"),
            (std::vector<std::string>{"b", "c"}));
}

TEST_F(Buckets, lose_many_objects_at_once) {
  TestClient client(port());
  for (const char* key : {"a", "b&c", "d"}) {
    ASSERT_EQ(client.put(http::encode_path(key), "x").status, 200);
  }
  const auto del = [&](const std::string& body) {
    return client.ask({.method = "POST", .query = "delete", .body = body});
  };
  const TestResponse deleted = del(
      "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a</Key>"
      "</Object><Object><Key>b&amp;c</Key></Object><Object><Key>never there</Key></Object><Object><Key>" +
      std::string(1025, 'k') + "</Key></Object></Delete>");
  EXPECT_EQ(deleted.status, 200);
  EXPECT_EQ(elements(deleted.body, "Deleted"),
            (std::vector<std::string>{"<Key>a</Key>", "<Key>b&amp;c</Key>", "<Key>never there</Key>"}));
  EXPECT_EQ(elements(deleted.body, "Code"), (std::vector<std::string>{"KeyTooLongError"}));
  const TestResponse quiet = del("<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>");
  EXPECT_TRUE(elements(quiet.body, "Key").empty());
  EXPECT_EQ(server_->stats().objects, 0U);
  EXPECT_EQ(del("<Delete><Object></Delete>").code(), "MalformedXML");
  std::string many = "<Delete>";
  for (int i = 0; i < 1001; ++i) many += "<Object><Key>k</Key></Object>";
  EXPECT_EQ(del(many + "</Delete>").code(), "MalformedXML");
}

TEST_F(Buckets, say_what_nobody_has_set) {
  TestClient client(port());
  ASSERT_EQ(client.put("k", "x").status, 200);
  const auto ask = [&](const std::string& query, const std::string& key = {}) {
    return client.ask({.path = "/loadtest" + key, .query = query});
  };
  EXPECT_NE(ask("versioning=").body.find("<VersioningConfiguration"), std::string::npos);
  EXPECT_EQ(ask("versioning=").element("Status"), "");
  EXPECT_EQ(ask("acl=").element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(ask("acl=", "/k").element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(ask("tagging=", "/k").status, 200);
  EXPECT_EQ(ask("tagging=").code(), "NoSuchTagSet");
  EXPECT_EQ(ask("policy=").code(), "NoSuchBucketPolicy");
  EXPECT_EQ(ask("lifecycle=").code(), "NoSuchLifecycleConfiguration");
  EXPECT_EQ(ask("object-lock=").code(), "ObjectLockConfigurationNotFoundError");
  EXPECT_EQ(ask("acl=", "/missing").code(), "NoSuchKey");
  EXPECT_EQ(client.ask({.path = "/nobucket", .query = "versioning="}).code(), "NoSuchBucket");
  // Nothing of it can be set.
  EXPECT_EQ(client.ask({.method = "PUT", .path = "/loadtest", .query = "versioning=", .body = "<x/>"}).status,
            501);
  EXPECT_EQ(client.ask({.method = "PUT", .path = "/loadtest/k", .query = "tagging=", .body = "<x/>"}).status,
            501);
}

}  // namespace
}  // namespace s3lt::server
