#include "cli/run_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace s3lt {
namespace {

using std::chrono::minutes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// The flags that arguments mean; what is wrong with them goes to `error`.
RunFlags parse(std::vector<std::string> arguments, std::string* error = nullptr) {
  CLI::App app;
  RunFlags flags;
  add_run_flags(app, flags);
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
    if (error != nullptr) *error = "no error";
  } catch (const CLI::ParseError& mistake) {
    if (error == nullptr) ADD_FAILURE() << mistake.what();
    if (error != nullptr) *error = mistake.what();
  }
  return flags;
}
std::string error_of(std::vector<std::string> arguments) {
  std::string error;
  parse(std::move(arguments), &error);
  return error;
}

TEST(RunFlags, WithoutArgumentsAreTheDocumentedDefaults) {
  const RunFlags f = parse({});
  EXPECT_FALSE(f.duration);
  EXPECT_FALSE(f.operations);
  EXPECT_EQ(f.max_keys, 5000U);
  EXPECT_EQ(f.max_bytes, 20ULL << 30);
  EXPECT_EQ(f.worker_id, 0U);
  EXPECT_EQ(f.prefix, "loadtest/");
  EXPECT_EQ(f.stats_interval, std::chrono::seconds(30));
  EXPECT_EQ(f.retries.most, 5U);
  EXPECT_FALSE(f.retries.as_sdk);
  EXPECT_EQ(f.grace, std::chrono::seconds(10));
  EXPECT_FALSE(f.create_bucket);
  EXPECT_FALSE(f.json);
}

TEST(RunFlags, TakeValuesWithUnits) {
  const RunFlags f = parse({"--duration",
                            "1h30m",
                            "--operations",
                            "1,000",
                            "--bytes=2GiB",
                            "--bandwidth",
                            "1Mbps",
                            "--max-bytes",
                            "1MB",
                            "--stats-interval",
                            "0",
                            "--grace=0s",
                            "--log-level",
                            "debug",
                            "--seed",
                            "7",
                            "--create-bucket",
                            "--json",
                            "--prefill",
                            "10",
                            "--threads",
                            "2"});
  EXPECT_EQ(f.duration, Duration(minutes(90)));
  EXPECT_EQ(f.operations, 1000U);
  EXPECT_EQ(f.bytes, 2ULL << 30);
  EXPECT_EQ(f.bandwidth, 125000.0);
  EXPECT_EQ(f.max_bytes, 1U << 20);
  EXPECT_EQ(f.stats_interval, Duration::zero());
  EXPECT_EQ(f.grace, Duration::zero());
  EXPECT_EQ(f.log_level, LogLevel::debug);
  EXPECT_EQ(f.seed, 7U);
  EXPECT_TRUE(f.create_bucket);
  EXPECT_TRUE(f.json);
  EXPECT_EQ(f.prefill, 10U);
  EXPECT_EQ(f.threads, 2U);
}

TEST(RunFlags, ConcurrencyIsForAllPatternsOrForOne) {
  const RunFlags f = parse({"--concurrency", "100", "--concurrency", "baseload=8"});
  EXPECT_EQ(f.concurrency, 100U);
  EXPECT_EQ(f.pattern_concurrency.at("baseload"), 8U);
  EXPECT_THAT(error_of({"--concurrency", "baseload=0"}), HasSubstr("--concurrency"));
}

TEST(RunFlags, SizesRepeatAndHaveWeights) {
  const RunFlags f = parse({"--size", "1kb", "--size", "4KiB=80,1MiB=20"});
  ASSERT_EQ(f.sizes.size(), 3U);
  EXPECT_EQ(f.sizes[0].label, "1KB");
  EXPECT_EQ(f.sizes[0].weight, 1);
  EXPECT_EQ(f.sizes[1].bytes, 4096U);
  EXPECT_EQ(f.sizes[1].weight, 80);
  EXPECT_EQ(f.sizes[2].label, "1MB");
  EXPECT_THAT(error_of({"--size", "1KB,1KiB"}), HasSubstr("twice"));
  EXPECT_THAT(error_of({"--size", "1KB=0"}), HasSubstr("weight"));
  EXPECT_THAT(error_of({"--size", ""}), HasSubstr("--size"));
}

TEST(RunFlags, VerifyIsOneOfThree) {
  EXPECT_EQ(parse({}).verify, Verify::sample);
  EXPECT_EQ(parse({"--verify", "off"}).verify, Verify::off);
  EXPECT_EQ(parse({"--verify", "all"}).verify, Verify::all);
  EXPECT_THAT(error_of({"--verify", "some"}), AllOf(HasSubstr("--verify"), HasSubstr("\"some\"")));
}

TEST(RunFlags, APrefixAlwaysEndsInASlash) {
  EXPECT_EQ(parse({"--prefix", "mine"}).prefix, "mine/");
  EXPECT_EQ(parse({"--prefix", "a/b/"}).prefix, "a/b/");
  EXPECT_THAT(error_of({"--prefix", ""}), HasSubstr("empty prefix"));
  EXPECT_THAT(error_of({"--prefix", "/"}), HasSubstr("empty prefix"));
}

TEST(RunFlags, CommonFlagsAreAmongThem) {
  const RunFlags f =
      parse({"--env", "x.env", "--endpoint", "http://a", "--endpoint", "http://b", "--bucket", "bkt"});
  EXPECT_EQ(f.common.env_file, "x.env");
  EXPECT_THAT(f.common.endpoints, ElementsAre("http://a", "http://b"));
  EXPECT_EQ(f.common.bucket, "bkt");
}

TEST(RunFlags, AMistakeNamesFlagTextAndRightForm) {
  EXPECT_THAT(error_of({"--duration", "5x"}),
              AllOf(HasSubstr("--duration"), HasSubstr("\"5x\""), HasSubstr("1h30m")));
  EXPECT_THAT(error_of({"--duration", "0m"}), AllOf(HasSubstr("--duration"), HasSubstr("\"0m\"")));
  EXPECT_THAT(error_of({"--bandwidth", "40MB"}), AllOf(HasSubstr("--bandwidth"), HasSubstr("40MB/s")));
  EXPECT_THAT(error_of({"--log-level", "loud"}), AllOf(HasSubstr("--log-level"), HasSubstr("DEBUG")));
  EXPECT_THAT(error_of({"--operations", "-1"}), AllOf(HasSubstr("--operations"), HasSubstr("\"-1\"")));
  EXPECT_THAT(error_of({"--operations", "0"}), HasSubstr("at least 1"));
  EXPECT_THAT(error_of({"--worker-id", "1000000"}), HasSubstr("--worker-id"));
}

TEST(RunFlags, ARateIsOfAllPatternsOrOfOneAndMayGrow) {
  const RunFlags flags = parse({"--rate", "100..5000/s", "--rate", "spiky=30/min", "--arrival", "poisson"});
  ASSERT_TRUE(flags.rate.has_value());
  EXPECT_EQ(flags.rate->from, 100);
  EXPECT_EQ(flags.rate->to, 5000);
  EXPECT_EQ(flags.pattern_rates.at("spiky").from, 0.5);
  EXPECT_EQ(flags.pattern_rates.at("spiky").to, 0.5);
  EXPECT_EQ(flags.arrival, ArrivalKind::poisson);
  EXPECT_EQ(parse({"--rate", "60..120/min"}).rate->from, 1);
  EXPECT_EQ(parse({"--rate", "0..5/s"}).rate->from, 0);
  for (const char* wrong : {"0/s", "-5/s", "5MB/s", "1..0/s", "..5/s", "x="}) {
    std::string error;
    parse({"--rate", wrong}, &error);
    EXPECT_THAT(error, HasSubstr("--rate: ")) << wrong;
  }
  std::string error;
  parse({"--arrival", "even"}, &error);
  EXPECT_THAT(error, HasSubstr("\"even\" is neither constant nor poisson"));
}

}  // namespace
}  // namespace s3lt
