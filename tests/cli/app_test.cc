#include "cli/app.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "workload/pattern.h"

namespace s3lt {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Ended {
  int status = -1;
  std::string out, err;
};
Ended call(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "s3loadtest");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  Ended ended;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  ended.status = run_app(static_cast<int>(argv.size()), argv.data());
  ended.out = testing::internal::GetCapturedStdout();
  ended.err = testing::internal::GetCapturedStderr();
  return ended;
}

TEST(App, ABareCallPrintsTheHelpAndSucceeds) {
  const Ended ended = call({});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("run PATTERN|FILE"), HasSubstr("patterns"), HasSubstr("serve")));
  EXPECT_EQ(ended.err, "");
}

TEST(App, VersionIsOneLine) {
  const Ended ended = call({"--version"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, testing::MatchesRegex("s3loadtest [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(App, EachCommandHasAHelpOfItsOwnWithDefaults) {
  EXPECT_THAT(call({"run", "--help"}).out, AllOf(HasSubstr("--max-bytes"), HasSubstr("20GiB")));
  EXPECT_THAT(call({"serve", "--help"}).out, HasSubstr("--listen"));
  EXPECT_EQ(call({"patterns", "--help"}).status, 0);
}

TEST(App, UnknownCommandsFlagsAndPatternsNameTheNearest) {
  for (const auto& [arguments, said] : {std::pair{std::vector<std::string>{"rnu", "baseload"}, "\"run\"?"},
                                        {{"run", "baseload", "--duraton", "5s"}, "\"--duration\"?"},
                                        {{"serve", "--lisen", "x"}, "\"--listen\"?"},
                                        {{"patterns", "show", "baselaod"}, "\"baseload\"?"}}) {
    const Ended ended = call(arguments);
    EXPECT_EQ(ended.status, 2) << said;
    EXPECT_EQ(ended.out, "") << said;
    EXPECT_THAT(ended.err, HasSubstr(said));
  }
}

TEST(App, OptionsMayStandBeforeTheWords) {
  // The flag's own mistake shows that it reached `run`, wherever it stands.
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--duration", "5x", "run", "baseload"},
        {"run", "--duration", "5x", "baseload"},
        {"run", "baseload", "--duration=5x"},
        {"--json", "run", "baseload", "--duration", "5x"}}) {
    const Ended ended = call(arguments);
    EXPECT_EQ(ended.status, 2);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("--duration"), HasSubstr("\"5x\"")));
  }
}

TEST(App, PatternsAreListedAndShown) {
  const Ended listed = call({"patterns", "list"});
  EXPECT_EQ(listed.status, 0);
  EXPECT_THAT(listed.out, testing::ContainsRegex("^Patterns that `all` means:\n  baseload  +[a-z]"));
  EXPECT_THAT(listed.out,
              testing::ContainsRegex("\n  listops  [^\n]+\n\nExtras, outside of `all`:\n  firehose  "));
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  for (const std::string_view name : builtin_pattern_names()) {
    const Ended shown = call({"patterns", "show", std::string(name)});
    EXPECT_EQ(shown.status, 0);
    EXPECT_EQ(shown.out, builtin_pattern_text(name));
    EXPECT_THAT(listed.out, HasSubstr(fmt::format("\n  {} ", name)));
  }
  EXPECT_EQ(call({"patterns", "shwo", "baseload"}).status, 2);
}

TEST(App, RunNeedsOnePattern) {
  EXPECT_THAT(call({"run"}).err, HasSubstr("needs a pattern"));
  EXPECT_EQ(call({"run", "a", "b"}).status, 2);
}

}  // namespace
}  // namespace s3lt
