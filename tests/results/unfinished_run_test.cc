#include "results/unfinished_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace s3lt {
namespace {

using testing::HasSubstr;

class UnfinishedRun : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& file, const std::string& text) { std::ofstream(directory_ / file) << text; }
  std::string described() const {
    return describe_unfinished_run(directory_, "process 4711, since 2026-02-04T12:00:00Z",
                                   "loadtest/0/ in bucket b");
  }
  static std::string second(double to, int alive, int unknown) {
    return R"({"from":0,"to":)" + std::to_string(to) + R"(,"patterns":{"baseload":{"keys":{"alive":)" +
           std::to_string(alive) + R"(,"unknown":)" + std::to_string(unknown) + "}}}}";
  }
  const std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("unfinished-" + std::to_string(getpid()));
};

TEST_F(UnfinishedRun, IsToldByItsLastWholeSecond) {
  write("run.json", "{}\n");
  write("series.jsonl", second(1, 100, 1) + "\n" + second(12.04, 1234, 5) + "\n" + R"({"from":12.04,"to)");
  EXPECT_EQ(described(),
            "the run before this one (process 4711, since 2026-02-04T12:00:00Z) did not end: " +
                directory_.string() +
                " holds its first 12s; it left about 1,239 objects under loadtest/0/ in bucket b: "
                "this run goes on with those that the key journal names, and cleanup finds the rest");
}

TEST_F(UnfinishedRun, OfDaysIsReadFromItsEnd) {
  write("run.json", "{}\n");
  std::string series;
  for (int i = 1; i <= 20'000; ++i) series += second(i, i, 0) + "\n";
  write("series.jsonl", series);
  EXPECT_THAT(described(), HasSubstr("it left about 20,000 objects"));
}

TEST_F(UnfinishedRun, WithoutASecondMayHavePrefilled) {
  write("run.json", "{}\n");
  for (const char* series : {"", "{\"torn", "\n", "no json\n", "[]\n"}) {
    write("series.jsonl", series);
    EXPECT_THAT(described(), HasSubstr("ends before its first second; objects of its prefill may be under"))
        << series;
  }
}

TEST_F(UnfinishedRun, ThatHasItsSummaryOrNoDirectoryIsToldSo) {
  write("run.json", "{}\n");
  write("summary.json", "{}\n");
  EXPECT_THAT(described(), HasSubstr("has its summary all the same"));
  std::filesystem::remove_all(directory_);
  EXPECT_THAT(described(), HasSubstr("is gone; objects of it may be under loadtest/0/ in bucket b"));
}

}  // namespace
}  // namespace s3lt
