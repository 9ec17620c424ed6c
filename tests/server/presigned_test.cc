#include "server/test_client.h"

namespace s3lt::server {
namespace {

struct Presign {
  std::string method = "GET", path = "/loadtest/k", more = {};  // more: further parameters, encoded
  std::string expires = "60";
  Duration clock_offset{};
  std::string region = "us-east-1";
  Credentials credentials = test_credentials;
};

class Presigned : public ServerTest {
 protected:
  void SetUp() override {
    start();
    client_ = std::make_unique<TestClient>(port());
    ASSERT_EQ(client_->put("k", "hello").status, 200);
  }

  // The query of a request that is signed by it.
  std::string query(const Presign& p) const {
    const std::string date =
        format_basic_utc(wall_now() + std::chrono::duration_cast<WallTime::duration>(p.clock_offset));
    std::string out = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + p.credentials.access_key +
                      "%2F" + date.substr(0, 8) + "%2F" + p.region +
                      "%2Fs3%2Faws4_request&X-Amz-Date=" + date + "&X-Amz-Expires=" + p.expires +
                      "&X-Amz-SignedHeaders=host";
    if (!p.more.empty()) out += "&" + p.more;
    const std::string host = "127.0.0.1:" + std::to_string(port());
    const std::vector<SignedHeader> headers{{"host", host}};
    const std::string canonical = canonical_query(out);
    Signer signer(p.credentials, p.region);
    const auto signature = signer.signature({p.method, p.path, canonical, headers, "UNSIGNED-PAYLOAD"}, date);
    return out + "&X-Amz-Signature=" + std::string(signature.data(), signature.size());
  }
  TestResponse ask(const Presign& p, const std::string& body = {}) {
    return send(p.method, p.path, query(p), body);
  }
  TestResponse send(const std::string& method, const std::string& path, const std::string& query,
                    const std::string& body = {}) {
    return client_->ask({.method = method, .path = path, .query = query, .body = body, .sign = false});
  }
  std::unique_ptr<TestClient> client_;
};

TEST_F(Presigned, requests_get_and_put_without_a_header) {
  EXPECT_EQ(ask({}).body, "hello");
  EXPECT_EQ(ask({.method = "HEAD"}).status, 200);
  EXPECT_EQ(ask({.method = "PUT", .path = "/loadtest/new%20key"}, "body").status, 200);
  EXPECT_EQ(client_->get("new%20key").body, "body");
  EXPECT_EQ(ask({.method = "DELETE"}).status, 204);
}

TEST_F(Presigned, requests_may_say_how_they_are_answered) {
  TestResponse got = ask({.more = "response-content-disposition=attachment%3B%20filename%3Dx&"
                                  "response-content-type=text%2Fplain"});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.headers["content-type"], "text/plain");
  EXPECT_EQ(got.headers["content-disposition"], "attachment; filename=x");
  got = ask({.more = "response-content-type=a%0D%0Ax-smuggled%3A%201"});
  EXPECT_EQ(got.status, 200);
  EXPECT_FALSE(got.headers.contains("x-smuggled"));
}

TEST_F(Presigned, requests_are_refused_after_their_time_and_before_it) {
  const TestResponse expired = ask({.clock_offset = -std::chrono::seconds(62)});
  EXPECT_EQ(expired.status, 403);
  EXPECT_EQ(expired.code(), "AccessDenied");
  EXPECT_EQ(expired.element("Message"), "Request has expired");
  EXPECT_EQ(expired.element("X-Amz-Expires"), "60");
  EXPECT_EQ(ask({.expires = "600", .clock_offset = -std::chrono::seconds(570)}).status, 200);
  // The tolerance for clocks is one for clocks that are ahead.
  EXPECT_EQ(ask({.clock_offset = std::chrono::minutes(14)}).status, 200);
  EXPECT_EQ(ask({.clock_offset = std::chrono::minutes(16)}).element("Message"), "Request is not yet valid");
}

TEST_F(Presigned, requests_are_refused_when_anything_was_changed) {
  const std::string good = query({});
  const auto tampered = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, text.npos) << from;
    return send("GET", "/loadtest/k", text.replace(at, from.size(), to));
  };
  EXPECT_EQ(send("GET", "/loadtest/k", good).status, 200);
  EXPECT_EQ(send("PUT", "/loadtest/k", good, "x").code(), "SignatureDoesNotMatch");
  EXPECT_EQ(send("GET", "/loadtest/other", good).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(send("GET", "/loadtest/k", good + "&response-content-type=x").code(), "SignatureDoesNotMatch");
  EXPECT_EQ(tampered("X-Amz-Expires=60", "X-Amz-Expires=61").code(), "SignatureDoesNotMatch");
  EXPECT_EQ(tampered("testkey", "other").code(), "InvalidAccessKeyId");
  EXPECT_EQ(tampered("X-Amz-Signature=", "X-Amz-Signature=0").code(), "SignatureDoesNotMatch");
  const TestResponse smuggled = client_->ask({.path = "/loadtest/k",
                                              .query = good,
                                              .unsigned_headers = {{"x-amz-meta-smuggled", "1"}},
                                              .sign = false});
  EXPECT_EQ(smuggled.code(), "AccessDenied");
  EXPECT_EQ(client_->get("k").body, "hello");
}

TEST_F(Presigned, requests_are_refused_where_their_parameters_cannot_be) {
  const std::string wrong = "AuthorizationQueryParametersError";
  EXPECT_EQ(ask({.expires = "604801"}).code(), wrong);
  EXPECT_EQ(ask({.expires = "604800"}).status, 200);
  EXPECT_EQ(ask({.expires = "-1"}).code(), wrong);
  EXPECT_EQ(ask({.expires = "soon"}).code(), wrong);
  const TestResponse region = ask({.region = "eu-west-1"});
  EXPECT_EQ(region.code(), wrong);
  EXPECT_EQ(region.element("Region"), "us-east-1");
  EXPECT_EQ(ask({.credentials = {"testkey", "wrong", ""}}).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(send("GET", "/loadtest/k", "X-Amz-Algorithm=AWS4-HMAC-SHA256").code(), wrong);
  EXPECT_EQ(send("GET", "/loadtest/k", "X-Amz-Algorithm=MD5").code(), wrong);
  EXPECT_EQ(client_->ask({.path = "/loadtest/k", .query = query({})}).code(),
            "InvalidArgument");  // and a header
  EXPECT_EQ(send("GET", "/loadtest/k", "AWSAccessKeyId=testkey&Expires=1&Signature=x").code(),
            "InvalidRequest");
}

}  // namespace
}  // namespace s3lt::server
