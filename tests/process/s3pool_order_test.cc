#include "process/s3pool_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "process/s3pool_keeper.h"

namespace s3lt {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

S3poolSettings settings() {
  return {.program = "/opt/s3pool",
          .ip = "127.0.0.1",
          .port = 18080,
          .endpoints = {"http://10.0.0.1:9000", "http://10.0.0.2:9000"},
          .credentials = {"the key", "the secret", ""},
          .region = "eu-west-1",
          .ca_bundle = {},
          .tuning = {{"POOL_CONNECT_TIMEOUT", "5"}}};
}

TEST(S3poolOrder, HasTheCommandOfTheEarlierToolAndNoSecretInIt) {
  const S3poolOrder order = order_s3pool(settings());
  EXPECT_THAT(order.command, ElementsAre("/opt/s3pool", "--insecure", "--log-level", "error", "proxy",
                                         "--listen", "127.0.0.1:18080"));
  EXPECT_THAT(order.command, Not(Contains(HasSubstr("secret"))));
}

TEST(S3poolOrder, HasTheStorageInItsEnvironment) {
  const auto environment = order_s3pool(settings()).environment;
  EXPECT_THAT(environment, Contains(Pair("S3_POOL", "http://10.0.0.1:9000,http://10.0.0.2:9000")));
  EXPECT_THAT(environment, Contains(Pair("AWS_ACCESS_KEY_ID", "the key")));
  EXPECT_THAT(environment, Contains(Pair("AWS_SECRET_ACCESS_KEY", "the secret")));
  EXPECT_THAT(environment, Contains(Pair("AWS_REGION", "eu-west-1")));
  EXPECT_THAT(environment, Contains(Pair("POOL_CONNECT_TIMEOUT", "5")));
}

TEST(S3poolOrder, VerifiesCertificatesWhereTheRunDoes) {
  S3poolSettings verifying = settings();
  verifying.verify_tls = true;
  verifying.ca_bundle = "/etc/ca.pem";
  const S3poolOrder order = order_s3pool(verifying);
  EXPECT_THAT(order.command, Not(Contains("--insecure")));
  EXPECT_THAT(order.environment, Contains(Pair("SSL_CERT_FILE", "/etc/ca.pem")));
}

TEST(S3poolOrder, ListensOnIpv6InBrackets) {
  EXPECT_EQ(address_text("::1", 8080), "[::1]:8080");
}

TEST(S3poolRequest, ComesOutOfItsPacketAsItWent) {
  const S3poolRequest request{
      .order = order_s3pool(settings()), .restart = true, .directory = "/tmp", .log = "/logs/s3pool.log"};
  const auto back = request_in(packet_of(request));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->order, request.order);
  EXPECT_TRUE(back->restart);
  EXPECT_EQ(back->directory, "/tmp");
  EXPECT_EQ(back->log, "/logs/s3pool.log");
}

TEST(S3poolRequest, IsNoneOfAnotherVersionOrCutShort) {
  Packet packet = packet_of({.order = order_s3pool(settings()), .directory = "/tmp", .log = "/l"});
  Packet cut(packet.begin(), packet.end() - 1);
  EXPECT_FALSE(request_in(cut));
  EXPECT_FALSE(request_in({"use"}));
  packet[1] = "0.0.0";
  EXPECT_FALSE(request_in(packet));
}

TEST(S3poolRestarts, WaitTwiceAsLongEachTimeUpToTenSeconds) {
  EXPECT_EQ(restart_delay(1), std::chrono::milliseconds(200));
  EXPECT_EQ(restart_delay(2), std::chrono::milliseconds(400));
  EXPECT_EQ(restart_delay(6), std::chrono::milliseconds(6400));
  EXPECT_EQ(restart_delay(7), std::chrono::seconds(10));
  EXPECT_EQ(restart_delay(1000), std::chrono::seconds(10));
}

}  // namespace
}  // namespace s3lt
