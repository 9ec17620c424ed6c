#include "results/worker_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>

namespace s3lt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

class WorkerLockTest : public testing::Test {
 protected:
  WorkerLockTest() : directory(fs::path(testing::TempDir()) / ("locks-" + std::to_string(getpid()))) {}
  ~WorkerLockTest() override { fs::remove_all(directory); }

  Result<WorkerLock> take(const WorkerIdentity& wanted) {
    return WorkerLock::take(directory, wanted, wall_now());
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
  }
  fs::path directory;
  WorkerIdentity identity{.endpoints = {"http://a", "http://b"},
                          .bucket = "bkt",
                          .prefix = "loadtest/",
                          .worker = 3,
                          .pattern = "baseload"};
};

TEST_F(WorkerLockTest, ASecondRunIsToldWhoHoldsIt) {
  auto first = take(identity);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  first->note_run_directory("/logs/run");
  std::swap(identity.endpoints[0], identity.endpoints[1]);  // their order says nothing
  const auto second = take(identity);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::usage);
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr("worker 3 runs baseload under loadtest/ of bucket bkt already"),
                    HasSubstr("process " + std::to_string(getpid()) + ", since 20"),
                    HasSubstr("run directory /logs/run"), HasSubstr("--worker-id")));
}

TEST_F(WorkerLockTest, WhateverTellsKeysApartTellsRunsApart) {
  const auto first = take(identity);
  for (const auto& change : std::vector<std::function<void(WorkerIdentity&)>>{
           [](auto& other) { other.endpoints.pop_back(); }, [](auto& other) { other.bucket = "other"; },
           [](auto& other) { other.prefix = "other/"; }, [](auto& other) { other.worker = 30; },
           [](auto& other) { other.pattern = "spiky"; }}) {
    WorkerIdentity other = identity;
    change(other);
    const auto second = take(other);
    EXPECT_TRUE(second.has_value()) << second.error().message;
  }
}

TEST_F(WorkerLockTest, ItIsFreeAgainAtTheEndAndItsFileGone) {
  {
    const auto first = take(identity);
  }
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(take(identity).has_value());
}

TEST_F(WorkerLockTest, AFileThatACrashLeftHoldsNobody) {
  {
    const auto first = take(identity);
  }
  fs::path left;
  {
    const auto first = take(identity);
    left = fs::directory_iterator(directory)->path();
  }
  std::ofstream(left) << "4711\n2026-02-04T12:00:00Z\n/logs/gone\n";
  auto second = take(identity);
  ASSERT_TRUE(second.has_value()) << second.error().message;
  const auto third = take(identity);
  EXPECT_THAT(third.error().message, testing::Not(HasSubstr("4711")));
}

TEST_F(WorkerLockTest, APlaceThatCannotBeWrittenIsNamed) {
  const auto lock = WorkerLock::take("/proc/no-such-place", identity, wall_now());
  ASSERT_FALSE(lock.has_value());
  EXPECT_THAT(lock.error().message, AllOf(HasSubstr("/proc/no-such-place"), HasSubstr("S3LOADTEST_KEY_DIR")));
}

}  // namespace
}  // namespace s3lt
