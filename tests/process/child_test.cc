#include "process/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace s3lt {
namespace {

namespace fs = std::filesystem;

class ChildTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "s3loadtest-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }
  ChildOptions shell(const std::string& script) const {
    return {.command = {"/bin/sh", "-c", script},
            .environment = {{"PATH", "/usr/bin:/bin"}, {"GREETING", "hello there"}},
            .out = root / "out",
            .err = root / "err"};
  }
  std::string text_of(const char* file) const {
    std::ostringstream text;
    text << std::ifstream(root / file).rdbuf();
    return text.str();
  }
  // Until it has said so in its output.
  void await_output(const std::string& word) const {
    const TimePoint deadline = now() + std::chrono::seconds(10);
    while (text_of("out").find(word) == std::string::npos) ASSERT_LT(now(), deadline) << "no " << word;
  }
  static TimePoint soon() { return now() + std::chrono::seconds(10); }
  fs::path root;
};

TEST_F(ChildTest, EndsWithItsStatusAndLeavesWhatItSaid) {
  auto child = Child::start(shell("echo $GREETING $HOME; echo oh >&2; exit 7"));
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->wait(soon()), 7);
  EXPECT_EQ(text_of("out"), "hello there\n") << "nothing is inherited";
  EXPECT_EQ(text_of("err"), "oh\n");
}

TEST_F(ChildTest, RunsUntilItIsEnded) {
  auto child = Child::start(shell("trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done"));
  ASSERT_TRUE(child) << child.error().message;
  await_output("ready");
  EXPECT_EQ(child->status(), std::nullopt);
  EXPECT_EQ(child->end(std::chrono::seconds(10)), 3);
  EXPECT_EQ(child->status(), 3);
}

TEST_F(ChildTest, IsKilledWhereItDoesNotEnd) {
  auto child = Child::start(shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
  ASSERT_TRUE(child) << child.error().message;
  await_output("ready");
  EXPECT_EQ(child->end(std::chrono::milliseconds(100)), 128 + SIGKILL);
}

TEST_F(ChildTest, GoesWithItsObject) {
  pid_t pid = 0;
  {
    auto child = Child::start(shell("echo ready; while :; do sleep 0.05; done"));
    ASSERT_TRUE(child) << child.error().message;
    pid = child->pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(ChildTest, AProgramThatIsNotThereIsAnErrorWithTheReason) {
  ChildOptions options = shell("");
  options.command = {"/nowhere/s3pool"};
  const auto child = Child::start(options);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "cannot start /nowhere/s3pool: No such file or directory");
}

TEST_F(ChildTest, AnOutputThatCannotBeWrittenIsNamed) {
  ChildOptions options = shell("exit 0");
  options.err = root / "nowhere" / "err";
  const auto child = Child::start(options);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "cannot write " + options.err.string() + ": No such file or directory");
}

}  // namespace
}  // namespace s3lt
