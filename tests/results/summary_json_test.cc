#include "results/summary_json.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "results/sample_lines.h"
#include "results/sample_run.h"

namespace s3lt {
namespace {

namespace json = boost::json;

std::vector<std::string> names_in(const json::value& object) {
  std::vector<std::string> names;
  for (const auto& member : object.as_object()) names.emplace_back(member.key());
  return names;
}

std::int64_t number_at(const json::value& value, const char* pointer) {
  return value.at_pointer(pointer).to_number<std::int64_t>();
}

TEST(SummaryJson, HasEveryFieldOfTheSchema) {
  const json::value summary = json::parse(summary_json(sample_run()));
  using Names = std::vector<std::string>;
  EXPECT_EQ(summary.at("schema").as_string(), "s3loadtest.summary/1");
  EXPECT_EQ(names_in(summary),
            (Names{"schema", "run", "verdict", "client", "proxy", "patterns", "endpoints", "notes"}));
  EXPECT_EQ(names_in(summary.at("run")),
            (Names{"id", "version", "started", "seconds", "pattern", "worker", "backend", "endpoints",
                   "tls_verify", "seed", "time_scale", "warmup_seconds", "interrupted"}));
  EXPECT_EQ(names_in(summary.at("verdict")), (Names{"passed", "slo", "ended_early", "bottleneck", "why"}));
  EXPECT_EQ(names_in(summary.at("client")),
            (Names{"threads", "cpu_seconds", "operations_per_cpu_second", "busiest_thread", "max_rss_bytes",
                   "connections", "reconnects", "idle_closed", "tls", "run_queue_seconds", "busy",
                   "run_queue_wait", "saturated", "steal", "loop_lag_us", "waiting", "network"}));
  EXPECT_EQ(names_in(summary.at_pointer("/client/network")),
            (Names{"rtt_us", "queue_us", "probes", "lost_probes", "transfer", "sending", "congested",
                   "window_limited", "buffer_limited", "retransmitted", "out_of_order", "links"}));
  const json::value& baseload = summary.at_pointer("/patterns/baseload");
  EXPECT_EQ(names_in(baseload), (Names{"operations", "keys", "verified"}));
  EXPECT_EQ(names_in(baseload.at("operations")), (Names{"GET", "PUT", "TRIM"}));
  EXPECT_EQ(names_in(baseload.at("keys")), (Names{"written", "deleted", "trimmed", "alive", "unknown",
                                                  "refused", "foreign", "unaborted", "no_key"}));
  EXPECT_EQ(names_in(baseload.at("verified")), (Names{"checked", "corrupt", "kinds"}));
  EXPECT_EQ(names_in(baseload.at_pointer("/operations/GET")),
            (Names{"count",     "bytes",      "bytes_moved", "errors",     "not_found", "cancelled",
                   "attempts",  "requests",   "seeded",      "behind",     "outcomes",  "status",
                   "late",      "late_bytes", "response_us", "service_us", "ttfb_us",   "lag_us",
                   "failed_us", "rate",       "throughput",  "sizes"}));
  EXPECT_EQ(names_in(baseload.at_pointer("/operations/GET/lag_us")),
            (Names{"min", "mean", "p50", "p90", "p95", "p99", "p999", "max"}));
}

TEST(SummaryJson, TellsTheHandshakes) {
  RunResult result = sample_run();
  for (const int micros : {100, 200, 900}) result.total.client.handshakes.record(micros);
  result.total.client.resumed_handshakes = 2;
  const json::value summary = json::parse(summary_json(result));
  EXPECT_EQ(number_at(summary, "/client/tls/handshakes"), 3);
  EXPECT_EQ(number_at(summary, "/client/tls/resumed"), 2);
  EXPECT_EQ(number_at(summary, "/client/tls/handshake_us/p50"), 200);
  EXPECT_EQ(number_at(summary, "/client/tls/handshake_us/max"), 900);
}

TEST(SummaryJson, TellsEachEndpointInTheOrderOfTheRunAndWhatStandsOut) {
  RunResult result = sample_run();
  result.info.endpoints = {"http://z:80", "http://a:80", "http://m:80"};
  for (const std::string& url : result.info.endpoints) {
    EndpointCell& cell = result.total.endpoints[{url, OperationKind::get}];
    cell.outcomes[static_cast<std::size_t>(Outcome::ok)] = 2000;
    cell.service.record(url == "http://a:80" ? 9000 : 3000, 2000);
    result.total.endpoints[{url, OperationKind::put}].outcomes[static_cast<std::size_t>(Outcome::reset)] = 1;
  }
  result.notes = {"one", "another"};
  const json::value summary = json::parse(summary_json(result));
  EXPECT_EQ(summary.at("notes"), (json::array{"one", "another"}));
  const json::array& endpoints = summary.at("endpoints").as_array();
  ASSERT_EQ(endpoints.size(), 3U);
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_in(endpoints[0]),
            (Names{"url", "attempts", "errors", "outcomes", "suspect", "silent", "operations", "outlier"}));
  EXPECT_EQ(endpoints[0].at("url"), "http://z:80");
  EXPECT_EQ(number_at(endpoints[0], "/attempts"), 2001);
  EXPECT_EQ(number_at(endpoints[0], "/errors"), 1);
  EXPECT_EQ(names_in(endpoints[0].at("operations")), (Names{"GET", "PUT"}));
  EXPECT_EQ(names_in(endpoints[0].at_pointer("/operations/GET")),
            (Names{"attempts", "errors", "outcomes", "service_us"}));
  EXPECT_EQ(number_at(endpoints[0], "/operations/PUT/outcomes/reset"), 1);
  EXPECT_NEAR(static_cast<double>(number_at(endpoints[1], "/operations/GET/service_us/p50")), 9000, 80);
  EXPECT_TRUE(endpoints[0].at("outlier").is_null());
  EXPECT_TRUE(endpoints[1].at("outlier").as_string().starts_with("slow: http://a:80 GET p50 "));
}

TEST(SummaryJson, AnOperationsFiguresAreTheMergeOfItsSizes) {
  const json::value summary = json::parse(summary_json(sample_run()));
  const json::value& get = summary.at_pointer("/patterns/baseload/operations/GET");
  EXPECT_EQ(number_at(get, "/count"), 4);
  EXPECT_EQ(number_at(get, "/bytes"), 3 * 1024 + 104'857'600);
  EXPECT_EQ(number_at(get, "/response_us/max"), 2'000'000);
  EXPECT_EQ(number_at(get, "/response_us/p50"), 2000);
  EXPECT_DOUBLE_EQ(get.at_pointer("/response_us/mean").to_number<double>(), 501'500);
  EXPECT_EQ(names_in(get.at("sizes")), (std::vector<std::string>{"1KB", "100MB"}))
      << "by size, not by letters";
  EXPECT_EQ(number_at(get, "/sizes/1KB/count"), 3);
  EXPECT_EQ(number_at(get, "/sizes/1KB/response_us/max"), 3000);
  EXPECT_EQ(number_at(get, "/sizes/100MB/response_us/min"), 2'000'000);
}

TEST(SummaryJson, FailuresStandApartFromWhatWentWell) {
  const json::value summary = json::parse(summary_json(sample_run()));
  const json::value& put = summary.at_pointer("/patterns/baseload/operations/PUT");
  EXPECT_EQ(number_at(put, "/count"), 2);
  EXPECT_EQ(number_at(put, "/errors"), 1);
  EXPECT_EQ(number_at(put, "/cancelled"), 1);
  EXPECT_EQ(number_at(put, "/bytes"), 1024);
  EXPECT_EQ(number_at(put, "/bytes_moved"), 2024);
  EXPECT_EQ(number_at(put, "/failed_us/max"), 9000);
  EXPECT_EQ(number_at(put, "/response_us/max"), 5000);
  EXPECT_EQ(json::serialize(put.at("outcomes")), R"({"ok":1,"throttled":1})");
  EXPECT_EQ(json::serialize(put.at("status")), R"({"200":1,"503":1})");
}

TEST(SummaryJson, TheClientsCostCountsEveryOperation) {
  const json::value summary = json::parse(summary_json(sample_run()));
  EXPECT_EQ(summary.at_pointer("/run/started").as_string(), "2026-02-04T12:00:00.000Z");
  EXPECT_DOUBLE_EQ(summary.at_pointer("/client/operations_per_cpu_second").to_number<double>(), 14);
  EXPECT_EQ(number_at(summary, "/client/max_rss_bytes"), 1 << 20);
}

TEST(SummaryJson, ARunWithoutAnOperationIsStillWhole) {
  RunResult nothing;
  const json::value summary = json::parse(summary_json(nothing));
  EXPECT_TRUE(summary.at("patterns").as_object().empty());
  EXPECT_EQ(summary.at_pointer("/client/operations_per_cpu_second").to_number<double>(), 0);
}

TEST(SummaryJson, ReadsThatWereCheckedAreCountedByPatternAndKind) {
  RunResult result = sample_run();
  for (const char* size : {"1KB", "100MB"}) {
    Counters& get = result.total.cells[{"baseload", OperationKind::get, size}].counters;
    get.checked = 10;
    get.corrupt[static_cast<std::size_t>(Corruption::swapped)] = 2;
  }
  const json::value summary = json::parse(summary_json(result));
  EXPECT_EQ(json::serialize(summary.at_pointer("/patterns/baseload/verified")),
            R"({"checked":20,"corrupt":4,"kinds":{"swapped":4}})");
}

TEST(ErrorLine, OfWrongBytesSaysWhatWhereAndWhich) {
  OperationSample sample{.key = "k", .outcome = Outcome::corrupt, .status = 200};
  EXPECT_FALSE(json::parse(error_line(sample)).as_object().contains("kind"));
  sample.wrong = {.kind = Corruption::stale, .offset = 4064, .expected = "00ff", .found = "01ff"};
  const json::value line = json::parse(error_line(sample));
  EXPECT_EQ(line.at("outcome").as_string(), "corrupt");
  EXPECT_EQ(line.at("kind").as_string(), "stale");
  EXPECT_EQ(number_at(line, "/offset"), 4064);
  EXPECT_EQ(line.at("expected").as_string(), "00ff");
  EXPECT_EQ(line.at("found").as_string(), "01ff");
}

TEST(RunJson, NamesTheHostItsBootAndItsClock) {
  const json::value run = json::parse(run_json(sample_run().info));
  EXPECT_FALSE(run.at_pointer("/host/name").as_string().empty());
  EXPECT_EQ(run.at_pointer("/host/boot_id").as_string().size(), 36U);
  EXPECT_GT(number_at(run, "/clock/monotonic_ns"), 0);
  EXPECT_EQ(run.at_pointer("/settings/max-keys").as_string(), "5000");
}

TEST(SeriesLine, IsOneLineWithTheSecondsFigures) {
  const std::string line = series_line(sample_snapshot());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const json::value second = json::parse(line);
  EXPECT_EQ(second.at("to").to_number<double>(), 30);
  EXPECT_EQ(number_at(second, "/patterns/baseload/operations/GET/response_us/max"), 2'000'000);
  EXPECT_FALSE(second.at_pointer("/patterns/baseload/operations/GET").as_object().contains("lag_us"));
}

}  // namespace
}  // namespace s3lt
