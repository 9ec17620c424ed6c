#include "results/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "results/sample_run.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::SizeIs;

class RunDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "s3loadtest-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }

  static std::string text_of(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static std::vector<std::string> lines_of(const fs::path& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  static Snapshot second(int number) {
    Snapshot snapshot = sample_snapshot();
    snapshot.from = seconds(number);
    snapshot.to = seconds(number + 1);
    return snapshot;
  }

  fs::path root;
  RunInfo info = sample_run().info;
};

TEST_F(RunDirectoryTest, IsNamedByStartPatternAndWorkerAndLinkedFromTheLogDirectory) {
  info.worker = 3;
  const auto directory = RunDirectory::create(root / "new" / "logs", info);
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_THAT(info.id, MatchesRegex("20260204T120000Z-baseload-W3-[0-9a-f]{4}"));
  EXPECT_EQ((*directory)->path(), root / "new" / "logs" / info.id);
  std::ofstream((*directory)->log_path()) << "a line\n";
  const fs::path logs = root / "new" / "logs";
  EXPECT_EQ(fs::read_symlink(logs / "latest"), info.id);
  EXPECT_TRUE(fs::exists(logs / "latest" / "run.json"));
  EXPECT_TRUE(fs::is_symlink(logs / "loadtest_baseload_3.log"));
  EXPECT_EQ(text_of(logs / "loadtest_baseload_3.log"), "a line\n");
}

TEST_F(RunDirectoryTest, ALaterRunTakesTheLinksOver) {
  RunInfo later = info;
  ASSERT_TRUE(RunDirectory::create(root, info));
  ASSERT_TRUE(RunDirectory::create(root, later));
  EXPECT_NE(info.id, later.id);
  EXPECT_EQ(fs::read_symlink(root / "latest"), later.id);
}

TEST_F(RunDirectoryTest, ALogOfTheEarlierToolIsMovedAsideNotLost) {
  std::ofstream(root / "loadtest_baseload_0.log") << "precious\n";
  ASSERT_TRUE(RunDirectory::create(root, info));
  EXPECT_TRUE(fs::is_symlink(root / "loadtest_baseload_0.log"));
  EXPECT_EQ(text_of(root / ("loadtest_baseload_0.log.before-" + info.id)), "precious\n");
}

TEST_F(RunDirectoryTest, APatternFileGivesItsNameWithoutItsPath) {
  info.pattern = "../my patterns/night run.toml";
  ASSERT_TRUE(RunDirectory::create(root, info));
  EXPECT_THAT(info.id, HasSubstr("Z-night_run-W0-"));
}

TEST_F(RunDirectoryTest, EveryFinishedSecondIsReadableAtOnce) {
  auto directory = RunDirectory::create(root, info);
  ASSERT_TRUE(directory);
  const fs::path path = (*directory)->path();
  for (int number = 0; number < 3; ++number) {
    ASSERT_TRUE((*directory)->append(second(number)));
    const auto series = lines_of(path / "series.jsonl");
    ASSERT_THAT(series, SizeIs(number + 1));
    EXPECT_EQ(boost::json::parse(series.back()).at("from").to_number<int>(), number);
    EXPECT_TRUE(text_of(path / "histograms.hlog").ends_with("\n"));
  }
  EXPECT_FALSE(fs::exists(path / "summary.json"));
}

TEST_F(RunDirectoryTest, TheHistogramLogHoldsEachSecondsResponseTimes) {
  auto directory = RunDirectory::create(root, info);
  ASSERT_TRUE(directory);
  ASSERT_TRUE((*directory)->append(second(4)));
  const auto lines = lines_of((*directory)->path() / "histograms.hlog");
  EXPECT_THAT(lines, testing::Contains(
                         "#[StartTime: 1770206400.000 (seconds since epoch), 2026-02-04T12:00:00.000Z]"));
  const auto get =
      std::ranges::find_if(lines, [](const auto& line) { return line.starts_with("Tag=baseload.GET,"); });
  ASSERT_NE(get, lines.end());
  const std::string start = "Tag=baseload.GET,4.000,1.000,2000.000,";
  ASSERT_TRUE(get->starts_with(start)) << *get;
  const auto histogram = Histogram::decode_compressed_base64(get->substr(start.size()));
  ASSERT_TRUE(histogram) << histogram.error().message;
  EXPECT_EQ(histogram->count(), 4U);
  EXPECT_EQ(histogram->percentile(50), 2000);
}

TEST_F(RunDirectoryTest, TheFirstTenErrorsOfAKindAreKept) {
  auto directory = RunDirectory::create(root, info);
  ASSERT_TRUE(directory);
  Snapshot snapshot = second(0);
  for (int i = 0; i < 14; ++i) {
    OperationSample sample;
    sample.pattern = "baseload";
    sample.operation = "GET";
    sample.key = "k" + std::to_string(i);
    sample.outcome = Outcome::throttled;
    sample.status = 503;
    sample.code = "SlowDown";
    sample.message = "say \"slowly\"";
    snapshot.errors.push_back(std::move(sample));
  }
  ASSERT_TRUE((*directory)->append(snapshot));
  ASSERT_TRUE((*directory)->append(snapshot));
  const auto lines = lines_of((*directory)->path() / "errors.jsonl");
  ASSERT_THAT(lines, SizeIs(10));
  const boost::json::value error = boost::json::parse(lines.front());
  EXPECT_EQ(error.at("key").as_string(), "k0");
  EXPECT_EQ(error.at("outcome").as_string(), "throttled");
  EXPECT_EQ(error.at("message").as_string(), "say \"slowly\"");
}

TEST_F(RunDirectoryTest, FinishingWritesTheSummaryAndTheTotals) {
  auto directory = RunDirectory::create(root, info);
  ASSERT_TRUE(directory);
  RunResult result = sample_run();
  result.info = info;
  ASSERT_TRUE((*directory)->finish(result));
  const boost::json::value summary = boost::json::parse(text_of((*directory)->path() / "summary.json"));
  EXPECT_EQ(summary.at_pointer("/run/id").as_string(), info.id);
  EXPECT_THAT(text_of((*directory)->path() / "histograms.hlog"),
              HasSubstr("\nTag=total.baseload.GET.1KB,0.000,30.000,"));
  for (const auto& entry : fs::directory_iterator((*directory)->path())) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << "a draft was left: " << entry.path();
  }
}

TEST_F(RunDirectoryTest, AnOutDirectoryIsUsedAsItIsAndNeverTwice) {
  const fs::path out = root / "here";
  {
    const auto directory = RunDirectory::create_at(out, info);
    ASSERT_TRUE(directory) << directory.error().message;
    EXPECT_EQ((*directory)->path(), out);
    EXPECT_FALSE(info.id.empty());
  }
  EXPECT_FALSE(fs::exists(root / "latest"));
  const auto again = RunDirectory::create_at(out, info);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::usage);
  EXPECT_THAT(again.error().message, HasSubstr(out.string() + " holds a run already"));
}

TEST_F(RunDirectoryTest, APlaceThatCannotBeADirectoryIsNamedWithTheReason) {
  std::ofstream(root / "file") << "x";
  const auto directory = RunDirectory::create(root / "file" / "logs", info);
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr((root / "file" / "logs").string() + ": Not a directory"));
  EXPECT_THAT(directory.error().message, HasSubstr("--out"));
}

TEST_F(RunDirectoryTest, WhatAFullDiskCutOffIsTakenBackAndTheErrorNamesTheFile) {
  auto directory = RunDirectory::create(root, info);
  ASSERT_TRUE(directory);
  ASSERT_TRUE((*directory)->append(second(0)));
  // A limit on the size of files cuts a write short as a full disk does.
  const fs::path series = (*directory)->path() / "series.jsonl";
  const auto before = text_of(series);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{before.size() + 20, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  Result<void> written;
  Snapshot quiet;  // no histogram lines: the series is the file that hits the limit
  quiet.keys["baseload"] = {};
  written = (*directory)->append(quiet);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot write " + series.string() + ": File too large"));
  EXPECT_EQ(text_of(series), before);
}

}  // namespace
}  // namespace s3lt
