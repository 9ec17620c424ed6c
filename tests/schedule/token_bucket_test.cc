#include "schedule/token_bucket.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

using std::chrono::milliseconds;
const TimePoint start = TimePoint(std::chrono::hours(1));

TEST(TokenBucket, LetsItsBurstThroughAndThenItsRate) {
  TokenBucket bucket(1000, 100);
  EXPECT_EQ(bucket.ready_at(start), start);
  bucket.spend(600);  // 500 in debt
  EXPECT_EQ(bucket.ready_at(start), start + milliseconds(500));
  EXPECT_EQ(bucket.ready_at(start + milliseconds(300)), start + milliseconds(500));
  EXPECT_EQ(bucket.ready_at(start + milliseconds(501)), start + milliseconds(501));
}

TEST(TokenBucket, SavesNoMoreThanItsBurst) {
  TokenBucket bucket(1000, 100);
  bucket.ready_at(start);
  const TimePoint later = start + std::chrono::minutes(10);
  EXPECT_EQ(bucket.ready_at(later), later);
  bucket.spend(1100);
  EXPECT_EQ(bucket.ready_at(later), later + milliseconds(1000));
}

TEST(TokenBucket, ReadyAtIsNeverAPauseOfNothing) {
  TokenBucket bucket(1e9, 1);
  bucket.ready_at(start);
  bucket.spend(1);  // exactly empty: a wait of zero would spin
  EXPECT_GT(bucket.ready_at(start), start);
}

TEST(TokenBucket, KeepsTheRateOverManyUnevenMoves) {
  TokenBucket bucket(125'000, 12'500);
  TimePoint t = start;
  std::uint64_t moved = 0;
  for (std::uint64_t i = 0; t < start + std::chrono::seconds(60); ++i) {
    t = bucket.ready_at(t);
    const std::uint64_t bytes = 1 + i * 7919 % 4096;
    bucket.spend(bytes);
    moved += bytes;
  }
  EXPECT_NEAR(static_cast<double>(moved), 60 * 125'000.0 + 12'500, 2 * 4096);
}

TEST(TokenBucket, IgnoresAClockThatStandsStillOrComesLate) {
  TokenBucket bucket(1000, 0);
  bucket.ready_at(start);
  bucket.spend(1000);
  EXPECT_EQ(bucket.ready_at(start), start + std::chrono::seconds(1));
  EXPECT_GE(bucket.ready_at(start - milliseconds(100)), start + milliseconds(900));
  EXPECT_EQ(bucket.ready_at(start), start + std::chrono::seconds(1));
}

}  // namespace
}  // namespace s3lt
