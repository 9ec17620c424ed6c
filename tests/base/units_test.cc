#include "base/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace s3lt {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(ParseDuration, ReadsUnitsCombinationsAndBareSeconds) {
  const std::pair<const char*, double> cases[] = {
      {"30s", 30},     {"5m", 300},     {"1h", 3600},        {"2d", 172800}, {"1w", 604800},
      {"250ms", 0.25}, {"1h30m", 5400}, {"1d2h3m4s", 93784}, {"90", 90},     {"0.5", 0.5},
      {"1.5h", 5400},  {"30S", 30},     {" 20s ", 20}};
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, seconds(expected)) << text;
  }
}

TEST(ParseDuration, RefusesWhatIsNoneAndShowsTheRightForm) {
  for (const char* text :
       {"", "s", "5x", "1h30", "-5s", "1.2.3s", "1e3", "inf", "nan", "5 apples", "0m", "0", "99999999999w"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr('"' + std::string(text) + '"'));
    EXPECT_THAT(parsed.error().message, HasSubstr("1h30m"));
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
  }
}

TEST(ParseDuration, AllowsZeroOnlyWhereAsked) {
  EXPECT_FALSE(parse_duration("0s"));
  EXPECT_EQ(parse_duration("0s", true), Duration::zero());
  EXPECT_EQ(parse_duration("0", true), Duration::zero());
}

TEST(ParseSize, TakesKbAndKibAsTheSameInAnyCase) {
  for (const char* text : {"1KB", "1KiB", "1k", "1K", "1kb", "1024", "1024B", "1 KB"}) {
    EXPECT_EQ(parse_size(text), KiB) << text;
  }
  EXPECT_EQ(parse_size("100mb"), 100 * MiB);
  EXPECT_EQ(parse_size("1.5GiB"), 3 * GiB / 2);
  EXPECT_EQ(parse_size("2TiB"), 2 * TiB);
  EXPECT_EQ(parse_size("0"), 0U);
}

TEST(ParseSize, RefusesWhatIsNone) {
  for (const char* text : {"", "KB", "1XB", "-1KB", "1KB2", "1e3", "99999999TB", "1.KB.", "."}) {
    const auto parsed = parse_size(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr('"' + std::string(text) + '"'));
  }
}

TEST(ParseRate, KeepsDecimalBinaryAndBitsApart) {
  EXPECT_EQ(parse_rate("40MB/s"), 40e6);
  EXPECT_EQ(parse_rate("40MiB/s"), 40.0 * 1048576);
  EXPECT_EQ(parse_rate("40mib/s"), 40.0 * 1048576);
  EXPECT_EQ(parse_rate("1Mbps"), 125000.0);
  EXPECT_EQ(parse_rate("1 Gbit/s"), 125e6);
  EXPECT_EQ(parse_rate("125000"), 125000.0);
  EXPECT_EQ(parse_rate("512B/s"), 512.0);
}

TEST(ParseRate, RefusesAmbiguousAndEmptyRates) {
  for (const char* text : {"", "40MB", "40mb/s", "40Mb/s", "0", "0MB/s", "-1MB/s", "fast"}) {
    const auto parsed = parse_rate(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr('"' + std::string(text) + '"'));
  }
}

TEST(ParseOperationRate, IsASecondsUnlessItSays) {
  EXPECT_EQ(parse_operation_rate("500/s"), 500.0);
  EXPECT_EQ(parse_operation_rate("0.5"), 0.5);
  EXPECT_EQ(parse_operation_rate("30/min"), 0.5);
  EXPECT_EQ(parse_operation_rate("3600 /h"), 1.0);
  EXPECT_EQ(parse_operation_rate("5k/s"), 5000.0);
  for (const char* text : {"", "/s", "5MB/s", "-1/s", "5/d", "many"}) {
    EXPECT_FALSE(parse_operation_rate(text)) << text;
  }
}

TEST(ParseCount, TakesGroupsOfThree) {
  EXPECT_EQ(parse_count("0"), 0U);
  EXPECT_EQ(parse_count("1000000"), 1'000'000U);
  EXPECT_EQ(parse_count("1,000,000"), 1'000'000U);
  EXPECT_EQ(parse_count("10_000"), 10'000U);
  EXPECT_EQ(parse_count("18446744073709551615"), UINT64_MAX);
  for (const char* text :
       {"", "-1", "1.5", "1,00", ",100", "1000,000", "1,", "ten", "18446744073709551616", "1k"}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
}

TEST(FormatCount, GroupsThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
}

TEST(FormatSizeLabel, NamesASizeExactlySoThatItReadsBack) {
  EXPECT_EQ(format_size_label(0), "0B");
  EXPECT_EQ(format_size_label(17), "17B");
  EXPECT_EQ(format_size_label(KiB), "1KB");
  EXPECT_EQ(format_size_label(4 * KiB), "4KB");
  EXPECT_EQ(format_size_label(1536), "1.5KB");
  EXPECT_EQ(format_size_label(100 * MiB), "100MB");
  EXPECT_EQ(format_size_label(MiB + KiB), "1025KB");
  EXPECT_EQ(format_size_label(MiB + 1), "1048577B");
  for (const std::uint64_t n : {1ULL, 1000ULL, 1280ULL, 1536ULL, 1048577ULL, 5ULL << 30, (1ULL << 41) + 1}) {
    EXPECT_EQ(parse_size(format_size_label(n)), n) << format_size_label(n);
  }
}

TEST(FormatSize, RoundsForPeople) {
  EXPECT_EQ(format_size(17), "17 B");
  EXPECT_EQ(format_size(KiB), "1 KiB");
  EXPECT_EQ(format_size(3 * MiB / 2), "1.5 MiB");
  EXPECT_EQ(format_size(MiB - 1), "1 MiB");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(20 * GiB), "20 GiB");
}

TEST(FormatBytesOld, KeepsOneDecimalAndTheOldLabels) {
  EXPECT_EQ(format_bytes_old(0), "0.0B");
  EXPECT_EQ(format_bytes_old(1536), "1.5KB");
  EXPECT_EQ(format_bytes_old(1288490189), "1.2GB");
  EXPECT_EQ(format_bytes_old(40 * MiB), "40.0MB");
}

TEST(FormatRate, IsBinary) {
  EXPECT_EQ(format_rate(40.0 * 1048576), "40.0 MiB/s");
  EXPECT_EQ(format_rate(0), "0.0 B/s");
}

TEST(FormatDuration, IsShort) {
  EXPECT_EQ(format_duration(Duration::zero()), "0s");
  EXPECT_EQ(format_duration(milliseconds(250)), "250ms");
  EXPECT_EQ(format_duration(milliseconds(1500)), "1.5s");
  EXPECT_EQ(format_duration(seconds(30)), "30s");
  EXPECT_EQ(format_duration(seconds(30.0004)), "30s");
  EXPECT_EQ(format_duration(seconds(59.97)), "1m");
  EXPECT_EQ(format_duration(seconds(60)), "1m");
  EXPECT_EQ(format_duration(seconds(90)), "1m30s");
  EXPECT_EQ(format_duration(seconds(5400)), "1h30m");
  EXPECT_EQ(format_duration(hours(24 * 7 + 1)), "7d1h");
}

TEST(FormatLatency, HasThreeDigitsAtMost) {
  EXPECT_EQ(format_latency(0), "0us");
  EXPECT_EQ(format_latency(850), "850us");
  EXPECT_EQ(format_latency(2000), "2ms");
  EXPECT_EQ(format_latency(2104), "2.1ms");
  EXPECT_EQ(format_latency(15'000), "15ms");
  EXPECT_EQ(format_latency(99'960), "100ms");
  EXPECT_EQ(format_latency(999'600), "1s");
  EXPECT_EQ(format_latency(1'250'000), "1.25s");
  EXPECT_EQ(format_latency(125'400'000), "125s");
}

}  // namespace
}  // namespace s3lt
