#include "results/line_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace s3lt {
namespace fs = std::filesystem;
namespace {

// False, with errno, where not everything was written.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

fs::path beside(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.{}", path.filename().string(), getpid());
}

}  // namespace

Error system_failure(std::string_view what, const fs::path& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return {full ? ErrorKind::unavailable : ErrorKind::usage,
          fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno))};
}

LineFile::~LineFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> LineFile::open(const fs::path& path) {
  path_ = path;
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) return std::unexpected(system_failure("create", path));
  flock(fd_,
        LOCK_EX | LOCK_NB);  // who reads meanwhile may want to know; file systems without locks do as well
  return {};
}

void LineFile::remove() {
  if (fd_ < 0) return;
  ::close(std::exchange(fd_, -1));
  ::unlink(path_.c_str());
}

Result<void> LineFile::write(std::string_view lines) {
  if (write_all(fd_, lines)) {
    size_ += static_cast<off_t>(lines.size());
    return {};
  }
  Error error = system_failure("write", path_);
  // Half a line would spoil the lines that are there.
  if (ftruncate(fd_, size_) != 0)
    error.message += fmt::format(" (its last line may be cut: {})", std::strerror(errno));
  return std::unexpected(std::move(error));
}

bool is_being_written(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return locked;
}

Result<void> write_atomically(const fs::path& path, std::string_view text) {
  const fs::path draft = beside(path);
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return std::unexpected(system_failure("create", path));
  // Synced, so that after a power cut the name does not stand for an empty file.
  const bool written = write_all(fd, text) && fsync(fd) == 0;
  const int why = errno;
  ::close(fd);
  errno = why;
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    Error error = system_failure("write", path);
    ::unlink(draft.c_str());
    return std::unexpected(std::move(error));
  }
  return {};
}

Result<void> replace_link(const fs::path& link, const fs::path& target, std::string_view suffix) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(link, ignored);
  if (fs::exists(status) && !fs::is_symlink(status)) {
    const fs::path kept = link.string() + ".before-" + std::string(suffix);
    if (::rename(link.c_str(), kept.c_str()) != 0) return std::unexpected(system_failure("move aside", link));
  }
  const fs::path draft = beside(link);
  ::unlink(draft.c_str());
  if (::symlink(target.c_str(), draft.c_str()) != 0)
    return std::unexpected(system_failure("create the link", link));
  if (::rename(draft.c_str(), link.c_str()) != 0) {
    Error error = system_failure("replace the link", link);
    ::unlink(draft.c_str());
    return std::unexpected(std::move(error));
  }
  return {};
}

}  // namespace s3lt
