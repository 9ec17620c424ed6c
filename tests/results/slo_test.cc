#include "results/slo.h"

#include <gtest/gtest.h>

#include "results/sample_run.h"

namespace s3lt {
namespace {

Slo slo_of(const std::string& text) {
  auto slo = parse_slo(text);
  EXPECT_TRUE(slo) << text << ": " << slo.error().message;
  return slo ? *slo : Slo{};
}

TEST(Slo, ReadsPatternOperationSizeFigureAndLimit) {
  const Slo slo = slo_of("  baseload.GET.1mb.ttfb.p99.9<80ms ");
  EXPECT_EQ(slo.text, "baseload.GET.1mb.ttfb.p99.9<80ms");
  EXPECT_EQ(slo.of.pattern, "baseload");
  EXPECT_EQ(slo.of.operation, OperationKind::get);
  EXPECT_EQ(slo.of.size, "1MB");
  const Figure ttfb{.kind = Figure::Kind::percentile, .time = Figure::Time::ttfb, .percentile = 99.9};
  EXPECT_EQ(slo.of.figure, ttfb);
  EXPECT_EQ(slo.relation, Slo::Relation::below);
  EXPECT_EQ(slo.limit, 80'000);
}

TEST(Slo, EachNameMayBeLeftOut) {
  EXPECT_EQ(slo_of("error_rate < 0.1%").limit, 0.001);
  EXPECT_EQ(slo_of("errors <= 0%").of.figure.kind, Figure::Kind::error_rate);
  EXPECT_EQ(slo_of("PUT.throughput > 1GB/s").limit, 1e9);
  EXPECT_EQ(slo_of("baseload.rate >= 30/min").limit, 0.5);
  EXPECT_EQ(slo_of("baseload.rate >= 30/min").of.pattern, "baseload");
  EXPECT_EQ(slo_of("GET.1.5MB.service.max < 1.5s").of.size, "1.5MB");
  EXPECT_EQ(slo_of("1.5MB.p99 < 2s").of.size, "1.5MB");
  EXPECT_EQ(slo_of("response.mean < 850us").limit, 850);
  EXPECT_EQ(slo_of("DELETE-BATCH.p999 < 1s").of.figure.percentile, 99.9);
  EXPECT_EQ(slo_of("p99.9 < 1s").of.figure.percentile, 99.9);
  EXPECT_EQ(slo_of("x-y_2.p50 < 1s").of.pattern, "x-y_2");
  EXPECT_EQ(slo_of("error_rate < 0.7%").limit, 0.007) << "rounded once";
  EXPECT_EQ(slo_of("GET.p99 < 50 ms").limit, 50'000);
  EXPECT_EQ(slo_of("throughput > 1 GB/s").limit, 1e9);
}

// The byte under which the caret stands, and what is said.
struct Mistake {
  const char* text;
  const char* says;
  std::size_t caret;
};

class SloMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(SloMistakes, AreShownWithACaret) {
  const auto [text, says, caret] = GetParam();
  const auto slo = parse_slo(text);
  ASSERT_FALSE(slo) << text;
  const std::string& message = slo.error().message;
  EXPECT_NE(message.find(says), std::string::npos) << message;
  const std::string tail = fmt::format("\n  {}\n  {}^", text, std::string(caret, ' '));
  EXPECT_TRUE(message.ends_with(tail)) << message;
}

INSTANTIATE_TEST_SUITE_P(
    All, SloMistakes,
    testing::Values(Mistake{"GTE.p99 < 50ms", "\"GTE\" is not an operation; did you mean \"GET\"?", 0},
                    Mistake{"baseload.GTE.p99 < 50ms", "did you mean \"GET\"?", 9},
                    Mistake{"GET.p98x < 50ms", "\"p98x\" is not a figure; use one of p50", 4},
                    Mistake{"GET.men < 50ms", "did you mean \"mean\"?", 4},
                    Mistake{"GET.p100 < 50ms", "\"p100\" is not a figure", 4},
                    Mistake{"GET.p0 < 50ms", "\"p0\" is not a figure", 4},
                    Mistake{"GET < 50ms", "a figure of GET is missing", 3},
                    Mistake{"GET.1MB < 50ms", "a figure of 1MB is missing", 7},
                    Mistake{"GET.ttfb < 50ms", "a percentile of ttfb is missing", 8},
                    Mistake{"GET.ttfb.rate > 5/s", "ttfb has no rate", 9},
                    Mistake{"GET.tfb.p99 < 5ms", "\"tfb\" is not a kind of time; did you mean \"ttfb\"?", 4},
                    Mistake{"throughput > 1GB", "\"1GB\" is not a rate of bytes", 13},
                    Mistake{"GET..p99 < 5ms", "a name is missing", 4},
                    Mistake{".p99 < 5ms", "a name is missing", 0},
                    Mistake{"GET.1MB.2MB.p99 < 5ms", "\"2MB\" does not belong here", 8},
                    Mistake{"< 5ms", "a figure is missing", 0}, Mistake{"", "a figure is missing", 0},
                    Mistake{"GET.p99", "'<', '<=', '>' or '>=' is missing", 7},
                    Mistake{"GET.p99 50ms", "'<', '<=', '>' or '>=' is missing", 8},
                    Mistake{"GET.p99 == 50ms", "'=' is no relation here", 8},
                    Mistake{"GET.p99 <", "a limit is missing", 9},
                    Mistake{"GET.p99 < 50", "\"50\" has no unit; write it like 50ms", 10},
                    Mistake{"GET.p99 < 50MB/s", "\"50MB/s\" is not a time", 10},
                    Mistake{"GET.p99 < 0s", "\"0s\" is not a time", 10},
                    Mistake{"PUT.throughput > 5/s/s", "is not a rate", 17},
                    Mistake{"PUT.rate > 1GB/s", "is not a rate of operations", 11},
                    Mistake{"error_rate < 0.1", "\"0.1\" has no unit; write it like 0.1%", 13},
                    Mistake{"error_rate < 101%", "the most is 100%", 13},
                    Mistake{"error_rate < x%", "is not a share of the operations", 13},
                    Mistake{"error_rate < 0%", "nothing is below 0", 13},
                    Mistake{"GET.p99 < 50ms or so", "\"50ms or so\" is not a time", 10}));

TEST(Slo, TheCaretCountsCharactersAndKeepsTabs) {
  const auto slo = parse_slo(
      "gr\xc3\xb6\xc3\x9f"
      "e.GET.p98x\t< 5ms");
  ASSERT_FALSE(slo);
  EXPECT_TRUE(slo.error().message.ends_with("\n            ^")) << slo.error().message;
  const auto tab = parse_slo("GET.p99\t= 5ms");
  ASSERT_FALSE(tab);
  EXPECT_TRUE(tab.error().message.ends_with("\n         \t^")) << tab.error().message;
}

std::string check(const std::string& text) {
  const std::vector<SloScope> run = {
      {.pattern = "baseload",
       .operations = {OperationKind::get, OperationKind::put},
       .sizes = {"1KB", "1MB"}},
      {.pattern = "listops", .operations = {OperationKind::list}},
      {.pattern = "heavyread", .operations = {OperationKind::get}, .sizes = {"1KB"}, .other_sizes = true}};
  const auto checked = check_slo(slo_of(text), run);
  return checked ? "" : checked.error().message;
}

TEST(Slo, WhatTheRunDoesNotHaveIsRefused) {
  EXPECT_EQ(check("baseload.GET.1MB.p99 < 5ms"), "");
  EXPECT_EQ(check("p99 < 5ms"), "");
  EXPECT_EQ(check("listops.p99 < 5ms"), "");
  EXPECT_EQ(check("baselaod.p99 < 5ms"),
            "baselaod is not among the patterns of this run; did you mean \"baseload\"?\n"
            "  baselaod.p99 < 5ms\n  ^");
  EXPECT_EQ(check("get.p99 < 5ms"),
            "get is not among the patterns of this run; did you mean \"GET\"?\n  get.p99 < 5ms\n  ^");
  EXPECT_EQ(check("HEAD.p99 < 5ms"),
            "no pattern of this run does HEAD; use one of GET, LIST, PUT\n  HEAD.p99 < 5ms\n  ^");
  EXPECT_EQ(check("listops.GET.p99 < 5ms"),
            "listops does no GET; use one of LIST\n  listops.GET.p99 < 5ms\n          ^");
  EXPECT_EQ(check("baseload.GET.2MB.p99 < 5ms"),
            "there is no object of 2MB in this run; its sizes are 1KB, 1MB\n"
            "  baseload.GET.2MB.p99 < 5ms\n               ^");
  EXPECT_EQ(check("heavyread.GET.2MB.p99 < 5ms"), "") << "it may meet objects of others";
  EXPECT_NE(check("LIST.1KB.p99 < 5ms").find("has no size"), std::string::npos);
}

SloResult judge_one(const std::string& text, const Snapshot& total = sample_snapshot(), double length = 30) {
  const std::vector<Slo> slos = {slo_of(text)};
  return judge_slos(slos, total, length).at(0);
}

// sample_snapshot: GETs of 1, 2, 3 ms (1KB) and 2 s (100MB), one good PUT of 5 ms, one that failed, a TRIM.
TEST(Slo, TheFigureIsOfAllCellsThatItIsAbout) {
  EXPECT_EQ(judge_one("GET.max < 2s").value, 2'000'000);
  EXPECT_FALSE(judge_one("GET.max < 2s").passed);
  EXPECT_TRUE(judge_one("GET.max <= 2s").passed);
  EXPECT_EQ(judge_one("GET.1KB.p50 < 3ms").value, 2000);
  EXPECT_EQ(judge_one("GET.1KB.service.max < 3ms").value, 2990);
  EXPECT_EQ(judge_one("GET.1KB.ttfb.mean < 3ms").value, 1000);
  EXPECT_EQ(judge_one("TRIM.max < 1s").value, 700) << "where it is named";
  EXPECT_EQ(judge_one("p50 < 1s").value, 3001) << "of five, to three digits; the TRIM is none of them";
  EXPECT_EQ(judge_one("rate > 0.1/s").value, 0.2) << "of six, the failed one included";
  EXPECT_EQ(judge_one("PUT.throughput > 1MB/s").value, 2024.0 / 30);
  EXPECT_FALSE(judge_one("PUT.throughput > 1MB/s").passed);
  EXPECT_EQ(judge_one("error_rate < 1%").value, 1.0 / 6);
  EXPECT_EQ(judge_one("PUT.error_rate <= 50%").value, 0.5);
  EXPECT_TRUE(judge_one("PUT.error_rate <= 50%").passed);
  EXPECT_TRUE(judge_one("GET.error_rate <= 0%").passed);
  EXPECT_EQ(judge_one("PUT.error_rate <= 50%").unit, "ratio");
}

TEST(Slo, WithoutDataItIsMissed) {
  Snapshot failed;
  failed.cells[{"baseload", OperationKind::get, "1MB"}].counters = {.count = 3, .errors = 3};
  const SloResult times = judge_one("baseload.GET.1MB.p99 < 5s", failed);
  EXPECT_FALSE(times.passed);
  EXPECT_FALSE(times.value);
  EXPECT_EQ(times.why, "no GET of 1 MiB of baseload succeeded");
  EXPECT_EQ(judge_one("error_rate < 100%", {}).why, "no operation ended");
  EXPECT_FALSE(judge_one("PUT.rate < 100/s", {}).passed) << "nothing is no low rate";
  EXPECT_FALSE(judge_one("PUT.throughput < 1GB/s", {}).passed);
  EXPECT_EQ(judge_one("rate > 1/s", sample_snapshot(), 0).why, "nothing was measured");
}

TEST(Slo, AValueIsShownOnTheSideOfTheLimitWhereItIs) {
  const auto shown = [](const char* expression, double value) {
    const Slo slo = slo_of(expression);
    const char* unit = slo.of.figure.is_time()  ? "us"
                       : slo.text.contains('%') ? "ratio"
                       : slo.text.contains("B") ? "bytes/s"
                                                : "/s";
    return measured_text({.expression = slo.text, .value = value, .limit = slo.limit, .unit = unit});
  };
  EXPECT_EQ(shown("throughput > 102KB/s", 102'400), "102.4KB/s");
  EXPECT_EQ(shown("throughput > 1.5 MiB/s", 1'572'865), "1.500001MiB/s");
  EXPECT_EQ(shown("throughput > 102KB/s", 102'000), "102KB/s");
  EXPECT_EQ(shown("GET.p99 < 50ms", 50'013), "50.01ms");
  EXPECT_EQ(shown("GET.p99 < 50ms", 61'200), "61.2ms");
  EXPECT_EQ(shown("GET.p99 < 1m30s", 61'200), "61.2ms");
  EXPECT_EQ(shown("rate > 1000/min", 16.666), "999.96/min");
  EXPECT_EQ(shown("error_rate < 0.1%", 0.001004), "0.1004%");
}

TEST(Slo, APercentileOfTooFewSamplesSaysSo) {
  const SloResult result = judge_one("GET.p99.9 < 5s");
  EXPECT_TRUE(result.passed);
  EXPECT_EQ(result.hint, "too few samples: 4, and p99.9 needs 10,000");
  EXPECT_EQ(measured_text(result), "2s (too few samples: 4, and p99.9 needs 10,000)");
  EXPECT_EQ(judge_one("GET.max < 5s").hint, "");
  Snapshot many;
  many.cells[{"baseload", OperationKind::get, "1MB"}].response.record(1000, 1000);
  EXPECT_EQ(judge_one("GET.p99 < 5s", many).hint, "");
  EXPECT_EQ(judge_one("GET.p99.9 < 5s", many).hint, "too few samples: 1,000, and p99.9 needs 10,000");
}

// 990 of 1,000 samples took 1 ms, ten 100 ms; 1,000 HEADs are another operation of the same pattern.
Snapshot open_loop(std::uint64_t not_sent) {
  Snapshot total;
  Cell& get = total.cells[{"baseload", OperationKind::get, "1MB"}];
  get.response.record(1000, 990);
  get.response.record(100'000, 10);
  get.service = get.response;
  get.counters.count = 1000;
  total.cells[{"baseload", OperationKind::head, ""}].counters.count = 1000;
  total.arrivals["baseload"] = {.intended = 2000 + not_sent, .not_sent = not_sent};
  return total;
}

TEST(Slo, WhatWasNotSentTookLongerThanAllThatWas) {
  EXPECT_EQ(judge_one("GET.p98 < 5ms", open_loop(0)).value, 1000);
  EXPECT_EQ(judge_one("GET.p98 < 5ms", open_loop(0)).hint, "");
  const SloResult beyond = judge_one("GET.p98.5 < 5ms", open_loop(20));
  EXPECT_EQ(beyond.value, 100'000)
      << "ten of the twenty are GETs: the 995th of 1,010 and not the 985th of 1,000";
  EXPECT_FALSE(beyond.passed);
  EXPECT_EQ(measured_text(beyond), "100ms (with 10 that were not sent as the slowest)");
  const SloResult unknown = judge_one("GET.p98 < 5s", open_loop(200));
  EXPECT_FALSE(unknown.passed);
  EXPECT_FALSE(unknown.value);
  EXPECT_EQ(unknown.why, "not known, as 100 intended operations were not sent");
  EXPECT_FALSE(judge_one("GET.max < 5s", open_loop(2)).passed);
  EXPECT_FALSE(judge_one("GET.mean < 5s", open_loop(2)).passed);
  EXPECT_TRUE(judge_one("GET.service.max < 5s", open_loop(2000)).passed) << "of what was sent";
}

TEST(Slo, WhatHadNoKeyToReadWasNotSlow) {
  Snapshot total = open_loop(200);
  total.keys["baseload"].no_key = 200;
  EXPECT_TRUE(judge_one("GET.max < 5s", total).passed);
}

TEST(Slo, FiguresReadAsElsewhere) {
  EXPECT_EQ(figure_text(12'340, "us"), "12.3ms");
  EXPECT_EQ(figure_text(1 << 20, "bytes/s"), "1.0 MiB/s");
  EXPECT_EQ(figure_text(512.4, "/s"), "512/s");
  EXPECT_EQ(figure_text(0.001004, "ratio"), "0.1%");
  EXPECT_EQ(figure_text(0.0123, "ratio"), "1.23%");
}

}  // namespace
}  // namespace s3lt
