#include "schedule/shared_pace.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

using std::chrono::milliseconds;
constexpr TimePoint start{std::chrono::hours(1)};

TEST(SharedPace, LetsTransfersTakeTurnsAtOneSpeed) {
  SharedPace pace(1000);
  // The first may have had its time before.
  const TimePoint first = pace.take(100, start);
  EXPECT_EQ(first, start + milliseconds(50));
  EXPECT_EQ(pace.take(100, start), first + milliseconds(100)) << "whoever asks";
  EXPECT_EQ(pace.take(200, start + milliseconds(120)), first + milliseconds(300));
}

TEST(SharedPace, MakesUpForALittleDelayAndForNoPause) {
  SharedPace pace(1000);
  const TimePoint first = pace.take(100, start);
  EXPECT_EQ(pace.take(100, first + milliseconds(30)), first + milliseconds(100)) << "late, and made up for";
  EXPECT_EQ(pace.take(100, start + std::chrono::seconds(10)), start + std::chrono::seconds(10) + milliseconds(50));
}

TEST(SharedPace, TakesBackWhatDidNotMove) {
  SharedPace pace(1000);
  const TimePoint due = pace.take(100, start);
  pace.give_back(60);
  EXPECT_EQ(pace.take(60, start), due);
}

}  // namespace
}  // namespace s3lt
