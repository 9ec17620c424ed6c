#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

namespace s3lt {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// What one call writes to stderr.
template <class Call>
std::string stderr_of(Call&& call) {
  testing::internal::CaptureStderr();
  call();
  return testing::internal::GetCapturedStderr();
}

class LogTest : public testing::Test {
 protected:
  void TearDown() override {
    set_log_hooks(nullptr, nullptr);
    close_log_files();
    configure_log({});
  }
};

TEST_F(LogTest, ALineHasTimeLevelTagOpAndMessageInTheirColumns) {
  const std::string line = stderr_of(
      [] { log_line(LogLevel::info, {.test = "baseload", .worker = 0, .op = "STATS"}, "STATS: ops=1,234"); });
  EXPECT_THAT(line, ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "));
  EXPECT_EQ(line.substr(23), " INFO     [baseload:W0]        [STATS] STATS: ops=1,234\n");
}

TEST_F(LogTest, ALongTagStillHasASpaceBehindIt) {
  const std::string line = stderr_of(
      [] { log_line(LogLevel::error, {.test = "a-rather-long-name", .worker = 12, .op = "PUT"}, "x"); });
  EXPECT_EQ(line.substr(23), " ERROR    [a-rather-long-name:W12] [PUT] x\n");
}

TEST_F(LogTest, TheProgramItselfHasNoTag) {
  EXPECT_EQ(stderr_of([] { log_warning("look out"); }).substr(23), " WARNING  look out\n");
}

TEST_F(LogTest, MessagesCannotForgeLines) {
  EXPECT_EQ(stderr_of([] { log_info("a\n2026 ERROR \x1b[2J"); }).substr(23),
            " INFO     a\\n2026 ERROR \\x1b[2J\n");
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  configure_log({.level = LogLevel::warning});
  EXPECT_FALSE(log_enabled(LogLevel::info));
  EXPECT_EQ(stderr_of([] { log_info("quiet"); }), "");
  EXPECT_THAT(stderr_of([] { log_error("loud"); }), HasSubstr("loud"));
}

TEST_F(LogTest, JsonHasEveryFieldAndEscapes) {
  configure_log({.json = true});
  const std::string line = stderr_of([] {
    log_line(LogLevel::info, {.test = "baseload", .worker = 3, .op = "STATS"}, "say \"hi\"\n",
             std::vector<LogField>{{"ops", std::int64_t{1234}},
                                   {"rate", 41.5},
                                   {"why", std::string("a\\b")},
                                   {"bad", std::numeric_limits<double>::infinity()}});
  });
  EXPECT_THAT(line, ContainsRegex("^\\{\"ts\":\"[0-9-]{10}T[0-9:.]{12}Z\","));
  EXPECT_THAT(line,
              EndsWith(R"("level":"INFO","msg":"say \"hi\"\n","test":"baseload","worker":3,"op":"STATS",)"
                       R"("ops":1234,"rate":41.5,"why":"a\\b","bad":null})"
                       "\n"));
}

TEST_F(LogTest, TheFileGetsTheLinesWithoutColours) {
  const auto path = std::filesystem::path(testing::TempDir()) / fmt::format("log_test.{}.log", getpid());
  ASSERT_TRUE(open_log_file(path));
  configure_log({.colour = true});
  const std::string shown = stderr_of([] { log_error("broken"); });
  close_log_files();
  stderr_of([] { log_error("after the end"); });
  std::ostringstream kept;
  kept << std::ifstream(path).rdbuf();
  std::filesystem::remove(path);
  EXPECT_THAT(shown, HasSubstr("\x1b[31mERROR   \x1b[0m broken"));
  EXPECT_THAT(kept.str(), HasSubstr(" ERROR    broken\n"));
  EXPECT_THAT(kept.str(), Not(HasSubstr("after")));
}

TEST_F(LogTest, AFileThatCannotBeWrittenIsNamed) {
  const auto opened = open_log_file("/nonexistent-directory/x.log");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("/nonexistent-directory/x.log"));
}

std::string steps;

TEST_F(LogTest, HooksStandAroundTheLine) {
  steps.clear();
  set_log_hooks([] { steps += "before "; }, [] { steps += "after"; });
  stderr_of([] { log_info("x"); });
  EXPECT_EQ(steps, "before after");
}

TEST_F(LogTest, LinesOfSeveralThreadsStayWhole) {
  const std::string out = stderr_of([] {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i) log_info("0123456789");
      });
    }
  });
  std::istringstream lines(out);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(line.substr(23), " INFO     0123456789");
  }
  EXPECT_EQ(count, 800);
}

TEST(ParseLogLevel, TakesAnyCaseAndNamesTheLevels) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::debug);
  EXPECT_EQ(parse_log_level("Warning"), LogLevel::warning);
  EXPECT_EQ(parse_log_level("ERROR"), LogLevel::error);
  const auto parsed = parse_log_level("loud");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, HasSubstr("DEBUG, INFO, WARNING or ERROR"));
}

TEST_F(LogTest, AFileThatTakesNothingIsToldOnceUnlessSomebodyElseDoes) {
  ASSERT_TRUE(open_log_file("/dev/full").has_value());
  const std::string said = stderr_of([] {
    log_info("first");
    log_info("second");
  });
  EXPECT_THAT(said, ContainsRegex("first\n.* ERROR    cannot write the log file /dev/full: .*\n.*second\n$"));
  close_log_files();
  ASSERT_TRUE(open_log_file("/dev/full", LogLoss::told_elsewhere).has_value());
  EXPECT_THAT(stderr_of([] { log_info("third"); }), Not(HasSubstr("cannot write")));
}

}  // namespace
}  // namespace s3lt
