#include "report/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "results/sample_run.h"

namespace s3lt {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(StatsLine, HasTheOldFormatWithGetsFirstAndTrimsLastOutsideTheCount) {
  EXPECT_EQ(
      stats_line(sample_snapshot(), "baseload", seconds(30)),
      "STATS: ops=6 (0.2/s), bytes=100.0MB (3.3MB/s), errors=1, elapsed=30s"
      " | GET p50=2ms p95=2s p99=2s | PUT p50=5ms p95=5ms p99=5ms | TRIM p50=700us p95=700us p99=700us");
}

TEST(FinalLine, HasTheOldFormat) {
  EXPECT_EQ(
      final_line(sample_snapshot(), "baseload", seconds(60), 2),
      "FINAL: ops=6 (0.1/s), bytes=100.0MB, errors=1, worker_failures=2, elapsed=1m"
      " | GET p50=2ms p95=2s p99=2s | PUT p50=5ms p95=5ms p99=5ms | TRIM p50=700us p95=700us p99=700us");
}

TEST(StatsLine, ShowsBytesThatMovedBeforeAnyOperationEnded) {
  Snapshot snapshot;
  snapshot.cells[{"elephant", OperationKind::put, "100MB"}].counters.bytes_moved = 5 * 1024 * 1024;
  EXPECT_EQ(stats_line(snapshot, "elephant", seconds(10)),
            "STATS: ops=0 (0.0/s), bytes=5.0MB (512.0KB/s), errors=0, elapsed=10s");
  EXPECT_EQ(stats_line({}, "elephant", Duration::zero()),
            "STATS: ops=0 (0.0/s), bytes=0.0B (0.0B/s), errors=0, elapsed=0s");
}

TEST(SummaryText, FitsEightyColumnsWithoutColour) {
  RunResult result = sample_run();
  result.why = "each thread was busy for less than a third of the time while the storage answered slowly";
  for (auto& [key, cell] : result.total.cells) cell.counters.count += 12'345'678;
  const std::string text = summary_text(result, {.width = 80, .colour = false});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  for (const std::string& line : lines_of(text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(SummaryText, ShowsOperationsSizesKeysFailuresAndTheClient) {
  const std::string text = summary_text(sample_run(), {.width = 200, .colour = false});
  for (const char* shown :
       {"baseload\n", "  GET", "  PUT", "    1 KiB", "    100 MiB", "p99.9",
        "failed attempts: 1 throttled; HTTP status: 1 x 503",
        "keys: 7 written, 0 deleted, 1 trimmed, 6 alive, 1 unknown", "client: 2 threads, 0.5 CPU s",
        "14 operations per CPU second", "8 connections, 1 reconnect"}) {
    EXPECT_THAT(text, HasSubstr(shown));
  }
  EXPECT_THAT(text, Not(HasSubstr("seeded"))) << "a column of zeros says nothing";
}

TEST(SummaryText, EndsInOneSentenceAboutStorageErrorsAndClient) {
  RunResult result = sample_run();
  result.bottleneck = "client-cpu";
  EXPECT_THAT(
      summary_text(result, {.width = 1000, .colour = false}),
      EndsWith(
          "\n\nThe storage answered 6 operations in 30s (0.2/s, 3.3 MiB/s); 1 of them failed (16.7%, most "
          "often: throttled); this client's CPU was the limit, so the storage may be faster than that.\n"));
}

TEST(SummaryText, NamesWhatTheFailedOperationsEndedInAndTheAttemptsThatWereRepeated) {
  RunResult result = sample_run();
  Counters& get = result.total.cells.at({"baseload", OperationKind::get, "1KB"}).counters;
  get.errors = get.failed_with[static_cast<std::size_t>(Outcome::truncated)] = 2;
  get.outcomes[static_cast<std::size_t>(Outcome::truncated)] = 2;
  get.outcomes[static_cast<std::size_t>(Outcome::throttled)] = 50;
  result.total.cells[{"baseload", OperationKind::part, "1KB"}]
      .counters.outcomes[static_cast<std::size_t>(Outcome::reset)] = 7;
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              HasSubstr("; 3 of them failed (50.0%, most often: truncated); 57 attempts went wrong and were "
                        "repeated (most often: throttled);"));
}

TEST(SummaryText, ARunWithoutAnErrorTellsTheRetriesThatMadeItSo) {
  RunResult result = sample_run();
  Counters& put = result.total.cells.at({"baseload", OperationKind::put, "1KB"}).counters;
  put.errors = 0;
  put.failed_with.fill(0);
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              HasSubstr(" without an error; 1 attempt went wrong and was repeated (throttled); "));
}

TEST(SummaryText, WhatStoodOutStandsInTheSentence) {
  RunResult result = sample_run();
  result.certainty.patterns["baseload"].stops = {{8, 10}, {20, 20.5}};
  for (const char* url : {"http://a", "http://b", "http://c"}) {
    EndpointCell& node = result.total.endpoints[{url, OperationKind::get}];
    const bool fails = std::string_view(url) == "http://b";
    node.outcomes[static_cast<std::size_t>(Outcome::ok)] = fails ? 500 : 1000;
    if (fails) node.outcomes[static_cast<std::size_t>(Outcome::server_error)] = 500;
  }
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              HasSubstr("; baseload stood still for 2.5s of it; http://b was failing more than the others;"));
}

TEST(SummaryText, ALongTailIsNamedThoughAnOperationFailed) {
  RunResult result = sample_run();
  Cell& get = result.total.cells.at({"baseload", OperationKind::get, "1KB"});
  get.response.record(1000, 900);
  get.response.record(500'000, 50);
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(HasSubstr("1 of them failed"), HasSubstr("; one GET of 1 KiB in a hundred took 500ms")));
}

TEST(SummaryText, AnOpenLoopThatKeptItsRateHasNoRateThatTheClientLimited) {
  RunResult result = sample_run();
  result.bottleneck = "client-cpu";
  result.total.arrivals["baseload"] = {.intended = 7};
  EXPECT_THAT(
      summary_text(result, {.width = 1000}),
      EndsWith("; the rate was kept, but this client's CPU was the limit, so the response times are the "
               "client's and not the storage's.\n"));
  Counters& get = result.total.cells.at({"baseload", OperationKind::get, "1KB"}).counters;
  get.late = 2;
  EXPECT_THAT(summary_text(result, {.width = 1000}), HasSubstr("so the storage may be faster"))
      << "what ended after the load was not in its time";
  get.late = 0;
  result.bottleneck = "unknown";
  Histogram& lag = result.total.cells.at({"baseload", OperationKind::get, "1KB"}).lag;
  lag.record(20, 90);
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              HasSubstr("; the rate was kept, and neither the storage nor this client could be shown"));
  lag.record(2'000'000, 10);
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              HasSubstr("; neither the storage nor this client could"));
  result.bottleneck = "client-cpu";
  result.total.arrivals["baseload"].not_sent = 1;
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(HasSubstr("1 more intended operation was not sent in time, for want of a free client"),
                    HasSubstr("so the storage may be faster")));
  result.bottleneck = "storage";
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(HasSubstr("the storage did not keep up with the rate for so many clients"),
                    Not(HasSubstr("so the figures are the storage's"))));
  result.total.keys["baseload"].no_key = 1;
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(HasSubstr("was not sent in time, for want of keys to read"),
                    HasSubstr("so the figures are the storage's")));
}

TEST(SummaryText, WhatWasNotSentToAStorageThatWentAwayHasThatForAReason) {
  RunResult result = sample_run();
  result.total.arrivals["baseload"] = {.intended = 100, .not_sent = 90};
  Counters& put = result.total.cells.at({"baseload", OperationKind::put, "1KB"}).counters;
  put.failed_with = {};
  put.failed_with[static_cast<std::size_t>(Outcome::connect)] = 1;
  result.total.endpoints[{"http://a", OperationKind::put}]
      .outcomes[static_cast<std::size_t>(Outcome::connect)] = 1;
  result.total.suspicions["http://a"].seconds = 6;
  EXPECT_THAT(
      summary_text(result, {.width = 1000}),
      AllOf(HasSubstr("most often: connect"),
            HasSubstr("90 more intended operations were not sent in time, as clients pause where no "
                      "endpoint answers"),
            EndsWith("; no endpoint answered for 6.0s of it, so the rates say little of the storage's "
                     "speed.\n")));
}

TEST(SummaryText, TrimsThatFailedAreNoneOfTheOperations) {
  RunResult result = sample_run();
  Counters& put = result.total.cells.at({"baseload", OperationKind::put, "1KB"}).counters;
  put.errors = 0;
  put.outcomes.fill(0);
  Counters& trim = result.total.cells.at({"baseload", OperationKind::trim, ""}).counters;
  trim.count = trim.errors = 9;
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              HasSubstr("The storage answered 6 operations in 30s (0.2/s, 3.3 MiB/s); "
                        "9 TRIMs failed; neither"));
}

TEST(SummaryText, ARunWithoutASuccessSaysNothingOfItsSpeed) {
  RunResult result = sample_run();
  for (auto& [key, cell] : result.total.cells) {
    cell.response.clear();
    cell.counters.errors = cell.counters.count;
  }
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(HasSubstr("; 6 of them failed (100.0%, most often: throttled); 1 TRIM failed"),
                    EndsWith("; as none succeeded, this says nothing of its speed.\n")));
}

TEST(SummaryText, LeavesOutWhatOnlyTheEndOfARunKnows) {
  RunResult result = sample_run();
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(HasSubstr("busiest thread 25% of a core"), HasSubstr("1 MiB of memory")));
  result.max_rss_bytes = result.busiest_thread = 0;
  EXPECT_THAT(summary_text(result, {.width = 1000}),
              AllOf(Not(HasSubstr("busiest")), Not(HasSubstr("of memory"))));
}

TEST(SummaryText, SaysAboveTheFiguresThatTheyAreTheClients) {
  RunResult result = sample_run();
  result.why = "a thread had no time to spare";
  for (const char* trusted : {"storage", "unknown"}) {
    result.bottleneck = trusted;
    EXPECT_THAT(summary_text(result, {.width = 200}), Not(HasSubstr("DO NOT TRUST"))) << trusted;
    EXPECT_THAT(summary_text(result, {.width = 200}),
                HasSubstr(std::string("limit: ") + trusted + " - a thread had no time to spare\n"));
  }
  result.bottleneck = "client-cpu";
  EXPECT_THAT(
      lines_of(summary_text(result, {.width = 200})).front(),
      "DO NOT TRUST THESE FIGURES AS THE STORAGE'S: this client's CPU was the limit: a thread had no time "
      "to spare.");
  result.bottleneck = "client-network";
  EXPECT_THAT(lines_of(summary_text(result, {.width = 200, .colour = true})).front(),
              AllOf(HasSubstr("\x1b[31mDO NOT TRUST"), HasSubstr("client's network was the limit")))
      << "in red";
}

TEST(SummaryText, TellsTheHandshakesWhereThereWereSome) {
  RunResult result = sample_run();
  EXPECT_THAT(summary_text(result, {}), Not(HasSubstr("TLS")));
  for (const int micros : {1000, 1200, 4000}) result.total.client.handshakes.record(micros);
  result.total.client.resumed_handshakes = 1;
  EXPECT_THAT(summary_text(result, {}),
              HasSubstr("TLS: 3 handshakes, 1 of them resumed; they took p50 1.2ms, p99 4ms, at most 4ms\n"));
}

TEST(SummaryText, ShowsHowLateTheClientsTimersWere) {
  RunResult result = sample_run();
  EXPECT_THAT(summary_text(result, {.width = 200}), Not(HasSubstr("timers late")));
  for (int i = 0; i < 100; ++i) result.total.client.use.loop_lag.record(250);
  EXPECT_THAT(summary_text(result, {.width = 200}),
              HasSubstr("timers late by p50 250us, p99 250us, 8 connections"));
}

TEST(SummaryText, TellsOfReadsThatWereCheckedAndOfThoseThatWereWrong) {
  RunResult result = sample_run();
  EXPECT_THAT(summary_text(result, {.width = 200}), Not(HasSubstr("verified"))) << "nothing was checked";
  Counters& get = result.total.cells[{"baseload", OperationKind::get, "1KB"}].counters;
  get.checked = 3;
  EXPECT_THAT(summary_text(result, {.width = 200}), HasSubstr("  verified: 3 reads, 0 corrupt\n"));
  get.corrupt[static_cast<std::size_t>(Corruption::flipped)] = 2;
  get.corrupt[static_cast<std::size_t>(Corruption::stale)] = 1;
  const std::string text = summary_text(result, {.width = 1000});
  EXPECT_THAT(text, HasSubstr("  verified: 3 reads, 3 corrupt (2 flipped, 1 stale)\n"));
  EXPECT_THAT(text, HasSubstr("; 3 reads did not bring the bytes that were written; "));
}

TEST(SummaryText, ShowsThePatternsInTheOrderOfTheRun) {
  RunResult result = sample_run();
  for (const char* name : {"alpha", "zeta"}) {
    for (const auto& [key, cell] : sample_run().total.cells) {
      result.total.cells[{name, key.operation, key.size}] = cell;
    }
  }
  result.info.patterns = {"zeta", "silent", "baseload"};
  const std::string text = summary_text(result, {.width = 80, .colour = false});
  const std::size_t zeta = text.find("zeta\n"), baseload = text.find("baseload\n"),
                    alpha = text.find("alpha\n");
  EXPECT_LT(zeta, baseload);
  EXPECT_LT(baseload, alpha) << "what is not named comes last";
  EXPECT_NE(alpha, std::string::npos);
  EXPECT_EQ(text.find("silent"), std::string::npos);
}

TEST(SummaryText, ListsEveryObjectiveAboveTheFigures) {
  RunResult result = sample_run();
  result.slos = {
      {.expression = "GET.p99 < 50ms", .passed = true, .value = 12'000, .limit = 50'000, .unit = "us"},
      {.expression = "error_rate < 1%", .value = 0.25, .limit = 0.01, .unit = "ratio"},
      {.expression = "PUT.p99 < 1s", .limit = 1e6, .unit = "us", .why = "no PUT succeeded"}};
  result.ended_early = "error_rate < 1% can no longer be met";
  const std::string text = summary_text(result, {.width = 300});
  EXPECT_TRUE(text.starts_with("  SLO")) << text;
  EXPECT_THAT(text, testing::ContainsRegex("\n  GET.p99 < 50ms +pass +12ms\n  error_rate < 1% +FAIL +25%\n"
                                           "  PUT.p99 < 1s +FAIL +no PUT succeeded\n"));
  EXPECT_THAT(text, HasSubstr("The run was ended early: error_rate < 1% can no longer be met.\n"));
  EXPECT_THAT(text, HasSubstr("2 of 3 SLOs were missed"));
}

TEST(SummaryText, ShowsTheNotesBelowTheFigures) {
  RunResult result = sample_run();
  EXPECT_THAT(summary_text(result, {}), Not(HasSubstr("note: ")));
  result.notes = {"slow: http://node17:8080 GET p50 38ms", "GET 1 KiB: late"};
  EXPECT_THAT(summary_text(result, {}), AllOf(HasSubstr("\nnote: slow: http://node17:8080 GET p50 38ms\n"),
                                              HasSubstr("\nnote: GET 1 KiB: late\n")));
}

TEST(SummaryText, SaysWhereTheTailIsLong) {
  RunResult result = sample_run();
  result.total.cells.clear();
  Cell& cell = result.total.cells[{"baseload", OperationKind::get, "1KB"}];
  for (int i = 0; i < 1000; ++i) cell.response.record(i < 950 ? 1000 : 50'000);
  cell.counters.count = 1000;
  EXPECT_THAT(
      summary_text(result, {.width = 1000, .colour = false}),
      HasSubstr("without an error; one GET of 1 KiB in a hundred took 50ms or longer, 50 times the median;"));
  result.total.cells[{"spiky", OperationKind::put, "1KB"}].counters.count = 1;
  EXPECT_THAT(summary_text(result, {.width = 1000, .colour = false}),
              HasSubstr("; one GET of 1 KiB in a hundred of baseload took 50ms"));
}

TEST(SummaryText, TheClosingSentenceTellsWhatBefellS3pool) {
  RunResult result = sample_run();
  result.proxy = ProxyRecord{.address = "127.0.0.1:18080", .log = {}};
  const auto text = [&] { return summary_text(result, {.width = 1000, .colour = false}); };
  EXPECT_THAT(text(), Not(HasSubstr("s3pool died")));
  result.proxy->down_seconds = 1.5;  // since before
  EXPECT_THAT(text(), HasSubstr("; s3pool was not there for the first 1.5s; neither"));
  result.proxy->deaths = 2;
  result.proxy->starts = 1;
  EXPECT_THAT(text(), HasSubstr("; s3pool died 2 times and was started again once; neither"));
  result.proxy->stopped_seconds = 12.34;
  EXPECT_THAT(text(), HasSubstr("again once; s3pool was stopped for 12.3s; so the rates say little of the "
                                "storage's speed."));
  result.proxy->gave_up = {"http://127.0.0.1:9000"};
  EXPECT_THAT(text(), Not(HasSubstr("unhealthy")));
  result.proxy->gave_up_all = true;
  EXPECT_THAT(text(), HasSubstr("for 12.3s; s3pool took the only endpoint for unhealthy; "));
  result.info.endpoints.push_back("http://127.0.0.1:9001");
  EXPECT_THAT(text(), HasSubstr("for 12.3s; s3pool gave up all 2 endpoints and sent everything to one; "));
  result.proxy->gave_up_all = false;
  result.total.cells.clear();
  EXPECT_THAT(text(), HasSubstr("Not one operation ended in 30s; s3pool died 2 times and was started again "
                                "once; s3pool was stopped for 12.3s."));
}

TEST(SummaryText, ARunWithoutAnOperationSaysSo) {
  RunResult nothing;
  nothing.seconds = 5;
  EXPECT_THAT(summary_text(nothing, {.width = 80}), EndsWith("Not one operation ended in 5s.\n"));
  nothing.total.keys["heavyread"].no_key = 3;
  EXPECT_THAT(summary_text(nothing, {.width = 80}),
              EndsWith("Not one operation ended in 5s: there was no key to read.\n"));
}

TEST(ProgressLine, FitsAnyWidthAndKeepsWhatMattersMost) {
  const Snapshot total = sample_snapshot();
  Snapshot recent = sample_snapshot();
  recent.from = seconds(29);
  const PatternProgress progress{.pattern = "baseload",
                                 .elapsed = seconds(30),
                                 .duration = seconds(60),
                                 .total = &total,
                                 .recent = &recent};
  for (unsigned width = 0; width <= 140; ++width) {
    const std::string line = progress_line(progress, {.width = width, .colour = false});
    EXPECT_LE(line.size(), width);
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
  const std::string line = progress_line(progress, {.width = 80, .colour = false});
  EXPECT_THAT(line, HasSubstr("baseload  30s/1m      6.0/s   100.0 MiB/s  1 error  GET p50 2ms p99 2s"));
}

TEST(ProgressLine, ColoursTakeNoColumns) {
  const Snapshot total = sample_snapshot();
  const PatternProgress progress{
      .pattern = "baseload", .elapsed = seconds(30), .total = &total, .recent = &total};
  std::string coloured = progress_line(progress, {.width = 60, .colour = true});
  EXPECT_THAT(coloured, HasSubstr("\x1b[31m1 error\x1b[0m"));
  for (std::size_t at; (at = coloured.find('\x1b')) != std::string::npos;) {
    coloured.erase(at, coloured.find('m', at) - at + 1);
  }
  EXPECT_EQ(coloured, progress_line(progress, {.width = 60, .colour = false}));
}

}  // namespace
}  // namespace s3lt
