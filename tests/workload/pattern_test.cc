#include "workload/pattern.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace s3lt {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

Pattern parse_one(std::string_view toml) {
  auto patterns = parse_patterns(toml, "mine.toml");
  EXPECT_TRUE(patterns) << (patterns ? "" : patterns.error().message);
  return patterns && patterns->size() == 1 ? patterns->front() : Pattern{};
}

std::string error_of(std::string_view toml) {
  const auto patterns = parse_patterns(toml, "mine.toml");
  return patterns ? "no error" : patterns.error().message;
}

// The text of a pattern in which one part is another.
std::string with(std::string_view mix, std::string_view sizes = "sizes = [\"1KB\"]",
                 std::string_view rest = "") {
  return fmt::format("name = \"mine\"\n{}\n{}\n{}\n", mix, sizes, rest);
}
constexpr std::string_view half = "mix = { GET = 50, PUT = 50 }";

TEST(BuiltinPatterns, AllOfThemParseUnderTheirOwnName) {
  ASSERT_THAT(builtin_pattern_names(), Contains("baseload"));
  for (const std::string_view name : builtin_pattern_names()) {
    const auto pattern = builtin_pattern(name);
    ASSERT_TRUE(pattern) << pattern.error().message;
    EXPECT_EQ(pattern->name, name);
    EXPECT_NE(pattern->summary, "");
    EXPECT_NEAR(std::accumulate(pattern->mix.begin(), pattern->mix.end(), 0.0), 1, 1e-9);
    EXPECT_THAT(std::string(builtin_pattern_text(name)), StartsWith("# "));
  }
}

TEST(BuiltinPatterns, BaseloadReadsSeventyPercentOfSixSizes) {
  const auto p = builtin_pattern("baseload");
  ASSERT_TRUE(p);
  EXPECT_DOUBLE_EQ(p->share(OperationKind::get), 0.7);
  EXPECT_DOUBLE_EQ(p->share(OperationKind::put), 0.3);
  EXPECT_EQ(p->clients_per_core, 8);
  EXPECT_EQ(p->clients, 0U);
  std::vector<std::string> labels;
  for (const SizeClass& size : p->sizes) {
    labels.push_back(size.label);
    EXPECT_EQ(size.weight, 1);
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"1KB", "10KB", "100KB", "1MB", "10MB", "100MB"}));
  EXPECT_EQ(p->sizes.back().bytes, 104857600U);
}

TEST(BuiltinPatterns, AnUnknownOneIsAnsweredWithTheNearest) {
  const auto p = builtin_pattern("baselaod");
  ASSERT_FALSE(p);
  EXPECT_THAT(p.error().message, AllOf(HasSubstr("\"baselaod\""), HasSubstr("did you mean \"baseload\"?")));
  EXPECT_EQ(builtin_pattern_text("baselaod"), "");
}

TEST(ParsePatterns, SizesMayHaveWeights) {
  const Pattern p = parse_one(with(half, "sizes = { \"1MiB\" = 20, \"4kib\" = 80, \"100\" = 0.5 }"));
  ASSERT_EQ(p.sizes.size(), 3U);
  EXPECT_EQ(p.sizes[0].label, "100B");
  EXPECT_EQ(p.sizes[0].weight, 0.5);
  EXPECT_EQ(p.sizes[1].label, "4KB");
  EXPECT_EQ(p.sizes[1].bytes, 4096U);
  EXPECT_EQ(p.sizes[1].weight, 80);
  EXPECT_EQ(p.sizes[2].label, "1MB");
}

TEST(ParsePatterns, ClientsArePerCoreOrInAll) {
  EXPECT_EQ(parse_one(with(half)).clients_per_core, 8);
  EXPECT_EQ(parse_one(with(half, "sizes = [\"1KB\"]", "clients.per_core = 0.5")).clients_per_core, 0.5);
  EXPECT_EQ(parse_one(with(half, "sizes = [\"1KB\"]", "[clients]\ntotal = 1000")).clients, 1000U);
}

TEST(ParsePatterns, TheMixTakesFourOperationsAndFractionsOfAPercent) {
  const Pattern p = parse_one(with("mix = { GET = 49.5, HEAD = 0.5, DELETE = 10, PUT = 40 }"));
  EXPECT_DOUBLE_EQ(p.share(OperationKind::get), 0.495);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::head), 0.005);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::del), 0.1);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::put), 0.4);
}

TEST(ParsePatterns, AFileMayHoldSeveral) {
  const auto patterns = parse_patterns(
      "[[pattern]]\nname = \"a\"\nsizes = [\"1KB\"]\nmix.GET = 100\n"
      "[[pattern]]\nname = \"b\"\nsizes = [\"1KB\"]\nmix.PUT = 100\n",
      "two.toml");
  ASSERT_TRUE(patterns) << patterns.error().message;
  ASSERT_EQ(patterns->size(), 2U);
  EXPECT_EQ((*patterns)[0].name, "a");
  EXPECT_EQ((*patterns)[1].share(OperationKind::put), 1);
}

TEST(ParsePatterns, SeveralPatternsNeedNamesOfTheirOwnAndNothingOutside) {
  const std::string a = "[[pattern]]\nname = \"a\"\nsizes = [\"1KB\"]\nmix.GET = 100\n";
  EXPECT_THAT(error_of(a + a), AllOf(StartsWith("mine.toml:5:"), HasSubstr("two patterns are named a")));
  EXPECT_THAT(error_of("name = \"x\"\n" + a), AllOf(StartsWith("mine.toml:1:"), HasSubstr("[[pattern]]")));
  EXPECT_THAT(error_of("pattern = []\n"), HasSubstr("[[pattern]]"));
  EXPECT_THAT(error_of("pattern = 3\n"), HasSubstr("[[pattern]]"));
}

TEST(ParsePatterns, UnknownNamesAreShownWithLineAndNearest) {
  EXPECT_THAT(error_of(with(half, "size = [\"1KB\"]")),
              AllOf(StartsWith("mine.toml:3:"), HasSubstr("\"size\""), HasSubstr("\"sizes\"?")));
  EXPECT_THAT(error_of(with("mix = { GTE = 100 }")),
              AllOf(StartsWith("mine.toml:2:"), HasSubstr("\"GET\"?")));
  EXPECT_THAT(error_of(with("mix = { get = 100 }")), HasSubstr("GET"));
  EXPECT_THAT(error_of(with("mix = { LIST = 100 }")), HasSubstr("\"LIST\""));
  EXPECT_THAT(error_of(with(half, "sizes = [\"1KB\"]", "[clients]\nper_cores = 8")),
              AllOf(StartsWith("mine.toml:5:"), HasSubstr("\"per_core\"?")));
}

TEST(ParsePatterns, SharesMustAddUpTo100) {
  EXPECT_THAT(error_of(with("mix = { GET = 70, PUT = 20 }")),
              AllOf(StartsWith("mine.toml:2:"), HasSubstr("add up to 90"), HasSubstr("100")));
  EXPECT_THAT(error_of(with("mix = { GET = 0.7, PUT = 0.3 }")), HasSubstr("add up to 1,"));
  EXPECT_THAT(error_of(with("mix = { }")), HasSubstr("add up to 0"));
  EXPECT_THAT(error_of(with("mix = { GET = 150, PUT = -50 }")), HasSubstr("0 or more"));
  EXPECT_THAT(error_of(with("mix = { GET = nan }")), HasSubstr("0 or more"));
}

TEST(ParsePatterns, WrongTypesAreShownWithTheRightForm) {
  EXPECT_THAT(error_of("name = 3\nsizes = [\"1KB\"]\nmix.GET = 100\n"),
              AllOf(StartsWith("mine.toml:1:"), HasSubstr("name must be a text")));
  EXPECT_THAT(error_of(with("mix = 70")), HasSubstr("[mix]"));
  EXPECT_THAT(error_of(with("mix = { GET = \"70\" }")), HasSubstr("GET must be a number"));
  EXPECT_THAT(error_of(with(half, "sizes = 1024")), HasSubstr("sizes = ["));
  EXPECT_THAT(error_of(with(half, "sizes = [\n  \"1KB\",\n  1024\n]")),
              StartsWith("mine.toml:5: a size must be a text"));
  EXPECT_THAT(error_of(with(half, "sizes = [\"1KB\"]", "clients = 8")), HasSubstr("[clients]"));
  EXPECT_THAT(error_of(with(half, "sizes = [\"1KB\"]", "summary = \"a\\nb\"")), HasSubstr("one line"));
}

TEST(ParsePatterns, WrongValuesAreRefused) {
  EXPECT_THAT(error_of(with(half, "sizes = [\"1XB\"]")), HasSubstr("\"1XB\" is not a size"));
  EXPECT_THAT(error_of(with(half, "sizes = [\"1KB\", \"1KiB\"]")), HasSubstr("twice"));
  EXPECT_THAT(error_of(with(half, "sizes = []")), HasSubstr("at least one size"));
  EXPECT_THAT(error_of(with(half, "sizes = { \"1KB\" = 0 }")), HasSubstr("weight of 1KB"));
  for (const char* clients : {"total = 0", "total = 1.5", "total = -1", "per_core = 0", "per_core = inf",
                              "total = 99999999999", "per_core = \"8\"", "per_core = 8\ntotal = 8"}) {
    EXPECT_THAT(error_of(with(half, "sizes = [\"1KB\"]", fmt::format("[clients]\n{}", clients))),
                AllOf(StartsWith("mine.toml:"),
                      testing::AnyOf(HasSubstr("clients"), HasSubstr("total"), HasSubstr("per_core"))))
        << clients;
  }
  for (const char* name : {"", "Mine", "a b", "a/b", "-a", "all"}) {
    EXPECT_THAT(error_of(fmt::format("name = \"{}\"\n{}\nsizes = [\"1KB\"]", name, half)),
                AllOf(StartsWith("mine.toml:1:"), HasSubstr("name")))
        << name;
  }
}

TEST(ParsePatterns, WhatIsMissingIsNamed) {
  EXPECT_THAT(error_of(""), HasSubstr("needs name"));
  EXPECT_THAT(error_of("name = \"a\"\nsizes = [\"1KB\"]"), HasSubstr("needs mix"));
  EXPECT_THAT(error_of(with(half, "")), HasSubstr("needs sizes"));
}

TEST(ParsePatterns, WhatIsNoTomlIsNamedWithItsLine) {
  EXPECT_THAT(error_of("name = \"a\"\nsizes = [\"1KB\"\nmix"), StartsWith("mine.toml:"));
  EXPECT_THAT(error_of("name = \"a\"\nname = \"b\"\n"), StartsWith("mine.toml:2:"));
}

}  // namespace
}  // namespace s3lt
