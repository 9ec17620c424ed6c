#include "check/check_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "check/check_json.h"
#include "check/sample_check.h"
#include "check/server_name.h"

namespace s3lt {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const CheckFacts& facts, const TextStyle& style = {.width = 80}) {
  return check_text(facts, judge(facts, {}), style);
}

TEST(CheckText, TellsAnEndpointLineByLine) {
  EXPECT_EQ(text_of(good_check()),
            "http://10.0.0.1:9000\n"
            "  addresses    10.0.0.1:9000 (connected in 150us)\n"
            "  clock        as the server's, to 0.5s\n"
            "  server       MinIO (Server: MinIO)\n"
            "  signature    verified; region us-east-1 accepted, others are not\n"
            "  bucket       loadtest exists; versioning off; object lock off\n"
            "  boto3        PUT, HEAD, GET, LIST, DELETE, DELETE-BATCH: work\n"
            "  minio        PUT, HEAD, GET, LIST, DELETE, DELETE-BATCH: work\n"
            "  native       PUT, HEAD, GET, LIST, DELETE, DELETE-BATCH: work\n"
            "  payloads     signed: verified; unsigned: accepted\n"
            "  checksums    content-md5, crc32: verified; crc64nvme: ignored (a wrong one is\n"
            "               accepted)\n"
            "  multipart    create, part, complete, abort: work\n"
            "  ranges       yes\n"
            "  100-continue said at once\n"
            "  connections  kept\n"
            "\n"
            "http://10.0.0.1:9000 does all of what a run with backend boto3 needs.\n"
            "next: s3loadtest run baseload --duration 1m\n");
}

TEST(CheckText, TellsAlikeEndpointsOnceBelowATableOfAll) {
  CheckFacts facts = good_check();
  for (int i = 2; i <= 5; ++i)
    facts.endpoints.push_back(good_endpoint("http://10.0.0." + std::to_string(i) + ":9000"));
  facts.endpoints[3].keeps_connections = facts.endpoints[4].keeps_connections = false;
  facts.endpoints[2] =
      EndpointFacts{.url = "http://10.0.0.3:9000", .problem = "cannot reach http://10.0.0.3:9000"};
  const std::string text = text_of(facts);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool to_be_copied = line.starts_with("next: ");
    EXPECT_TRUE(line.size() <= 80 || to_be_copied) << line;
  }
  EXPECT_THAT(text, HasSubstr("\nhttp://10.0.0.1:9000, http://10.0.0.2:9000\n"));
  EXPECT_THAT(text, HasSubstr("works"));
  EXPECT_THAT(text, HasSubstr("WRONG\n"));
  EXPECT_THAT(text, HasSubstr("\nwrong: cannot reach http://10.0.0.3:9000\n"));
  EXPECT_THAT(text, HasSubstr("\nhttp://10.0.0.4:9000, http://10.0.0.5:9000\n"));
  EXPECT_THAT(
      text,
      HasSubstr("\nnote: http://10.0.0.4:9000, http://10.0.0.5:9000: it closes the connection after\n"));
}

TEST(CheckText, TellsACertificateAndWhatItIsNotBelievedFor) {
  CheckFacts facts = good_check();
  TlsFact tls{.facts = {.version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .protocol = "http/1.1"},
              .handshake_us = 1200};
  tls.facts.certificate = Certificate{.subject = "CN=s", .issuer = "CN=s", .names = {"a.example"}};
  tls.problem = CertificateProblem{
      .kind = CertificateProblem::Kind::wrong_name, .certificate = *tls.facts.certificate, .host = "h"};
  facts.endpoints[0].tls = tls;
  const std::string text = text_of(facts, {.width = 200});
  EXPECT_THAT(text, HasSubstr("  TLS          TLSv1.3, TLS_AES_256_GCM_SHA384, http/1.1\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "  certificate  CN=s; for a.example; until 1970-01-01; by itself; it is made out to a.example, "
          "not to h (and not verified, as S3_VERIFY_SSL has it)\n"));
  EXPECT_THAT(text, HasSubstr("  handshake    1.2ms\n"));
}

TEST(CheckText, IsColouredOnRequestOnly) {
  CheckFacts facts = good_check();
  facts.endpoints[0].problem = "it burns";
  EXPECT_THAT(text_of(facts), Not(HasSubstr("\x1b")));
  EXPECT_THAT(text_of(facts, {.width = 80, .colour = true}), HasSubstr("\x1b[31mwrong: it burns\x1b[0m\n"));
}

TEST(CheckJson, HasEveryFactAndNullForWhatIsNotKnown) {
  CheckFacts facts = good_check();
  facts.endpoints[0].multipart[1].trial = fails("501 NotImplemented");
  facts.endpoints.push_back(EndpointFacts{.url = "http://h:1", .problem = "dead"});
  const boost::json::value json = boost::json::parse(check_json(facts, judge(facts, {})));
  EXPECT_EQ(json.at("schema").as_string(), "s3loadtest.check/1");
  EXPECT_FALSE(json.at("works").as_bool());
  const boost::json::value& one = json.at_pointer("/endpoints/0");
  EXPECT_TRUE(one.at("works").as_bool());
  EXPECT_EQ(one.at_pointer("/multipart/part/said").as_string(), "501 NotImplemented");
  EXPECT_FALSE(one.at_pointer("/checksums/crc64nvme/verified").as_bool());
  EXPECT_TRUE(one.at_pointer("/payloads/unsigned/verified").is_null());
  EXPECT_EQ(one.at_pointer("/notes/0").as_string(), "multipart uploads: part fails (501 NotImplemented)");
  const boost::json::value& dead = json.at_pointer("/endpoints/1");
  EXPECT_EQ(dead.at_pointer("/problems/0").as_string(), "dead");
  for (const char* field :
       {"tls", "server", "clock_ahead_seconds", "signature_verified", "keeps_connections"})
    EXPECT_TRUE(dead.at(field).is_null()) << field;
  EXPECT_TRUE(dead.at("backends").as_object().empty());
}

TEST(ServerName, IsToldByItsHeadersAndIds) {
  const auto name = [](std::string header, std::string value) {
    StorageAnswer answer;
    answer.headers = {{std::move(header), std::move(value)}};
    return looks_like(answer);
  };
  EXPECT_EQ(name("server", "VERSITYGW"), "VersityGW");
  EXPECT_EQ(name("Server", "MinIO"), "MinIO");
  EXPECT_EQ(name("X-Amz-Request-Id", "tx00000a1b2c-0065f0a1b2-10a3-default"), "Ceph Object Gateway");
  EXPECT_EQ(name("x-s3pool-proxy", "v2"), "s3pool");
  EXPECT_EQ(name("server", "nginx/1.22"), "nginx, perhaps before the storage");
  EXPECT_EQ(name("server", "something"), "");
}

}  // namespace
}  // namespace s3lt
