#include "process/s3pool_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace s3lt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class S3poolLogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "s3loadtest-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
    auto opened = S3poolLog::open(root / "logs" / "s3pool.log", {"hunter2secret", "AKEY"});
    ASSERT_TRUE(opened) << opened.error().message;
    log.emplace(std::move(*opened));
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void child_says(const std::string& text) {
    ASSERT_EQ(::write(log->child_end(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    log->read();
  }
  std::string file() const {
    std::ostringstream text;
    text << std::ifstream(root / "logs" / "s3pool.log").rdbuf();
    return text.str();
  }
  std::filesystem::path root;
  std::optional<S3poolLog> log;
};

TEST_F(S3poolLogTest, KeepsWhatWasSaidWithoutSecretsAndColours) {
  child_says("\x1b[2mtime\x1b[0m \x1b[31mERROR\x1b[0m key AKEY with hunter2secret, hunter2secret\nhalf a li");
  child_says("ne\n");
  EXPECT_EQ(file(), "time ERROR key *** with ***, ***\nhalf a line\n");
  log->note("started as process 1");
  EXPECT_THAT(file(), HasSubstr("Z s3loadtest: started as process 1\n"));
}

TEST_F(S3poolLogTest, KnowsTheLastWordsOfAProgramThatDied) {
  child_says(
      "something else\nError: Failed to bind to 127.0.0.1:1\n\nCaused by:\n    Permission denied (os error "
      "13)");
  log->close_child_end();
  log->read();
  EXPECT_EQ(log->fd(), -1);
  EXPECT_EQ(log->last_words(), "Error: Failed to bind to 127.0.0.1:1: Permission denied (os error 13)");
}

TEST_F(S3poolLogTest, TellsWhichEndpointsWereGivenUp) {
  child_says(
      "2026-01-01T00:00:00.000000Z  WARN s3pool::core: backend marked unhealthy after connect failure "
      "backend=http://127.0.0.1:9 health=30\n"
      "2026-01-01T00:00:00.000000Z  WARN s3pool::core: backend unhealthy backend=http://b:1 health=20 "
      "failures=4\n"
      "2026-01-01T00:00:00.000000Z ERROR s3pool::proxy::server: no_healthy_backend_after_retries\n");
  EXPECT_THAT(log->take_given_up(), ElementsAre("http://127.0.0.1:9", "http://b:1"));
  EXPECT_TRUE(log->take_given_up().empty());
}

TEST_F(S3poolLogTest, OurOwnLinesAreNoneOfItsWords) {
  const auto path = root / "logs" / "s3pool.log";
  EXPECT_FALSE(s3pool_wrote(root / "nowhere"));
  log->note("started as process 1");
  EXPECT_FALSE(s3pool_wrote(path));
  child_says("\nError: no\n");
  EXPECT_TRUE(s3pool_wrote(path));
  log->note("started as process 2");
  child_says("\n");
  EXPECT_FALSE(s3pool_wrote(path)) << "of the one before";
}

}  // namespace
}  // namespace s3lt
