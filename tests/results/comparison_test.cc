#include "results/comparison.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "results/run_directory.h"
#include "sample_run.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;

struct Loaded {
  RunReader reader;
  RebuiltRun run;
};

class ComparisonTest : public testing::Test {
 protected:
  ComparisonTest() {
    std::string name = (fs::temp_directory_path() / "compare-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~ComparisonTest() override { fs::remove_all(root_); }

  // Twenty seconds, by default of as many GETs.
  fs::path write(
      const char* name, RunResult result = sample_run(), bool ends = true,
      const std::function<std::uint64_t(int)>& gets = [](int) { return 10; }) {
    result.info.id = name;
    result.info.patterns = {"baseload"};
    auto directory = RunDirectory::create_at(root_ / name, result.info);
    EXPECT_TRUE(directory) << directory.error().message;
    Snapshot total = result.total;
    total.cells.clear();
    for (int i = 0; i < 20; ++i) {
      Snapshot second;
      second.from = seconds(i);
      second.to = seconds(i + 1);
      Cell& get = second.cells[{"baseload", OperationKind::get, "1KB"}];
      get.counters.count = get.counters.attempts = gets(i);
      get.response.record(1000 + i, gets(i));
      total.cells[{"baseload", OperationKind::get, "1KB"}].add(get);
      EXPECT_TRUE((*directory)->append(second));
    }
    result.total = total;
    if (ends) {
      EXPECT_TRUE((*directory)->finish(result));
    }
    return root_ / name;
  }
  static Loaded load(const fs::path& path) {
    auto reader = RunReader::open(path);
    EXPECT_TRUE(reader) << reader.error().message;
    auto run = rebuild_run(*reader);
    EXPECT_TRUE(run) << run.error().message;
    return {*reader, *run};
  }
  static std::string error_of(const fs::path& a, const fs::path& b) {
    const Loaded one = load(a), other = load(b);
    const auto compared = compare_runs({one.reader, one.run}, {other.reader, other.run});
    return compared ? "none" : compared.error().message;
  }
  // Takes the lines away that `gone` says yes to.
  static void drop(const fs::path& file, const std::function<bool(const std::string&)>& gone) {
    std::ifstream in(file);
    std::string line, kept;
    while (std::getline(in, line)) kept += gone(line) ? "" : line + "\n";
    in.close();
    std::ofstream(file) << kept;
  }
  fs::path root_;
};

TEST_F(ComparisonTest, ARunWhoseFilesWereCutIsRefused) {
  const fs::path whole = write("whole"), log = write("log"), series = write("series"),
                 killed = write("killed", sample_run(), false);
  EXPECT_EQ(error_of(whole, whole), "none");
  EXPECT_EQ(error_of(killed, killed), "none");
  drop(log / "histograms.hlog",
       [](const std::string& line) { return line.starts_with("Tag=baseload.GET,7.000,"); });
  const std::string missing = error_of(whole, log);
  EXPECT_TRUE(missing.starts_with(
      (log / "histograms.hlog").string() +
      ": 0 of the 10 GET of baseload that series.jsonl counts in the interval from 7.000 s"))
      << missing;
  drop(series / "series.jsonl", [](const std::string& line) { return line.starts_with("{\"from\":19"); });
  const std::string cut = error_of(series, whole);
  EXPECT_TRUE(cut.starts_with((series / "series.jsonl").string() +
                              " holds 190 of the 200 GET of baseload that summary.json counts"))
      << cut;
  drop(killed / "histograms.hlog",
       [](const std::string& line) { return line.starts_with("Tag=baseload.GET,19.000,"); });
  EXPECT_EQ(error_of(killed, whole), "none") << "the last second of a run that was killed";
  drop(killed / "histograms.hlog",
       [](const std::string& line) { return line.starts_with("Tag=baseload.GET,4.000,"); });
  EXPECT_NE(error_of(killed, whole).find("from 4.000 s"), std::string::npos);
}

TEST_F(ComparisonTest, AClientThatWasTheBottleneckAndStartsThatWereNotSentAreTold) {
  RunResult busy = sample_run();
  busy.bottleneck = "client-cpu";
  busy.why = "its threads were busy";
  busy.total.arrivals["baseload"] = {.intended = 10'000, .not_sent = 1'994};
  RunResult calm = sample_run();
  calm.total.arrivals["baseload"] = {.intended = 10'000, .not_sent = 1'010};
  const Loaded a = load(write("busy", busy)), b = load(write("calm", calm));
  const auto compared = compare_runs({a.reader, a.run}, {b.reader, b.run});
  ASSERT_TRUE(compared) << compared.error().message;
  EXPECT_EQ(compared->warnings,
            (std::vector<std::string>{"DO NOT TRUST THE FIGURES OF A AS THE STORAGE'S: its client's CPU was "
                                      "the limit: its threads were busy.",
                                      "Intended starts of baseload that were not sent, and are in no "
                                      "percentile: A 1,994 of 10,000 (19.94%), B "
                                      "1,010 of 10,000 (10.10%)."}));
  const boost::json::value told(comparison_object(*compared, {a.reader, a.run}, {b.reader, b.run}));
  EXPECT_EQ(told.at("a").at("bottleneck"), "client-cpu");
  EXPECT_EQ(told.at("a").at("why"), "its threads were busy");
  EXPECT_EQ(told.at("b").at("bottleneck"), "unknown");
  EXPECT_EQ(told.at("warnings").as_array().size(), 2U);
  EXPECT_EQ(told.at("arrivals").at(0).at("not_sent"), (boost::json::array{1994, 1010}));
}

TEST_F(ComparisonTest, ManyOperationsOfTooFewSecondsAreNotTooFewSamples) {
  const Loaded a = load(write("a"));
  const auto compared = compare_runs({a.reader, a.run}, {a.reader, a.run});
  ASSERT_TRUE(compared);
  for (const ComparedFigure& figure : compared->figures) {
    EXPECT_EQ(figure.few_samples, figure.name == "p99" || figure.name == "p99.9")
        << figure.name;  // of 200: 2 and 0.2
  }
}

// Each changes so slowly that its mean has no interval worth the name.
TEST_F(ComparisonTest, RatesWhoseSecondsLieApartDiffer) {
  const auto with = [&](const char* name, auto gets) { return load(write(name, sample_run(), true, gets)); };
  const Loaded a = with("a", [](int i) { return 300 + 30 * i; });
  const Loaded below = with("below", [](int i) { return 100 + 9 * i; });
  const Loaded across = with("across", [](int i) { return 100 + 15 * i; });
  const auto rate_of = [&](const Loaded& b) {
    return compare_runs({a.reader, a.run}, {b.reader, b.run})->figures.at(0);
  };
  EXPECT_EQ(rate_of(below).name, "rate");
  EXPECT_TRUE(rate_of(below).different);
  EXPECT_EQ(rate_of(below).threshold, 0.1);
  EXPECT_FALSE(rate_of(across).different) << "some of its seconds had more than the first of a";
}

TEST_F(ComparisonTest, PatternsOfOneNameThatSayOtherThingsAreNotTheSame) {
  RunResult a = sample_run(), b = sample_run();
  a.info.schedules = b.info.schedules = {{.pattern = "baseload", .kind = "always"}};
  a.info.definitions = {R"({"mix":{"GET":70,"PUT":30},"sizes":["1KB"]})"};
  b.info.definitions = {
      R"({"mix":{"GET":70,"PUT":30},"sizes":["1KB"],"pacing":{"operations_per_second":5}})"};
  const Loaded of_a = load(write("a", a)), of_b = load(write("b", b));
  EXPECT_TRUE(incomparable(of_a.reader, of_a.reader).empty());
  EXPECT_EQ(incomparable(of_a.reader, of_b.reader),
            (std::vector<std::string>{"pacing.operations_per_second of baseload: none and 5"}));
  EXPECT_EQ(of_b.run.result.info.definitions, b.info.definitions);
  RunResult old = sample_run();
  EXPECT_TRUE(incomparable(of_a.reader, load(write("old", old)).reader).empty()) << "it does not say";
}

}  // namespace
}  // namespace s3lt
