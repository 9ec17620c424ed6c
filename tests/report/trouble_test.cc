#include "report/trouble.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

Snapshot with(OperationKind kind, Outcome outcome, std::uint64_t n, std::uint64_t attempts, int status,
              std::string code) {
  Snapshot total;
  Counters& c = total.cells[{"baseload", kind, "1KB"}].counters;
  c.count = c.attempts = attempts;
  c.outcomes[static_cast<std::size_t>(outcome)] = n;
  total.errors.push_back({.outcome = outcome, .status = status, .code = std::move(code)});
  return total;
}

TEST(StorageTrouble, NamesAFullStorageAtTheFirstRefusal) {
  EXPECT_EQ(
      storage_trouble(with(OperationKind::put, Outcome::full, 1'312, 500'000, 507, "InsufficientStorage")),
      "the storage is full: 1,312 writes were refused with 507 InsufficientStorage");
  EXPECT_EQ(storage_trouble(with(OperationKind::put, Outcome::full, 1, 500'000, 403, "QuotaExceeded")),
            "the storage is full: 1 write was refused with 403 QuotaExceeded");
  EXPECT_EQ(storage_trouble(with(OperationKind::put, Outcome::full, 2, 500'000, 507, "")),
            "the storage is full: 2 writes were refused with 507");
}

TEST(StorageTrouble, NamesThrottlingFromOneAttemptInTenOn) {
  EXPECT_EQ(storage_trouble(with(OperationKind::get, Outcome::throttled, 99, 1000, 503, "SlowDown")), "");
  EXPECT_EQ(storage_trouble(with(OperationKind::get, Outcome::throttled, 100, 1000, 503, "SlowDown")),
            "the storage throttled: 100 of 1,000 attempts were answered with 503 SlowDown");
}

TEST(StorageTrouble, NamesBothAndEveryAnswer) {
  Snapshot total = with(OperationKind::put, Outcome::full, 10, 20, 507, "XMinioStorageFull");
  total.append(with(OperationKind::get, Outcome::throttled, 30, 40, 503, "SlowDown"));
  total.append(with(OperationKind::get, Outcome::throttled, 10, 20, 429, ""));
  EXPECT_EQ(storage_trouble(total),
            "the storage is full: 10 writes were refused with 507 XMinioStorageFull; the storage throttled: "
            "40 of 80 attempts were answered with 429 or 503 SlowDown");
}

TEST(StorageTrouble, HasNothingToSayOfOtherErrors) {
  EXPECT_EQ(storage_trouble(with(OperationKind::get, Outcome::reset, 900, 1000, 0, "")), "");
  EXPECT_EQ(storage_trouble({}), "");
}

}  // namespace
}  // namespace s3lt
