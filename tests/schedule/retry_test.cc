#include "schedule/retry.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

using std::chrono::milliseconds;

TEST(RetryPolicy, DoublesFromATenthOfASecondToThirty) {
  const RetryPolicy policy;
  EXPECT_EQ(policy.retries, 5u);
  EXPECT_EQ(policy.delay(0, 0), milliseconds(100));
  EXPECT_EQ(policy.delay(1, 0), milliseconds(200));
  EXPECT_EQ(policy.delay(2, 0), milliseconds(400));
  EXPECT_EQ(policy.delay(4, 0), milliseconds(1600));
  EXPECT_EQ(policy.delay(8, 0), milliseconds(25600));
  EXPECT_EQ(policy.delay(9, 0), std::chrono::seconds(30));
  EXPECT_EQ(policy.delay(4'000'000'000u, 0.99), std::chrono::seconds(30));
}

TEST(RetryPolicy, LengthensByUpToThirtyPercentAndNeverPastTheMost) {
  const RetryPolicy policy;
  EXPECT_NEAR(to_seconds(policy.delay(0, 0.5)), 0.115, 1e-6);
  EXPECT_NEAR(to_seconds(policy.delay(0, 0.999999)), 0.13, 1e-6);
  for (unsigned retry = 0; retry < 20; ++retry) {
    EXPECT_LE(policy.delay(retry, 0.999), std::chrono::seconds(30));
    EXPECT_GE(policy.delay(retry, 0.999), policy.delay(retry, 0));
  }
}

TEST(Backoff, DoublesToFiveSecondsAndStartsAnewAfterASuccess) {
  Backoff backoff;
  for (const int expected : {100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
    EXPECT_EQ(backoff.failed(), milliseconds(expected));
  }
  backoff.succeeded();
  EXPECT_EQ(backoff.failed(), milliseconds(100));
  EXPECT_EQ(backoff.failed(), milliseconds(200));
}

TEST(Backoff, IsShortenedByUpToThirtyPercentAndNeverLongerThanFiveSeconds) {
  for (const double random : {0.0, 0.25, 0.5, 0.999}) {
    Backoff backoff;
    for (const double plain : {0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0}) {
      EXPECT_NEAR(to_seconds(backoff.failed(random)), plain * (1 - 0.3 * random), 1e-6);
    }
  }
}

}  // namespace
}  // namespace s3lt
