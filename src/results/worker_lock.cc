#include "results/worker_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/encoding.h"
#include "results/line_file.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view other_place = "; choose a place that can be written with S3LOADTEST_KEY_DIR";

std::unexpected<Error> no_lock_file(const fs::path& path) {
  Error error = system_failure("make the lock file", path);
  error.message += other_place;
  return std::unexpected(std::move(error));
}

fs::path lock_path(const fs::path& directory, const WorkerIdentity& identity) {
  std::vector<std::string> endpoints = identity.endpoints;
  std::ranges::sort(endpoints);
  const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}", fmt::join(endpoints, ","), identity.bucket,
                                       identity.prefix, identity.worker, identity.pattern);
  return directory / fmt::format("s3loadtest-{:016x}.lock", hash64(text));
}

// Readable is enough to lock: the file may be one that another user's run left.
int open_lock_file(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd >= 0 || errno != EACCES) return fd;
  const int readable = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (readable < 0) errno = EACCES;  // where there is none, it is the directory that cannot be written
  return readable;
}

// Whether the name still stands for this file: its last holder may just have taken it away.
bool is_still(const fs::path& path, int fd) {
  struct stat here{}, there{};
  return ::fstat(fd, &here) == 0 && ::stat(path.c_str(), &there) == 0 && here.st_ino == there.st_ino &&
         here.st_dev == there.st_dev;
}

// What a holder wrote of itself; empty where it had no time to.
struct Holder {
  std::string process, since, run_directory;
  std::string text() const { return fmt::format("process {}, since {}", process, since); }
};

Holder read_holder(int fd) {
  std::array<char, 4200> buffer;
  const ssize_t size = ::pread(fd, buffer.data(), buffer.size(), 0);
  std::string_view rest(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  std::array<std::string, 3> lines;
  for (std::string& line : lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {std::move(lines[0]), std::move(lines[1]), std::move(lines[2])};
}

// "process 4711, since 2026-02-04T12:00:00Z, run directory /logs/…", as far as its holder wrote it.
std::string name_holder(int fd) {
  const Holder holder = read_holder(fd);
  if (holder.process.empty()) return "another process";
  return holder.text() +
         (holder.run_directory.empty() ? "" : fmt::format(", run directory {}", holder.run_directory));
}

}  // namespace

Result<WorkerLock> WorkerLock::take(const fs::path& directory, const WorkerIdentity& identity,
                                    WallTime started) {
  const fs::path path = lock_path(directory, identity);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    errno = error.value();
    return no_lock_file(path);
  }
  for (;;) {
    const int fd = open_lock_file(path);
    if (fd < 0) return no_lock_file(path);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const bool held = errno == EWOULDBLOCK;
      const auto failed = no_lock_file(path);
      const std::string whose = held ? name_holder(fd) : "";
      ::close(fd);
      if (!held) return failed;
      return usage_error(fmt::format(
          "worker {} runs {} under {} of bucket {} already ({}); give this run another --worker-id, or wait "
          "until that one has ended",
          identity.worker, identity.pattern, identity.prefix, identity.bucket, whose));
    }
    if (is_still(path, fd)) {
      WorkerLock lock;
      lock.path_ = path;
      lock.fd_ = fd;
      lock.started_ = started;
      // Who ends in order takes the file away.
      if (const Holder before = read_holder(fd); !before.process.empty()) {
        lock.unfinished_holder_ = before.text();
        lock.unfinished_directory_ = before.run_directory;
      }
      lock.write({});
      return lock;
    }
    ::close(fd);
  }
}

WorkerLock::WorkerLock(WorkerLock&& other) noexcept
    : path_(std::move(other.path_)),
      unfinished_directory_(std::move(other.unfinished_directory_)),
      unfinished_holder_(std::move(other.unfinished_holder_)),
      fd_(std::exchange(other.fd_, -1)),
      started_(other.started_) {}

WorkerLock::~WorkerLock() {
  if (fd_ < 0) return;
  ::unlink(path_.c_str());  // before it is unlocked: whoever locks it now sees that it is gone
  ::close(fd_);
}

void WorkerLock::note_run_directory(const fs::path& path) {
  std::error_code ignored;
  write(fs::absolute(path, ignored).lexically_normal().string());
}

// A full disk costs the others' message its details, and nothing else.
void WorkerLock::write(const std::string& run_directory) const {
  const std::string text = fmt::format("{}\n{}\n{}\n", ::getpid(), format_rfc3339(started_), run_directory);
  if (::ftruncate(fd_, 0) != 0) return;
  if (::pwrite(fd_, text.data(), text.size(), 0) < 0) return;
}

}  // namespace s3lt
