#include "results/endpoint_comparison.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/random.h"

namespace s3lt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

using Cells = std::map<EndpointKey, EndpointCell>;
constexpr auto get = OperationKind::get;

std::string node(std::size_t i) {
  return fmt::format("http://node{:02}:8080", i);
}

void ok(EndpointCell& cell, double us) {
  ++cell.outcomes[static_cast<std::size_t>(Outcome::ok)];
  cell.service.record(std::llround(us));
}

void failed(EndpointCell& cell, Outcome outcome, std::uint64_t n = 1) {
  cell.outcomes[static_cast<std::size_t>(outcome)] += n;
}

// Drawn beforehand: a million draws of these a run are most of what a test takes.
class Latencies {
 public:
  // Log-normal, and one in twenty beyond that with the tail of a Pareto distribution of 1.5.
  static Latencies heavy_tailed(double median, double sigma) {
    Random random = Random::stream(7, {1});
    Latencies out;
    for (double& value : out.values_) {
      const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
      value = median * std::exp(sigma * radius * std::cos(2 * std::numbers::pi * random.uniform()));
      if (random.below(20) == 0) value *= std::pow(1 - random.uniform(), -1 / 1.5);
    }
    return out;
  }
  // Six sizes equally often, each ten times as slow as the one before: the median falls into a gap.
  static Latencies of_sizes() {
    Random random = Random::stream(7, {2});
    Latencies out = heavy_tailed(300, 0.4);
    for (double& value : out.values_) value *= std::pow(10, static_cast<double>(random.below(6)));
    return out;
  }
  double draw(Random& random) const { return values_[random.next() & (values_.size() - 1)]; }

 private:
  std::vector<double> values_ = std::vector<double>(1 << 14);
};

// Equal nodes, apart from one that is `factor` times as slow.
Cells cluster(Random& random, const Latencies& latencies, std::size_t nodes, int attempts, double factor = 1,
              std::size_t slow = 0) {
  Cells cells;
  for (std::size_t i = 0; i < nodes; ++i) {
    EndpointCell& cell = cells[{node(i), get}];
    for (int n = 0; n < attempts; ++n) ok(cell, (i == slow ? factor : 1) * latencies.draw(random));
  }
  return cells;
}

// Each node is three times as slow now and then, for 40 attempts in a row on average, a fifth of the time;
// and those that it fails, it fails in rows of eight.
Cells cluster_with_phases(Random& random, const Latencies& latencies, std::size_t nodes, int attempts) {
  Cells cells;
  for (std::size_t i = 0; i < nodes; ++i) {
    EndpointCell& cell = cells[{node(i), get}];
    bool slow = random.below(5) == 0;
    for (int n = 0; n < attempts; ++n) {
      if (random.below(slow ? 40 : 160) == 0) slow = !slow;
      if (random.below(4000) == 0) failed(cell, Outcome::throttled, 8);
      ok(cell, (slow ? 3 : 1) * latencies.draw(random));
    }
  }
  return cells;
}

constexpr int runs = 1000;

template <typename Make>
int false_alarms(std::uint64_t seed, Make make) {
  Random random = Random::stream(seed, {3});
  int alarms = 0;
  for (int run = 0; run < runs; ++run) {
    const auto findings = compare_endpoints(make(random));
    if (findings.empty()) continue;
    ++alarms;
    fmt::print("run {}: {}\n", run, findings.front().sentence);
  }
  return alarms;
}

TEST(EndpointComparison, NamesAtMostOneOfThirtyEqualNodesInAThousandRunsWithHeavyTails) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.8);
  EXPECT_LE(false_alarms(1, [&](Random& random) { return cluster(random, latencies, 30, 600); }), 1);
}

TEST(EndpointComparison, NamesAtMostOneOfThirtyEqualNodesInAThousandRunsOfMixedSizes) {
  const Latencies latencies = Latencies::of_sizes();
  EXPECT_LE(false_alarms(2, [&](Random& random) { return cluster(random, latencies, 30, 600); }), 1);
}

TEST(EndpointComparison, NamesAtMostOneOfThirtyEqualNodesInAThousandRunsWithSlowPhases) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  EXPECT_LE(false_alarms(3, [&](Random& random) { return cluster_with_phases(random, latencies, 30, 600); }),
            1);
}

TEST(EndpointComparison, NamesAtMostOneOfTwoToFiveEqualNodesInAThousandRuns) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  EXPECT_LE(false_alarms(4,
                         [&](Random& random) {
                           return cluster_with_phases(random, latencies, 2 + random.below(4), 3000);
                         }),
            1);
}

TEST(EndpointComparison, IsNotFooledByFewSamples) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 1.2);
  for (const int attempts : {1, 3, 10, 30, 100}) {
    EXPECT_LE(false_alarms(5, [&](Random& random) { return cluster(random, latencies, 30, attempts); }), 1)
        << attempts;
  }
}

TEST(EndpointComparison, FindsTheNodeThatTakesTwiceAsLongAndNoOther) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(6, {});
  for (int run = 0; run < 100; ++run) {
    const std::size_t slow = random.below(30);
    const auto findings = compare_endpoints(cluster(random, latencies, 30, 1000, 2, slow));
    ASSERT_THAT(findings, SizeIs(1)) << run;
    EXPECT_EQ(findings[0].url, node(slow));
    EXPECT_EQ(findings[0].kind, EndpointFinding::Kind::slow);
    EXPECT_THAT(findings[0].sentence, StartsWith("slow: " + node(slow) + " GET p50 "));
    EXPECT_THAT(findings[0].sentence, HasSubstr(" (median of 29)"));
  }
}

TEST(EndpointComparison, FindsTheSlowerOneOfTwo) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(7, {});
  const auto findings = compare_endpoints(cluster(random, latencies, 2, 3000, 2, 1));
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].url, node(1));
  EXPECT_THAT(findings[0].sentence, HasSubstr(", the other "));
  EXPECT_THAT(findings[0].sentence, testing::Not(HasSubstr("median of")));
}

TEST(EndpointComparison, SaysWhatItFound) {
  Cells cells;
  for (std::size_t i = 0; i < 30; ++i) {
    for (int n = 0; n < 1000; ++n) ok(cells[{node(i), get}], i == 17 ? 38'000 : 9100);
  }
  const auto findings = compare_endpoints(cells);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].sentence,
            "slow: http://node17:8080 GET p50 38.1ms, the others 9.15ms (median of 29)");
}

TEST(EndpointComparison, FindsATailThatOneNodeHasAlone) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.3);
  Random random = Random::stream(8, {});
  Cells cells = cluster(random, latencies, 30, 20'000);
  for (int n = 0; n < 600; ++n) ok(cells[{node(3), get}], 900'000);
  const auto findings = compare_endpoints(cells);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_THAT(findings[0].sentence, StartsWith("slow: http://node03:8080 GET p99 "));
}

TEST(EndpointComparison, ADifferenceThatMattersToNobodyIsNone) {
  Cells cells;
  for (std::size_t i = 0; i < 30; ++i) {
    for (int n = 0; n < 5000; ++n) {
      ok(cells[{node(i), get}], i == 4 ? 130'000 : 100'000);         // 30% slower
      ok(cells[{node(i), OperationKind::head}], i == 4 ? 190 : 90);  // 100 us
    }
  }
  EXPECT_THAT(compare_endpoints(cells), IsEmpty());
}

TEST(EndpointComparison, FindsTheNodeThatFails) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(9, {});
  Cells cells = cluster(random, latencies, 30, 4000);
  for (std::size_t i = 0; i < 30; ++i) failed(cells[{node(i), get}], Outcome::throttled, i % 2);
  failed(cells[{node(5), get}], Outcome::server_error, 500);
  const auto findings = compare_endpoints(cells);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].kind, EndpointFinding::Kind::failing);
  EXPECT_EQ(findings[0].sentence,
            "failing: http://node05:8080: 11% of 4,501 attempts failed (server_error 500, throttled 1), the "
            "others none (median of 29)");
}

TEST(EndpointComparison, FindsTheOnlyNodeThatFailsOneInTwenty) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(9, {});
  Cells cells = cluster(random, latencies, 30, 1100);
  failed(cells[{node(5), get}], Outcome::server_error, 58);
  ASSERT_THAT(compare_endpoints(cells), SizeIs(1));
  EXPECT_EQ(compare_endpoints(cells)[0].url, node(5));
}

TEST(EndpointComparison, FindsTheNodeOfThirtyThatFailsATwentiethOfSixHundred) {
  Cells cells;
  for (std::size_t i = 0; i < 30; ++i) {
    for (int n = 0; n < 600; ++n) ok(cells[{node(i), get}], 5000);
  }
  EndpointCell& bad = cells[{node(13), get}] = {};
  for (int n = 0; n < 570; ++n) ok(bad, 5000);
  failed(bad, Outcome::server_error, 30);
  auto findings = compare_endpoints(cells);
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].url, node(13));
  EXPECT_EQ(findings[0].kind, EndpointFinding::Kind::failing);
  // Nor does it hide among a few that fail as it does, nor behind a few errors of others.
  failed(cells[{node(20), get}], Outcome::server_error, 40);
  for (std::size_t i = 0; i < 30; i += 5) failed(cells[{node(i), get}], Outcome::reset);
  findings = compare_endpoints(cells);
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].url, node(20));
  EXPECT_EQ(findings[1].url, node(13));
}

// Each attempt fails with `share`, and so do the `burst - 1` behind it.
Cells failing_alike(Random& random, std::size_t nodes, int attempts, double share, int burst) {
  Cells cells;
  for (std::size_t i = 0; i < nodes; ++i) {
    EndpointCell& cell = cells[{node(i), get}];
    for (int n = 0; n < attempts;) {
      const bool fails = random.uniform() < share / burst;
      const int in_a_row = fails ? std::min(burst, attempts - n) : 1;
      fails ? failed(cell, Outcome::server_error, static_cast<std::uint64_t>(in_a_row)) : ok(cell, 5000);
      n += in_a_row;
    }
  }
  return cells;
}

TEST(EndpointComparison, NamesAtMostOneInAThousandRunsWhereAllFailAlike) {
  for (const double share : {0.001, 0.01, 0.05, 0.3}) {
    for (const int burst : {1, 8}) {
      EXPECT_LE(
          false_alarms(13, [&](Random& random) { return failing_alike(random, 30, 600, share, burst); }), 1)
          << share << " in bursts of " << burst;
      EXPECT_LE(false_alarms(14,
                             [&](Random& random) {
                               return failing_alike(random, 2 + random.below(4), 3000, share, burst);
                             }),
                1)
          << share << " in bursts of " << burst << ", few nodes";
    }
  }
}

TEST(EndpointComparison, AFewErrorsOrErrorsThatAllHaveNameNobody) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(10, {});
  Cells cells = cluster(random, latencies, 30, 4000);
  failed(cells[{node(5), get}], Outcome::reset, 10);
  EXPECT_THAT(compare_endpoints(cells), IsEmpty());
  for (std::size_t i = 0; i < 30; ++i)
    failed(cells[{node(i), get}], Outcome::throttled, 700 + random.below(100));
  EXPECT_THAT(compare_endpoints(cells), IsEmpty());
}

TEST(EndpointComparison, FindsTheNodeThatNeverAnsweredAndTheOneThatWasAwayForAWhile) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(11, {});
  Cells cells = cluster(random, latencies, 30, 4000);
  cells[{node(2), get}] = {};
  failed(cells[{node(2), get}], Outcome::connect, 12);
  EndpointCell& away = cells[{node(8), get}] = {};
  for (int n = 0; n < 2000; ++n) ok(away, latencies.draw(random));
  failed(away, Outcome::connect, 7);
  const auto findings = compare_endpoints(cells);
  ASSERT_THAT(findings, SizeIs(2));
  EXPECT_EQ(findings[0].sentence,
            "unreachable: http://node02:8080: none of 12 attempts got an answer (connect 12)");
  EXPECT_THAT(findings[1].sentence,
              StartsWith("unreachable for a part of the time: http://node08:8080: 7 connects failed"));
}

TEST(EndpointComparison, WhereNobodyAnswersNobodyStandsOut) {
  Cells cells;
  for (std::size_t i = 0; i < 5; ++i) failed(cells[{node(i), get}], Outcome::connect, 20);
  EXPECT_THAT(compare_endpoints(cells), IsEmpty());
}

TEST(EndpointComparison, OneEndpointStandsOutFromNobody) {
  const Latencies latencies = Latencies::heavy_tailed(5000, 0.5);
  Random random = Random::stream(12, {});
  Cells cells = cluster(random, latencies, 1, 4000);
  failed(cells[{node(0), get}], Outcome::server_error, 2000);
  EXPECT_THAT(compare_endpoints(cells), IsEmpty());
  EXPECT_THAT(compare_endpoints({}), IsEmpty());
}

TEST(EndpointComparison, ManyFindingsBecomeAFewSentencesTheWorstFirst) {
  std::vector<EndpointFinding> findings;
  for (std::size_t i = 0; i < 9; ++i) findings.push_back({.url = node(i), .sentence = fmt::format("s{}", i)});
  EXPECT_THAT(endpoint_notes(findings),
              ElementsAre("s0", "s1", "s2", "s3", "s4", "s5", HasSubstr("3 more endpoints stand out")));
}

TEST(EndpointComparison, AnAddressOfANameThatWasAwayIsNamed) {
  Snapshot total;
  total.address_suspicions["http://cluster:9000"] = {
      {"10.0.0.3:9000", {.times = 1, .probes = 0, .seconds = 0.4}},
      {"10.0.0.4:9000", {.times = 1, .probes = 2, .seconds = 12}}};
  EXPECT_THAT(endpoint_notes(odd_nodes(total)),
              ElementsAre("away: address 10.0.0.4:9000 of http://cluster:9000: it refused, reset or left "
                          "connections hanging; gone round for 12.0s, with 2 probes"));
}

}  // namespace
}  // namespace s3lt
