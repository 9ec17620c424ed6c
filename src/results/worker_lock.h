// One run of a worker's pattern at a time on a machine: a lock file that names the process that holds it. The
// kernel frees it when that process ends, however it ends. Several processes of a worker may run different
// patterns. Used by one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace s3lt {

// Whose keys they are: what two runs must not share.
struct WorkerIdentity {
  std::vector<std::string> endpoints;  // URLs, in any order
  std::string bucket, prefix;
  unsigned worker = 0;
  std::string pattern;
};

class WorkerLock {
 public:
  // Makes `directory` where it is missing. The error names the run that holds the lock, or why the file
  // cannot be made.
  static Result<WorkerLock> take(const std::filesystem::path& directory, const WorkerIdentity& identity,
                                 WallTime started);
  // The holder before this one, if it did not end in order: "process 4711, since …", and its run directory
  // (empty: it had none yet). Both empty where nobody was left.
  const std::string& unfinished_holder() const { return unfinished_holder_; }
  const std::filesystem::path& unfinished_directory() const { return unfinished_directory_; }
  // For the message to others.
  void note_run_directory(const std::filesystem::path& path);

  WorkerLock(WorkerLock&& other) noexcept;
  WorkerLock& operator=(WorkerLock&&) = delete;
  ~WorkerLock();  // takes the file away

 private:
  WorkerLock() = default;
  void write(const std::string& run_directory) const;
  std::filesystem::path path_, unfinished_directory_;
  std::string unfinished_holder_;
  int fd_ = -1;
  WallTime started_{};
};

}  // namespace s3lt
