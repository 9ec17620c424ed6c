#include "check/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check/sample_check.h"

namespace s3lt {
namespace {

using testing::HasSubstr;

std::vector<std::string> findings(const Judgement& judgement, bool wrong) {
  std::vector<std::string> out;
  for (const EndpointJudgement& one : judgement.endpoints) {
    for (const Finding& finding : one.findings) {
      if (finding.wrong == wrong) out.push_back(finding.text);
    }
  }
  return out;
}

TEST(CheckJudgement, GoesOnToARunWhereAllWorks) {
  const Judgement judgement = judge(good_check(), {});
  EXPECT_EQ(judgement.exit_status, 0);
  EXPECT_TRUE(judgement.endpoints.at(0).works);
  EXPECT_TRUE(judgement.endpoints.at(0).findings.empty());
  EXPECT_EQ(judgement.sentence, "http://10.0.0.1:9000 does all of what a run with backend boto3 needs.");
  EXPECT_EQ(judgement.next, "s3loadtest run baseload --duration 1m");
}

TEST(CheckJudgement, TakesTheGivenFlagsAlongAndQuotesThem) {
  const GivenFlags flags{.env_file = "my env",
                         .bucket = "b",
                         .prefix = "it's/",
                         .backend = "boto3",
                         .endpoints = {"http://h:1"}};
  EXPECT_EQ(judge(good_check(), flags).next,
            "s3loadtest run baseload --duration 1m --env 'my env' --endpoint http://h:1 --bucket b "
            "--prefix 'it'\\''s/' --backend boto3");
}

TEST(CheckJudgement, AProblemIsWrongAndNothingReachableIsThree) {
  CheckFacts facts = good_check();
  facts.endpoints[0].problem = "it burns";
  Judgement judgement = judge(facts, {});
  EXPECT_EQ(judgement.exit_status, 1);
  EXPECT_EQ(findings(judgement, true), std::vector<std::string>{"it burns"});
  EXPECT_EQ(judgement.next, "s3loadtest check");

  facts.endpoints[0].addresses[0].connect_us.reset();
  EXPECT_EQ(judge(facts, {}).exit_status, 3);
  facts.endpoints.push_back(good_endpoint("http://10.0.0.2:9000"));
  EXPECT_EQ(judge(facts, {}).exit_status, 1);
}

TEST(CheckJudgement, OnlyTheChosenBackendDecides) {
  CheckFacts facts = good_check();
  facts.endpoints[0].backends[0].operations[0].trial = fails("400 InvalidRequest");
  Judgement judgement = judge(facts, {});
  EXPECT_EQ(judgement.exit_status, 1);
  EXPECT_EQ(findings(judgement, true),
            std::vector<std::string>{
                "backend boto3 does not work at http://10.0.0.1:9000 in bucket loadtest: PUT (400 "
                "InvalidRequest); use backend minio or native"});
  EXPECT_EQ(judgement.next, "s3loadtest run baseload --duration 1m --backend native");

  for (const char* backend : {"minio", "native", "proxy"}) {
    facts.backend = backend;
    EXPECT_EQ(judge(facts, {}).exit_status, 0) << backend;
  }
}

TEST(CheckJudgement, OfAKeyThatMayNotListItIsToldWhoLists) {
  CheckFacts facts = good_check();
  for (NamedTrial& one : facts.endpoints[0].backends[0].operations) {
    if (one.name == "LIST") one.trial = fails("403 AccessDenied");
  }
  EXPECT_THAT(
      findings(judge(facts, {}), true).at(0),
      HasSubstr("grant it s3:ListBucket there, or use a key that may; of the built-in patterns listops, "
                "metastorm need it"));
}

TEST(CheckJudgement, WhoSendsLargeObjectsInPartsNeedsThem) {
  CheckFacts facts = good_check();
  facts.backend = "minio";
  facts.endpoints[0].multipart = {{"create", fails("501 NotImplemented")}};
  Judgement judgement = judge(facts, {});
  EXPECT_EQ(judgement.exit_status, 1);
  EXPECT_EQ(
      findings(judgement, true),
      std::vector<std::string>{
          "backend minio does not work at http://10.0.0.1:9000 in bucket loadtest: multipart uploads, as it "
          "sends large objects: create (501 NotImplemented); use backend boto3 or native"});
  EXPECT_TRUE(findings(judgement, false).empty());
  EXPECT_EQ(judgement.next, "s3loadtest run baseload --duration 1m --backend native");

  facts.endpoints[0].multipart = {{"create", works()}, {"part", fails("403 AccessDenied")}};
  EXPECT_THAT(findings(judge(facts, {}), true).at(0), HasSubstr("grant it s3:PutObject there"));
  facts.endpoints[0].multipart = {{"create", works()}, {"list", fails("501 NotImplemented")}};
  EXPECT_EQ(judge(facts, {}).exit_status, 0);
  facts.endpoints[0].multipart = {{"create", works()}, {"part", works()}, {"complete", fails("500")}};
  for (const char* backend : {"boto3", "native", "proxy"}) {
    facts.backend = backend;
    judgement = judge(facts, {});
    EXPECT_EQ(judgement.exit_status, 0) << backend;
    EXPECT_EQ(findings(judgement, false),
              std::vector<std::string>{"multipart uploads: complete fails (500)"});
  }
}

TEST(CheckJudgement, WhatKeepsS3poolFromStartingIsWrongAndIsGoneRound) {
  CheckFacts facts = good_check();
  facts.backend = "proxy";
  const GivenFlags flags{.env_file = {}, .bucket = "b", .prefix = {}, .backend = "proxy", .endpoints = {}};
  facts.proxy = ProxyFact{.address = "127.0.0.1:18080", .program = "/opt/s3pool"};
  EXPECT_EQ(judge(facts, flags).next, "s3loadtest run baseload --duration 1m --bucket b --backend proxy");
  EXPECT_EQ(judge(facts, flags).exit_status, 0);

  facts.proxy->problems = {"its address is taken"};
  Judgement judgement = judge(facts, flags);
  EXPECT_EQ(judgement.exit_status, 1);
  ASSERT_EQ(judgement.here.size(), 1U);
  EXPECT_EQ(judgement.here[0].text, "its address is taken");
  EXPECT_EQ(
      judgement.sentence,
      "http://10.0.0.1:9000 does all of what a run with backend proxy needs, but from this machine no such "
      "run can begin.");
  EXPECT_EQ(judgement.next, "s3loadtest run baseload --duration 1m --bucket b --backend native");

  facts.proxy->is_wrong_setting = true;
  EXPECT_EQ(judge(facts, flags).exit_status, 2);
  facts.endpoints[0].problem = "no bucket";
  facts.endpoints[0].bucket_missing = true;
  EXPECT_EQ(judge(facts, flags).next,
            "s3loadtest run baseload --duration 1m --create-bucket --bucket b --backend native");
}

TEST(CheckJudgement, MissingRightsAreNamedOnceEach) {
  CheckFacts facts = good_check();
  for (BackendFact& backend : facts.endpoints[0].backends) {
    backend.operations[0].trial = fails("403 AccessDenied");
    backend.operations[4].trial = fails("403 AccessDenied");
    backend.operations[5].trial = fails("AccessDenied");
  }
  const auto wrong = findings(judge(facts, {}), true);
  ASSERT_EQ(wrong.size(), 1U);
  EXPECT_THAT(wrong[0], HasSubstr("grant it s3:PutObject, s3:DeleteObject there, or use a key that may"));
}

TEST(CheckJudgement, TheNextCommandPutsRightWhatAWordPutsRight) {
  CheckFacts facts = good_check();
  EndpointFacts& one = facts.endpoints[0];
  one.problem = "wrong";
  one.other_scheme = true;
  EXPECT_EQ(judge(facts, {}).next, "s3loadtest check --endpoint https://10.0.0.1:9000");
  one.url = "https://[::1]";
  EXPECT_EQ(judge(facts, {}).next, "s3loadtest check --endpoint 'http://[::1]:443'");
  one.other_scheme = false;
  one.right_region = "eu-west-1";
  EXPECT_EQ(judge(facts, {}).next, "AWS_REGION=eu-west-1 s3loadtest check");
  one.right_region.clear();
  one.bucket_missing = true;
  EXPECT_EQ(judge(facts, {}).next, "s3loadtest run baseload --duration 1m --create-bucket");
}

TEST(CheckJudgement, OfSomeDeadEndpointsItGoesOnWithTheOthers) {
  CheckFacts facts = good_check();
  facts.endpoints.push_back(good_endpoint("http://10.0.0.2:9000"));
  facts.endpoints[0].problem = "dead";
  facts.endpoints[0].backends.clear();
  const Judgement judgement = judge(facts, {});
  EXPECT_EQ(judgement.exit_status, 1);
  EXPECT_EQ(judgement.sentence, "1 of the 2 endpoints do what a run with backend boto3 needs.");
  EXPECT_EQ(judgement.next, "s3loadtest run baseload --duration 1m --endpoint http://10.0.0.2:9000");
}

TEST(CheckJudgement, WhatStaysIsWrong) {
  CheckFacts facts = good_check();
  facts.endpoints[0].left = {.looked = true, .what = {"a", "b", "c", "d"}, .problem = "403 AccessDenied"};
  EXPECT_EQ(findings(judge(facts, {}), true),
            std::vector<std::string>{
                "4 of what the check wrote could not be taken away again (403 AccessDenied): a, b, c; "
                "s3loadtest cleanup knows such keys, with an access key that may list and delete"});
  EXPECT_EQ(judge(facts, {}).next, "s3loadtest check") << "the same key may not";
  facts.endpoints[0].left.problem = "500 InternalError";
  EXPECT_EQ(judge(facts, {}).next, "s3loadtest cleanup");
  facts.endpoints[0].left = {.looked = false, .what = {}, .problem = "LIST: 500"};
  EXPECT_EQ(judge(facts, {}).exit_status, 1);
}

TEST(CheckJudgement, AnObjectLockThatKeepsAllIsWrong) {
  CheckFacts facts = good_check();
  facts.endpoints[0].bucket.default_retention = "COMPLIANCE, 30 days";
  EXPECT_EQ(judge(facts, {}).exit_status, 1);
  EXPECT_THAT(findings(judge(facts, {}), true).at(0), HasSubstr("(COMPLIANCE, 30 days)"));
}

TEST(CheckJudgement, WhatIsGoodToKnowIsNotWrong) {
  CheckFacts facts = good_check();
  EndpointFacts& one = facts.endpoints[0];
  one.addresses.push_back({.address = "[::1]:9000", .connect_us = {}, .problem = "Connection refused"});
  one.keeps_connections = one.signature_verified = false;
  one.expect_continue = fails("no 100 Continue within 1.0 s");
  one.clock_ahead = -120.2;
  one.payloads[0].verified = false;
  one.multipart[1].trial = fails("501 NotImplemented");
  one.tls = TlsFact{};
  one.tls->facts.certificate = Certificate{};
  one.tls->facts.certificate->until = facts.started + std::chrono::days(3);
  const Judgement judgement = judge(facts, {});
  EXPECT_EQ(judgement.exit_status, 0);
  EXPECT_THAT(
      findings(judgement, false),
      testing::ElementsAre(
          "its address [::1]:9000 takes no connection: Connection refused",
          "it closes the connection after each answer: every operation pays a connect and a TLS handshake, "
          "and all "
          "figures have that in them",
          "it does not say 100 Continue: each PUT of backend boto3 waits a second for it",
          "it verifies no signatures: anybody can use it with any key",
          "this machine's clock is 2m behind the server's; from 15 minutes on storages refuse every request",
          HasSubstr("its certificate expires on "),
          "it takes bodies that do not have the hash that was signed",
          "multipart uploads: part fails (501 NotImplemented)"));
}

}  // namespace
}  // namespace s3lt
