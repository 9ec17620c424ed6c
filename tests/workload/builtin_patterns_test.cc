// The ten patterns of the binary say what their table says (README, "Patterns").
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "workload/pattern.h"

namespace s3lt {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Pattern builtin(std::string_view name) {
  auto pattern = builtin_pattern(name);
  EXPECT_TRUE(pattern) << (pattern ? "" : pattern.error().message);
  return pattern ? *pattern : Pattern{};
}

std::vector<std::string> labels(const Pattern& pattern) {
  std::vector<std::string> out;
  for (const SizeClass& size : pattern.sizes) {
    out.push_back(size.label);
    EXPECT_EQ(size.weight, 1) << "each size is drawn equally often";
  }
  return out;
}

// The shares in percent, rounded, as "GET 70 PUT 30": in the order of OperationKind.
std::string shares(const Mix& mix) {
  std::string out;
  for (std::size_t kind = 0; kind < mix.size(); ++kind) {
    if (mix[kind] == 0) continue;
    if (!out.empty()) out += ' ';
    out += fmt::format("{} {:g}", operation_names[kind], mix[kind] * 100);
  }
  return out;
}

const std::vector<std::string> six{"1KB", "10KB", "100KB", "1MB", "10MB", "100MB"};

TEST(BuiltinPatterns, AllMeansTheSevenInTheirOrderAndTheExtrasStandOutside) {
  EXPECT_THAT(all_pattern_names(),
              ElementsAre("baseload", "checkpoint", "heavyread", "spiky", "elephant", "delete", "listops"));
  EXPECT_THAT(builtin_pattern_names(), ElementsAre("baseload", "checkpoint", "heavyread", "spiky", "elephant",
                                                   "delete", "listops", "firehose", "metastorm", "trickle"));
}

TEST(BuiltinPatterns, AllOfThemParseUnderTheirOwnName) {
  for (const std::string_view name : builtin_pattern_names()) {
    const Pattern pattern = builtin(name);
    EXPECT_EQ(pattern.name, name);
    EXPECT_NE(pattern.summary, "");
    EXPECT_NEAR(std::accumulate(pattern.mix.begin(), pattern.mix.end(), 0.0), 1, 1e-9);
    EXPECT_THAT(std::string(builtin_pattern_text(name)), StartsWith("# "));
  }
}

TEST(BuiltinPatterns, AnUnknownOneIsAnsweredWithTheNearest) {
  const auto p = builtin_pattern("baselaod");
  ASSERT_FALSE(p);
  EXPECT_THAT(p.error().message, AllOf(HasSubstr("\"baselaod\""), HasSubstr("did you mean \"baseload\"?")));
  EXPECT_EQ(builtin_pattern_text("baselaod"), "");
}

TEST(BuiltinPatterns, BaseloadReadsSeventyPercentOfSixSizesAroundTheClock) {
  const Pattern p = builtin("baseload");
  EXPECT_EQ(shares(p.mix), "PUT 30 GET 70");
  EXPECT_EQ(labels(p), six);
  EXPECT_EQ(p.sizes.back().bytes, 104857600U);
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::always);
  EXPECT_EQ(p.pace, 0);
  EXPECT_EQ(p.client_speed, 0);
  EXPECT_EQ(p.clients_per_core, 8);
  EXPECT_EQ(p.clients, 0U);
}

TEST(BuiltinPatterns, CheckpointWritesLargeObjectsForTenMinutesAndIsSilentForAnHour) {
  const Pattern p = builtin("checkpoint");
  EXPECT_EQ(shares(p.mix), "PUT 90 GET 10");
  EXPECT_THAT(labels(p), ElementsAre("10MB", "100MB"));
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::burst_and_gap);
  EXPECT_EQ(p.schedule.burst, minutes(10));
  EXPECT_EQ(p.schedule.gap, hours(1));
  EXPECT_EQ(p.clients_per_core, 8);
}

TEST(BuiltinPatterns, HeavyreadReadsWhatFourOthersWroteInAllTheirSizes) {
  const Pattern p = builtin("heavyread");
  EXPECT_EQ(shares(p.mix), "GET 100");
  EXPECT_THAT(p.keys_from, ElementsAre("baseload", "checkpoint", "elephant", "spiky"));
  EXPECT_EQ(labels(p), six);
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::burst_and_gap);
  EXPECT_EQ(p.schedule.burst, minutes(20));
  EXPECT_EQ(p.schedule.gap, minutes(40));
  EXPECT_EQ(p.clients_per_core, 8);
}

TEST(BuiltinPatterns, SpikyIsCalmWithOneToThreeLopsidedBurstsAWindow) {
  const Pattern p = builtin("spiky");
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::random_bursts);
  EXPECT_EQ(p.schedule.window, minutes(5));
  EXPECT_EQ(p.schedule.burst, minutes(1));
  EXPECT_EQ(p.schedule.least, 1U);
  EXPECT_EQ(p.schedule.most, 3U);
  EXPECT_EQ(p.pace, 4);
  EXPECT_EQ(shares(p.mix), "PUT 30 GET 70");
  ASSERT_EQ(p.burst_mixes.size(), 2U);
  EXPECT_EQ(shares(p.burst_mixes[0]), "PUT 5 GET 95");
  EXPECT_EQ(shares(p.burst_mixes[1]), "PUT 95 GET 5");
  EXPECT_EQ(labels(p), six);
  EXPECT_EQ(p.clients_per_core, 8);
}

TEST(BuiltinPatterns, ElephantIsAThousandClientsOfOneMegabitWithDelay) {
  const Pattern p = builtin("elephant");
  EXPECT_EQ(shares(p.mix), "PUT 50 GET 50");
  EXPECT_EQ(labels(p), six);
  EXPECT_EQ(p.client_speed, 125'000);
  EXPECT_EQ(p.least_delay, milliseconds(100));
  EXPECT_EQ(p.most_delay, milliseconds(500));
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::always);
  EXPECT_EQ(p.clients, 1000U);
}

TEST(BuiltinPatterns, DeleteClearsThisWorkersKeysEveryThreeMinutes) {
  const Pattern p = builtin("delete");
  EXPECT_EQ(shares(p.mix), "DELETE-BATCH 100");
  EXPECT_THAT(p.sizes, testing::IsEmpty());
  EXPECT_EQ(p.list_scope, ListScope::worker);
  EXPECT_EQ(p.list_page, 1000U);
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::cycle);
  EXPECT_EQ(p.schedule.cycle, minutes(3));
  EXPECT_EQ(p.clients_per_core, 1);
}

TEST(BuiltinPatterns, ListopsListsTheWholePrefixAroundTheClock) {
  const Pattern p = builtin("listops");
  EXPECT_EQ(shares(p.mix), "LIST 100");
  EXPECT_THAT(p.sizes, testing::IsEmpty());
  EXPECT_EQ(p.list_scope, ListScope::prefix);
  EXPECT_EQ(p.list_page, 1000U);
  EXPECT_EQ(p.schedule.kind, Schedule::Kind::always);
  EXPECT_EQ(p.clients_per_core, 1);
}

TEST(BuiltinPatterns, TheExtrasAreSmallObjectsMetadataAndTheSlowestClients) {
  const Pattern firehose = builtin("firehose");
  EXPECT_EQ(shares(firehose.mix), "PUT 50 GET 50");
  EXPECT_LE(firehose.sizes.back().bytes, 65536U);
  EXPECT_EQ(firehose.pace, 0);

  const Pattern metastorm = builtin("metastorm");
  EXPECT_EQ(shares(metastorm.mix), "PUT 30 HEAD 25 DELETE 20 LIST 25");
  ASSERT_EQ(metastorm.sizes.size(), 1U);
  EXPECT_EQ(metastorm.sizes[0].bytes, 1U);

  const Pattern trickle = builtin("trickle"), elephant = builtin("elephant");
  EXPECT_EQ(trickle.client_speed, 100);
  EXPECT_EQ(trickle.mix, elephant.mix);
  EXPECT_EQ(labels(trickle), labels(elephant));
  EXPECT_EQ(trickle.most_delay, elephant.most_delay);
  EXPECT_EQ(trickle.clients, 1000U);
}

}  // namespace
}  // namespace s3lt
