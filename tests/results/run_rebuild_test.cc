#include "results/run_rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <fstream>

#include "report/text.h"
#include "results/run_directory.h"
#include "results/summary_json.h"
#include "sample_run.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;

class RebuiltRunTest : public testing::Test {
 protected:
  RebuiltRunTest() {
    std::string name = (fs::temp_directory_path() / "rebuild-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~RebuiltRunTest() override { fs::remove_all(root_); }

  // Its thirty seconds as one interval.
  fs::path write(RunResult& result, bool ends) {
    result.info.patterns = {"baseload"};
    result.info.schedules = {{.pattern = "baseload", .kind = "always", .seed = UINT64_MAX}};
    const fs::path path = root_ / "run";
    auto directory = RunDirectory::create_at(path, result.info);
    EXPECT_TRUE(directory) << directory.error().message;
    EXPECT_TRUE((*directory)->append(result.total));
    if (ends) {
      EXPECT_TRUE((*directory)->finish(result));
    }
    return path;
  }
  RebuiltRun rebuild(const fs::path& path) {
    auto reader = RunReader::open(path);
    EXPECT_TRUE(reader) << reader.error().message;
    auto run = rebuild_run(*reader);
    EXPECT_TRUE(run) << run.error().message;
    return *run;
  }
  fs::path root_;
};

TEST_F(RebuiltRunTest, PrintsWhatTheRunPrinted) {
  RunResult result = sample_run();
  const fs::path path = write(result, true);
  const RebuiltRun again = rebuild(path);
  EXPECT_TRUE(again.ended);
  EXPECT_EQ(summary_text(again.result, {}), summary_text(result, {}));
  EXPECT_EQ(again.result.info.schedules[0].seed, UINT64_MAX);
  EXPECT_EQ(again.result.info.started, result.info.started);
}

TEST_F(RebuiltRunTest, SaysAgainWhichEndpointWasSilentAtTheEnd) {
  RunResult result = sample_run();
  result.silent[result.info.endpoints[0]] = {.attempts = 2, .seconds = 5.8};
  const RebuiltRun again = rebuild(write(result, true));
  EXPECT_EQ(again.result.silent, result.silent);
  EXPECT_EQ(summary_text(again.result, {}), summary_text(result, {}));
}

TEST_F(RebuiltRunTest, KeepsTheObjectivesAndWhyTheRunEndedEarly) {
  RunResult result = sample_run();
  result.slos = {
      {.expression = "GET.p99 < 50ms", .passed = true, .value = 12'000.5, .limit = 50'000, .unit = "us"},
      {.expression = "PUT.p99 < 1s", .limit = 1e6, .unit = "us", .why = "no PUT succeeded"}};
  result.ended_early = "PUT.p99 < 1s can no longer be met: the longest took 2s";
  const fs::path path = write(result, true);
  EXPECT_TRUE(fs::exists(path / "junit.xml"));
  const RebuiltRun again = rebuild(path);
  EXPECT_EQ(summary_text(again.result, {}), summary_text(result, {}));
  EXPECT_EQ(again.result.slos.at(0).value, 12'000.5);
  EXPECT_FALSE(again.result.slos.at(1).value);
  EXPECT_EQ(again.result.ended_early, result.ended_early);
  const auto verdict = [](const RunResult& of) { return boost::json::parse(summary_json(of)).at("verdict"); };
  EXPECT_EQ(verdict(again.result), verdict(result));
}

// Three nodes of which one takes three times as long; the last second ends a minute.
RunResult run_with_endpoints() {
  RunResult result = sample_run();
  result.total.to = seconds(61);
  result.seconds = 61;
  for (const char* url : {"http://a.example:8080", "http://b.example:8080", "http://c.example:8080"}) {
    EndpointCell& cell = result.total.endpoints[{url, OperationKind::get}];
    cell.outcomes[static_cast<std::size_t>(Outcome::ok)] = 4000;
    cell.outcomes[static_cast<std::size_t>(Outcome::throttled)] = 2;
    cell.service.record(url == std::string("http://b.example:8080") ? 9000 : 3000, 4000);
  }
  return result;
}

TEST_F(RebuiltRunTest, KeepsTheEndpointsAndTheNotes) {
  RunResult result = run_with_endpoints();
  result.notes = {"GET 1 KiB: something"};
  const RebuiltRun again = rebuild(write(result, true));
  EXPECT_EQ(again.result.notes, result.notes);
  const auto endpoints = [](const RunResult& of) {
    return boost::json::parse(summary_json(of)).at("endpoints");
  };
  EXPECT_EQ(endpoints(again.result), endpoints(result));
  EXPECT_EQ(again.result.total.cells.size(), rebuild(root_ / "run").result.total.cells.size());
  EXPECT_FALSE(again.result.total.cells.contains({"", OperationKind::get, ""}));
}

TEST_F(RebuiltRunTest, OfAKilledRunTheEndpointsAreThoseOfItsMinutes) {
  RunResult result = run_with_endpoints();
  const RebuiltRun again = rebuild(write(result, false));
  const EndpointCell& slow = again.result.total.endpoints.at({"http://b.example:8080", OperationKind::get});
  EXPECT_EQ(slow.attempts(), 4002U);
  EXPECT_EQ(slow.errors(), 2U);
  EXPECT_EQ(slow.service.count(), 4000U);
  ASSERT_EQ(again.result.notes.size(), 1U);
  EXPECT_TRUE(again.result.notes[0].starts_with("slow: http://b.example:8080 GET p50 "))
      << again.result.notes[0];
}

TEST_F(RebuiltRunTest, WithoutObjectivesThereIsNoJunitFile) {
  RunResult result = sample_run();
  EXPECT_FALSE(fs::exists(write(result, true) / "junit.xml"));
}

TEST_F(RebuiltRunTest, OfAKilledRunIsTheSumOfItsSeconds) {
  RunResult result = sample_run();
  const RebuiltRun again = rebuild(write(result, false));
  EXPECT_FALSE(again.ended);
  EXPECT_DOUBLE_EQ(again.result.seconds, 30);
  const Cell& get = again.result.total.cells.at({"baseload", OperationKind::get, ""});
  EXPECT_EQ(get.counters.count, 4U);
  EXPECT_EQ(get.response.count(), 4U);
  EXPECT_NEAR(static_cast<double>(get.response.max()), 2'000'000, 2000);
  EXPECT_EQ(again.result.total.keys.at("baseload").alive, 6U);
}

TEST_F(RebuiltRunTest, OfAKilledRunTellsWhatItPromisedAndNothingThatWasNotMeasured) {
  RunResult result = sample_run();
  result.info.settings = {{"slo", "GET.max < 50ms"}, {"slo", "PUT.max < 1s"}, {"slo", "GET.1KB.p99 < 1s"}};
  const fs::path path = write(result, false);
  const RebuiltRun again = rebuild(path);
  ASSERT_EQ(again.result.slos.size(), 3U);
  EXPECT_FALSE(again.result.slos[0].passed);
  EXPECT_NEAR(*again.result.slos[0].value, 2'000'000, 2000);
  EXPECT_TRUE(again.result.slos[1].passed);
  EXPECT_EQ(again.result.slos[2].why, "the run has not ended, and sizes are told at the end only");
  const auto summary = summary_of(*RunReader::open(path), again);
  const auto& client = summary.at("client").as_object();
  EXPECT_EQ(client.at("cpu_seconds"), 0.5);
  for (const char* field : {"max_rss_bytes", "busiest_thread", "busy", "loop_lag_us"})
    EXPECT_FALSE(client.contains(field)) << field;
}

TEST_F(RebuiltRunTest, KnowsThatARunThatDidNotEndWentThroughS3pool) {
  RunResult result = sample_run();
  result.info.backend = "proxy";
  EXPECT_THAT(summary_text(rebuild(write(result, false)).result, {.width = 1000}),
              testing::HasSubstr("\nThe storage, through s3pool, answered "));
}

TEST_F(RebuiltRunTest, LeavesOutALineThatWasCutOff) {
  RunResult result = sample_run();
  const fs::path path = write(result, false);
  std::ofstream(path / "series.jsonl", std::ios::app) << R"({"from":30,"to":31,"patt)";
  std::ofstream(path / "histograms.hlog", std::ios::app) << "Tag=baseload.GET,30.000,1.0";
  EXPECT_DOUBLE_EQ(rebuild(path).result.seconds, 30);
}

TEST_F(RebuiltRunTest, NamesTheLineThatIsWrong) {
  RunResult result = sample_run();
  const fs::path path = write(result, false);
  std::ofstream(path / "series.jsonl", std::ios::app) << "{]\n";
  const auto reader = RunReader::open(path);
  ASSERT_TRUE(reader);
  const auto run = rebuild_run(*reader);
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().message.find("series.jsonl:2: "), std::string::npos) << run.error().message;
}

TEST_F(RebuiltRunTest, ALogThatWasCutIsRefused) {
  RunResult result = sample_run();
  const fs::path path = write(result, true);
  fs::resize_file(path / "histograms.hlog", 500);
  const auto reader = RunReader::open(path);
  ASSERT_TRUE(reader);
  const auto run = rebuild_run(*reader);
  ASSERT_FALSE(run);
  EXPECT_TRUE(run.error().message.starts_with((path / "histograms.hlog").string() +
                                              " holds 0 of the 1 PUT of baseload"))
      << run.error().message;
}

TEST_F(RebuiltRunTest, NamesWhatASummaryLacks) {
  RunResult result = sample_run();
  const fs::path path = write(result, true);
  const auto error_of = [&](const char* summary) {
    std::ofstream(path / "summary.json") << summary;
    const auto reader = RunReader::open(path);
    const auto run = reader ? rebuild_run(*reader) : std::unexpected(reader.error());
    return run ? "none" : run.error().message;
  };
  EXPECT_NE(error_of(R"({"schema":"s3loadtest.summary/1"})").find("summary.json: it has no run;"),
            std::string::npos);
  EXPECT_NE(
      error_of(R"({"run":{"seconds":null},"verdict":{},"client":{},"patterns":{}})").find("no run.seconds;"),
      std::string::npos);
  EXPECT_NE(error_of(R"({"run":{"seconds":3},"verdict":{},"client":5,"patterns":{}})").find("no client;"),
            std::string::npos);
  EXPECT_EQ(error_of(R"({"run":{"seconds":3},"verdict":{},"client":{},"patterns":{}})"), "none");
}

TEST(HistogramTagTest, TellsAPatternFromTheWordsBeforeIt) {
  const auto plain = parse_histogram_tag("minute.GET");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->scope, HistogramTag::Scope::interval);
  EXPECT_EQ(plain->pattern, "minute");
  const auto size = parse_histogram_tag("total.total.DELETE-BATCH.1.5KB");
  ASSERT_TRUE(size);
  EXPECT_EQ(size->scope, HistogramTag::Scope::total);
  EXPECT_EQ(size->pattern, "total");
  EXPECT_EQ(size->operation, OperationKind::delete_batch);
  EXPECT_EQ(size->figure, "1.5KB");
  EXPECT_FALSE(parse_histogram_tag("baseload.FETCH"));
  const auto endpoint = parse_histogram_tag("warmup.minute.endpoints.http://node1.example:8080.DELETE-BATCH");
  ASSERT_TRUE(endpoint);
  EXPECT_TRUE(endpoint->warmup);
  EXPECT_EQ(endpoint->scope, HistogramTag::Scope::minute);
  EXPECT_EQ(endpoint->endpoint, "http://node1.example:8080");
  EXPECT_EQ(endpoint->operation, OperationKind::delete_batch);
  EXPECT_EQ(endpoint->pattern, "");
  const auto pattern = parse_histogram_tag("total.endpoints.GET.service");  // a pattern of that name
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->pattern, "endpoints");
  EXPECT_EQ(pattern->endpoint, "");
  EXPECT_EQ(pattern->figure, "service");
  EXPECT_FALSE(parse_histogram_tag("total.endpoints.http://node1.FETCH"));
}

}  // namespace
}  // namespace s3lt
