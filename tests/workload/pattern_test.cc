#include "workload/pattern.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace s3lt {
namespace {

using testing::AllOf;
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
constexpr std::string_view some_size = "sizes = [\"1KB\"]";
constexpr std::string_view half = "mix = { GET = 50, PUT = 50 }";

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

TEST(ParsePatterns, TheMixTakesFiveOperationsAndFractionsOfAPercent) {
  const Pattern p = parse_one(with("mix = { GET = 29.5, HEAD = 0.5, DELETE = 10, PUT = 40, LIST = 20 }"));
  EXPECT_DOUBLE_EQ(p.share(OperationKind::get), 0.295);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::head), 0.005);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::del), 0.1);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::put), 0.4);
  EXPECT_DOUBLE_EQ(p.share(OperationKind::list), 0.2);
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
  EXPECT_THAT(error_of(with("mix = { LSIT = 100 }")), HasSubstr("\"LIST\"?"));
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

TEST(ParsePatterns, AScheduleIsBurstAndGapOrRandomBurstsOrACycle) {
  using std::chrono::minutes;
  EXPECT_EQ(parse_one(with(half)).schedule.kind, Schedule::Kind::always);

  const Schedule gap =
      parse_one(with(half, some_size, "[schedule]\nburst = \"1h30m\"\ngap = \"90\"")).schedule;
  EXPECT_EQ(gap.kind, Schedule::Kind::burst_and_gap);
  EXPECT_EQ(gap.burst, minutes(90));
  EXPECT_EQ(gap.gap, std::chrono::seconds(90));

  const std::string window = "[schedule]\nwindow = \"5m\"\nburst = \"1m\"\nbursts = ";
  const Schedule range = parse_one(with(half, some_size, window + "[0, 5]")).schedule;
  EXPECT_EQ(range.kind, Schedule::Kind::random_bursts);
  EXPECT_EQ(range.window, minutes(5));
  EXPECT_EQ(range.burst, minutes(1));
  EXPECT_EQ(range.least, 0U);
  EXPECT_EQ(range.most, 5U) << "five minutes of burst just fit";
  const Schedule exact = parse_one(with(half, some_size, window + "2")).schedule;
  EXPECT_EQ(exact.least, 2U);
  EXPECT_EQ(exact.most, 2U);

  for (const char* mix : {"mix.LIST = 100", "mix.DELETE-BATCH = 100"}) {
    const Schedule cycle = parse_one(with(mix, "", "[schedule]\nevery = \"3m\"")).schedule;
    EXPECT_EQ(cycle.kind, Schedule::Kind::cycle);
    EXPECT_EQ(cycle.cycle, minutes(3));
  }
}

TEST(ParsePatterns, BurstsMayHaveMixesOfTheirOwn) {
  const Pattern p = parse_one(with(
      half, some_size,
      "schedule = { burst = \"1m\", gap = \"1m\" }\n[[burst]]\nGET = 95\nPUT = 5\n[[burst]]\nLIST = 100"));
  ASSERT_EQ(p.burst_mixes.size(), 2U);
  EXPECT_DOUBLE_EQ(p.burst_mixes[0][static_cast<std::size_t>(OperationKind::get)], 0.95);
  EXPECT_DOUBLE_EQ(p.burst_mixes[0][static_cast<std::size_t>(OperationKind::put)], 0.05);
  EXPECT_DOUBLE_EQ(p.burst_mixes[1][static_cast<std::size_t>(OperationKind::list)], 1);
  EXPECT_EQ(p.share(OperationKind::get), 0.5);
}

TEST(ParsePatterns, ClientsMayBePacedSlowAndFarAway) {
  const Pattern plain = parse_one(with(half));
  EXPECT_EQ(plain.pace, 0);
  EXPECT_EQ(plain.client_speed, 0);
  EXPECT_EQ(plain.most_delay, Duration::zero());

  const Pattern slow = parse_one(
      with(half, some_size,
           "[pacing]\noperations_per_second = 0.5\n[client]\nspeed = \"125KB/s\"\ndelay = \"200ms\""));
  EXPECT_EQ(slow.pace, 0.5);
  EXPECT_EQ(slow.client_speed, 125'000) << "K is 1000 in a rate";
  EXPECT_EQ(slow.least_delay, std::chrono::milliseconds(200));
  EXPECT_EQ(slow.most_delay, std::chrono::milliseconds(200));

  const Pattern drawn =
      parse_one(with(half, some_size, "[client]\nspeed = \"1Mbit/s\"\ndelay = [\"0s\", \"500ms\"]"));
  EXPECT_EQ(drawn.client_speed, 125'000);
  EXPECT_EQ(drawn.least_delay, Duration::zero());
  EXPECT_EQ(drawn.most_delay, std::chrono::milliseconds(500));
}

TEST(ParsePatterns, ListingsAreOfThisWorkerUnlessThePrefixIsAskedFor) {
  const Pattern plain = parse_one(with("mix.LIST = 100", ""));
  EXPECT_EQ(plain.list_scope, ListScope::worker);
  EXPECT_EQ(plain.list_page, 1000U);
  EXPECT_TRUE(plain.sizes.empty());
  const Pattern wide = parse_one(with("mix.DELETE-BATCH = 100", "", "[list]\nof = \"prefix\"\npage = 1"));
  EXPECT_EQ(wide.list_scope, ListScope::prefix);
  EXPECT_EQ(wide.list_page, 1U);
}

TEST(ParsePatterns, SizesMayBeLogNormal) {
  const Pattern p =
      parse_one(with(half,
                     "sizes = { lognormal = { median = \"100KB\", sigma = 2, least = \"1KB\", most "
                     "= \"100MB\" } }"));
  ASSERT_EQ(p.sizes.size(), 17U);
  EXPECT_EQ(p.sizes.front().label, "1KB");
  const auto most_frequent = std::ranges::max_element(p.sizes, {}, &SizeClass::weight);
  EXPECT_EQ(most_frequent->label, "128KB") << "the doubling that is nearest to the median";
}

std::vector<std::string> labels(const Pattern& pattern) {
  std::vector<std::string> out;
  for (const SizeClass& size : pattern.sizes) out.push_back(size.label);
  return out;
}

TEST(ParsePatterns, AReaderTakesTheSizesOfItsSourcesUnlessItHasItsOwn) {
  const auto patterns = parse_patterns(
      "[[pattern]]\nname = \"reader\"\nmix.GET = 100\nkeys.from = [\"writer\", \"checkpoint\"]\n"
      "[[pattern]]\nname = \"writer\"\nmix.PUT = 100\nsizes = { \"10MB\" = 3, \"5KB\" = 1 }\n"
      "[[pattern]]\nname = \"picky\"\nmix.HEAD = 100\nkeys.from = [\"writer\"]\nsizes = [\"10MB\", "
      "\"5KB\"]\n",
      "three.toml");
  ASSERT_TRUE(patterns) << patterns.error().message;
  EXPECT_EQ(labels((*patterns)[0]), (std::vector<std::string>{"5KB", "10MB", "100MB"}));
  EXPECT_EQ((*patterns)[0].keys_from, (std::vector<std::string>{"writer", "checkpoint"}));
  EXPECT_EQ(labels((*patterns)[2]), (std::vector<std::string>{"10MB", "5KB"}));
}

TEST(ParsePatterns, APatternOfThisFileComesBeforeABuiltinOneOfItsName) {
  const auto patterns = parse_patterns(
      "[[pattern]]\nname = \"reader\"\nmix.GET = 100\nkeys.from = [\"baseload\"]\n"
      "[[pattern]]\nname = \"baseload\"\nmix.PUT = 100\nsizes = [\"7KB\"]\n",
      "two.toml");
  ASSERT_TRUE(patterns) << patterns.error().message;
  EXPECT_EQ(labels((*patterns)[0]), (std::vector<std::string>{"7KB"}));
}

TEST(ParsePatterns, ASourceMayBeWrittenByAnotherProcess) {
  for (const char* name : {"elsewhere", "baseload2", "spiky-eu", "a"}) {
    const Pattern p = parse_one(with("mix.GET = 100", some_size, fmt::format("keys.from = [\"{}\"]", name)));
    EXPECT_EQ(p.keys_from, (std::vector<std::string>{name}));
  }
  for (const char* name : {"baselod", "spikey", "elefant", "checkpiont", "baseloads"}) {
    EXPECT_THAT(error_of(with("mix.GET = 100", some_size, fmt::format("keys.from = [\"{}\"]", name))),
                AllOf(HasSubstr(fmt::format("no pattern \"{}\"", name)), HasSubstr("did you mean")));
  }
}

// Every ```toml block of docs/patterns.md is a whole file.
TEST(ParsePatterns, TheExamplesOfTheDocumentationAreRight) {
  std::ifstream file(TEST_DATA "/../../docs/patterns.md");
  std::string example;
  bool inside = false;
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (inside && line == "```") {
      const auto patterns = parse_patterns(example, "example.toml");
      ASSERT_TRUE(patterns) << patterns.error().message << "\n" << example;
      for (const Pattern& p : *patterns) names.push_back(p.name);
      example.clear();
      inside = false;
    } else if (inside) {
      example += line + "\n";
    } else {
      inside = line == "```toml";
    }
  }
  EXPECT_EQ(names, (std::vector<std::string>{"web", "backup", "cameras", "analysts", "console"}));
}

}  // namespace
}  // namespace s3lt
