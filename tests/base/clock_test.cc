#include "base/clock.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

TEST(Clock, ReadsTheDatesItWrites) {
  const WallTime t{std::chrono::seconds(1'770'206'400)};
  EXPECT_EQ(format_basic_utc(t), "20260204T120000Z");
  EXPECT_EQ(format_http_date(t), "Wed, 04 Feb 2026 12:00:00 GMT");
  EXPECT_EQ(parse_basic_utc(format_basic_utc(t)).time, t);
  EXPECT_EQ(parse_http_date(format_http_date(t)).time, t);
}

// A year that nanoseconds do not reach used to overflow and come out as another date.
TEST(Clock, RefusesDatesThatItCannotHold) {
  EXPECT_TRUE(parse_basic_utc("22620101T000000Z").ok);
  for (const char* date : {"40520401T120000Z", "99991231T235959Z", "00010101T000000Z", "22630101T000000Z"})
    EXPECT_FALSE(parse_basic_utc(date).ok) << date;
  EXPECT_FALSE(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT").ok);
  EXPECT_FALSE(parse_basic_utc(std::string("20260204T120000Z\0x", 18)).ok);
  EXPECT_FALSE(parse_basic_utc("20260204T120000").ok);
}

TEST(Clock, ReadsTheRfc3339ThatItWrites) {
  const WallTime t = WallTime(std::chrono::milliseconds(1'770'206'400'123));
  const ParsedTime parsed = parse_rfc3339(format_rfc3339(t));
  ASSERT_TRUE(parsed.ok);
  EXPECT_EQ(parsed.time, t);
  EXPECT_TRUE(parse_rfc3339("2026-02-04T12:00:00Z").ok);
  for (const char* wrong : {"2026-02-04T12:00:00.12Z", "2026-02-04T12:00:00.123", "2026-02-04T12:00:00.-12Z", "", "."})
    EXPECT_FALSE(parse_rfc3339(wrong).ok) << wrong;
}

}  // namespace
}  // namespace s3lt
