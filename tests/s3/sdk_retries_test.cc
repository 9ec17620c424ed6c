// The retries of boto3 and minio-py, as they were measured on the wire.
#include "s3/sdk_retries.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "s3/wire_profile.h"

namespace s3lt {
namespace {

SdkRetryRules rules_of(std::string_view profile) {
  return *find_profile(profile)->sdk_retries();
}

// The attempts of an operation of which each fails in this way.
unsigned attempts(const SdkRetryRules& rules, SdkQuota& quota, const FailedAttempt& failed) {
  unsigned n = 1;
  while (quota.retry(rules, failed, n - 1, 0.5)) ++n;
  return n;
}
unsigned attempts(std::string_view profile, const FailedAttempt& failed) {
  const SdkRetryRules rules = rules_of(profile);
  SdkQuota quota(rules);
  return attempts(rules, quota, failed);
}

TEST(SdkRetries, Boto3sQuotaRunsOutAsItWasMeasured) {
  // 60 calls that fail with 500, with boto3's default of 3 attempts: 17 made 3, one made 2, 42 just 1.
  SdkRetryRules rules = rules_of("boto3");
  rules.attempts = 3;
  SdkQuota quota(rules);
  std::map<unsigned, int> calls;
  for (int i = 0; i < 60; ++i)
    ++calls[attempts(rules, quota, {.outcome = Outcome::server_error, .status = 500})];
  EXPECT_EQ(calls, (std::map<unsigned, int>{{3, 17}, {2, 1}, {1, 42}}));
  // One success without a retry brings one token, so that with the 10 that are left it takes four to retry
  // once.
  const FailedAttempt failed{.outcome = Outcome::server_error, .status = 500};
  for (int i = 0; i < 3; ++i) quota.succeeded(rules, 0);
  EXPECT_EQ(attempts(rules, quota, failed), 1u);
  quota.succeeded(rules, 0);
  ASSERT_TRUE(quota.retry(rules, failed, 0, 0.5));
  quota.succeeded(rules, 14);  // the retry's come back
  EXPECT_EQ(attempts(rules, quota, failed), 2u);
}

TEST(SdkRetries, EachSdkRetriesWhatItDoes) {
  struct Case {
    const char* what;
    FailedAttempt failed;
    unsigned boto3, minio;
  };
  const Case cases[] = {
      {"500", {.outcome = Outcome::server_error, .status = 500}, 4, 1},
      {"503 without a body", {.outcome = Outcome::throttled, .status = 503}, 4, 1},
      {"503 SlowDown", {.outcome = Outcome::throttled, .status = 503, .code = "SlowDown"}, 4, 1},
      {"429", {.outcome = Outcome::throttled, .status = 429}, 4, 1},
      {"400 RequestTimeout",
       {.outcome = Outcome::client_error, .status = 400, .code = "RequestTimeout"},
       4,
       1},
      {"501", {.outcome = Outcome::server_error, .status = 501}, 1, 1},
      {"403", {.outcome = Outcome::auth, .status = 403, .code = "AccessDenied"}, 1, 1},
      {"404", {.outcome = Outcome::missing, .status = 404, .code = "NoSuchKey"}, 1, 1},
      {"reset", {.outcome = Outcome::reset}, 4, 4},
      {"reset of a POST", {.outcome = Outcome::reset, .is_post = true}, 4, 1},
      {"refused", {.outcome = Outcome::connect, .is_post = true}, 4, 4},
      {"silent", {.outcome = Outcome::timeout}, 4, 4},
      {"a body cut off that the caller reads", {.outcome = Outcome::truncated, .status = 200}, 1, 1},
      {"one that the SDK reads", {.outcome = Outcome::truncated, .status = 200, .streamed = false}, 4, 4},
      {"an error document behind a 200",
       {.outcome = Outcome::server_error, .status = 200, .code = "InternalError", .streamed = false},
       4,
       1},
      {"a handshake that fails", {.outcome = Outcome::tls, .is_post = true}, 4, 4},
      {"503 with Retry-After", {.outcome = Outcome::throttled, .status = 503, .retry_after = "1"}, 4, 4},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(attempts("boto3", c.failed), c.boto3) << c.what;
    EXPECT_EQ(attempts("minio", c.failed), c.minio) << c.what;
  }
}

TEST(SdkRetries, WaitsAsLongAsEachSdkDoes) {
  const SdkRetryRules boto3 = rules_of("boto3"), minio = rules_of("minio");
  const auto milliseconds = [](const SdkRetryRules& rules, const FailedAttempt& failed, unsigned retry,
                               double random) {
    return std::chrono::round<std::chrono::milliseconds>(
               SdkQuota(rules).retry(rules, failed, retry, random).value().delay)
        .count();
  };
  const FailedAttempt error{.outcome = Outcome::server_error, .status = 500},
      slow_down{.outcome = Outcome::throttled, .status = 503, .code = "SlowDown"};
  EXPECT_EQ(milliseconds(boto3, error, 0, 0.5), 25);
  EXPECT_EQ(milliseconds(boto3, error, 2, 0.5), 100);
  EXPECT_EQ(milliseconds(boto3, slow_down, 0, 0.5), 500);
  EXPECT_EQ(milliseconds(boto3, slow_down, 2, 0.5), 2000);
  EXPECT_EQ(milliseconds(boto3, slow_down, 0, 0), 0);
  // Asked for more, it waits at most 5 s longer; asked for less, not shorter.
  FailedAttempt asked = error;
  asked.amz_retry_after = "1500";
  EXPECT_EQ(milliseconds(boto3, asked, 0, 0.5), 1500);
  asked.amz_retry_after = "60000";
  EXPECT_EQ(milliseconds(boto3, asked, 0, 0.5), 5025);
  asked.amz_retry_after = "1";
  EXPECT_EQ(milliseconds(boto3, asked, 0, 0.5), 25);
  asked.amz_retry_after = "soon";
  EXPECT_EQ(milliseconds(boto3, asked, 0, 0.5), 25);
  FailedAttempt later = slow_down;
  later.retry_after = "3";
  EXPECT_EQ(milliseconds(boto3, later, 0, 0.5), 500) << "boto3 ignores it";
  EXPECT_EQ(milliseconds(minio, later, 0, 0.5), 3000);
  EXPECT_EQ(milliseconds(minio, {.outcome = Outcome::reset}, 2, 0.9), 0);
}

TEST(SdkRetries, MinioSignsOnceAndNativeHasNoSdk) {
  EXPECT_TRUE(rules_of("minio").repeats_signature);
  EXPECT_FALSE(rules_of("boto3").repeats_signature);
  EXPECT_FALSE(find_profile("native")->sdk_retries());
}

}  // namespace
}  // namespace s3lt
