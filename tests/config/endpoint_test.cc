#include "config/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace s3lt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> urls(std::string_view list) {
  const auto endpoints = parse_endpoints(list, "S3_ENDPOINTS=");
  if (!endpoints) return {"error: " + endpoints.error().message};
  std::vector<std::string> out;
  for (const Endpoint& endpoint : *endpoints) out.push_back(endpoint.url());
  return out;
}

std::string error_of(std::string_view list) {
  const auto endpoints = parse_endpoints(list, "S3_ENDPOINTS=");
  return endpoints ? "no error" : endpoints.error().message;
}

TEST(Endpoint, HasSchemeHostAndPort) {
  EXPECT_EQ(parse_endpoint("http://10.0.0.1:9000"), (Endpoint{false, "10.0.0.1", 9000}));
  EXPECT_EQ(parse_endpoint("https://s3.example.org"), (Endpoint{true, "s3.example.org", 443}));
  EXPECT_EQ(parse_endpoint("HTTP://host/"), (Endpoint{false, "host", 80}));
  EXPECT_EQ(parse_endpoint("http://[::1]:9000"), (Endpoint{false, "::1", 9000}));
}

TEST(Endpoint, HostHeaderLeavesOutTheSchemesOwnPort) {
  EXPECT_EQ((Endpoint{false, "h", 80}).host_header(), "h");
  EXPECT_EQ((Endpoint{true, "h", 443}).host_header(), "h");
  EXPECT_EQ((Endpoint{true, "h", 80}).host_header(), "h:80");
  EXPECT_EQ((Endpoint{false, "h", 443}).host_header(), "h:443");
  EXPECT_EQ((Endpoint{false, "::1", 9000}).host_header(), "[::1]:9000");
  EXPECT_EQ((Endpoint{true, "::1", 443}).url(), "https://[::1]");
}

TEST(Endpoints, AreSeparatedByCommasAndCounted) {
  EXPECT_THAT(urls("http://a:1, https://b ,"), ElementsAre("http://a:1", "https://b"));
  EXPECT_THAT(urls("http://n{9...11}:9000"),
              ElementsAre("http://n9:9000", "http://n10:9000", "http://n11:9000"));
  EXPECT_THAT(urls("http://n{08...10}"), ElementsAre("http://n08", "http://n09", "http://n10"));
  EXPECT_THAT(urls("http://r{1...2}n{1...2}"),
              ElementsAre("http://r1n1", "http://r1n2", "http://r2n1", "http://r2n2"));
  EXPECT_EQ(urls("http://10.0.0.{1...16}:9000").size(), 16U);
}

TEST(Endpoints, AMissingSchemeIsShownWithTheRightLine) {
  EXPECT_THAT(error_of("10.0.0.1:9000"), HasSubstr("write S3_ENDPOINTS=http://10.0.0.1:9000"));
  EXPECT_THAT(error_of("http://a:1,n{1...4}:443"),
              HasSubstr("write S3_ENDPOINTS=http://a:1,https://n{1...4}:443"));
}

TEST(Endpoints, WhatIsNoEndpointIsNamed) {
  EXPECT_THAT(error_of("http://a/base"), HasSubstr("has a path"));
  EXPECT_THAT(error_of("http://a:1 http://b:2"), HasSubstr("write a comma between several"));
  EXPECT_THAT(error_of("http://a/base"), HasSubstr("port: http://a"));
  EXPECT_THAT(error_of("http://a?x"), HasSubstr("has a path"));
  for (const char* port : {"http://a:", "http://a:0", "http://a:65536", "http://a:9x", "http://[::1]:x"}) {
    EXPECT_THAT(error_of(port), HasSubstr("port")) << port;
  }
  for (const char* host : {"http://", "http://:9000", "http://a b", "http://[::1", "http://[zz]"}) {
    EXPECT_THAT(error_of(host), HasSubstr("no valid host")) << host;
  }
  EXPECT_THAT(error_of("ftp://a"), HasSubstr("http:// or https://"));
  EXPECT_THAT(error_of(" , "), HasSubstr("no URL"));
}

TEST(Endpoints, RangesCountUpWithThreeDots) {
  for (const char* list : {"http://n{1..16}", "http://n{16...1}", "http://n{a...b}", "http://n{1...",
                           "http://n1}", "http://n{}", "http://n{1...16"}) {
    EXPECT_THAT(error_of(list), HasSubstr("{1...16}")) << list;
  }
  EXPECT_THAT(error_of("http://n{1...99999}"), HasSubstr("4096"));
  EXPECT_THAT(error_of("http://a{1...4000}b{1...4000}"), HasSubstr("4096"));
}

TEST(Endpoints, PasswordsAreNeverShown) {
  for (const char* list :
       {"http://user:SECRET@host", "user:SECRET@host", "http://a,user:SECRET@h{1...2}", "b,u:SECRET@h"}) {
    const std::string message = error_of(list);
    EXPECT_THAT(message, Not(HasSubstr("SECRET"))) << list;
    EXPECT_NE(message, "no error");
  }
}

}  // namespace
}  // namespace s3lt
