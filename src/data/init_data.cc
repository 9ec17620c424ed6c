#include "data/init_data.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/units.h"
#include "data/data_file.h"
#include "results/line_file.h"
#include "workload/content_pool.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t piece_size = 1 << 20;  // what a thread reads or writes at a time
constexpr auto progress_period = std::chrono::milliseconds(100);
constexpr std::string_view temporary_mark = ".tmp-";  // in the name of an unfinished file, before six letters

Error with_remedy(Error error, const fs::path& directory, std::uint64_t bytes) {
  error.message +=
      error.kind == ErrorKind::unavailable
          ? fmt::format("; make room for {} in {}, or name another directory with S3LOADTEST_DATA_DIR",
                        format_size(bytes), directory.string())
          : "; name a directory that can be written with S3LOADTEST_DATA_DIR";
  return error;
}

// A file that is being written, beside its place. Locked, so that nobody takes it for a leftover.
class TemporaryFile {
 public:
  TemporaryFile() = default;
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_ >= 0 && !done_) ::unlink(path_.c_str());
    if (fd_ >= 0) ::close(fd_);
  }

  // With all the room that it needs, where the file system can promise that.
  Result<void> create(const fs::path& target, std::uint64_t bytes) {
    target_ = target;
    // Another process may remove the new file as a leftover before it is locked.
    struct stat status{};
    do {
      if (fd_ >= 0) ::close(fd_);
      path_ = target.string() + std::string(temporary_mark) + "XXXXXX";
      fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
      if (fd_ < 0) return std::unexpected(system_failure("create", path_));
      if (::flock(fd_, LOCK_EX | LOCK_NB) != 0 || ::fchmod(fd_, 0644) != 0 || ::fstat(fd_, &status) != 0)
        return std::unexpected(system_failure("lock", path_));
    } while (status.st_nlink == 0);
    if (::fallocate(fd_, 0, 0, static_cast<off_t>(bytes)) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
      return std::unexpected(system_failure("write", target_));
    return {};
  }

  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::unexpected(system_failure("write", target_));
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      offset += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  // Its bytes are on the disk before its name is there.
  Result<void> put_in_place() {
    if (::fsync(fd_) != 0 || ::rename(path_.c_str(), target_.c_str()) != 0)
      return std::unexpected(system_failure("write", target_));
    done_ = true;
    return {};
  }

 private:
  fs::path target_;
  std::string path_;
  int fd_ = -1;
  bool done_ = false;
};

// Removes what calls that were killed have left. Whoever still writes holds a lock.
void remove_leftovers(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const std::size_t mark = name.rfind(temporary_mark);
    const bool ours = name.starts_with("data-") && mark != name.npos &&
                      name.size() == mark + temporary_mark.size() + 6 &&
                      std::string_view(name).substr(0, mark).ends_with(".bin");
    if (ours) found.push_back(at->path());
  }
  for (const fs::path& path : found) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) continue;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
    ::close(fd);
  }
}

// One file on its way to being good.
struct Work {
  explicit Work(std::uint64_t bytes) : file{.name = data_file_name(bytes), .bytes = bytes} {}
  ~Work() {
    if (fd >= 0) ::close(fd);
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  DataFile file;
  fs::path path;
  int fd = -1;                        // of the file that is there, to be verified
  std::atomic<bool> differs = false;  // it is not what it should be
  TemporaryFile temporary;
  std::atomic<std::uint64_t> left = 0;  // bytes to be written
};

struct Piece {
  Work* work;
  std::uint64_t offset, length;
};

class Initialiser {
 public:
  Initialiser(const fs::path& directory, const std::vector<std::uint64_t>& sizes,
              const std::function<void(const InitDataProgress&)>& progress, const std::atomic<bool>& stop)
      : directory_(directory), progress_(progress), stop_(stop) {
    for (const std::uint64_t bytes : sizes) {
      const bool known = std::ranges::any_of(works_, [&](const Work& w) { return w.file.bytes == bytes; });
      if (known) continue;
      Work& work = works_.emplace_back(bytes);
      work.path = directory / work.file.name;
    }
  }

  Result<std::vector<DataFile>> run();

 private:
  void look_at(Work& work);
  void verify(const Piece& piece, std::span<std::byte> scratch);
  void write(const Piece& piece, std::span<std::byte> scratch);
  Result<void> create_temporaries();
  Result<void> on_all_cores(const std::vector<Piece>& pieces,
                            void (Initialiser::*what)(const Piece&, std::span<std::byte>));
  std::vector<Piece> pieces(bool (*wanted)(const Work&)) const;
  void fail(Error error);

  const fs::path directory_;
  const std::function<void(const InitDataProgress&)>& progress_;
  const std::atomic<bool>& stop_;
  mutable std::deque<Work> works_;  // stay where they are
  std::atomic<std::uint64_t> done_ = 0;
  std::uint64_t total_ = 0;
  std::atomic<bool> ended_ = false;  // by an error
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> error_;
};

void Initialiser::look_at(Work& work) {
  struct stat status{};
  if (::lstat(work.path.c_str(), &status) != 0) {
    work.differs = true;
    return;
  }
  work.file.state = DataFile::State::replaced;  // unless it turns out to be good
  work.differs = static_cast<std::uint64_t>(status.st_size) != work.file.bytes || !S_ISREG(status.st_mode);
  if (work.differs) return;
  work.fd = ::open(work.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  work.differs = work.fd < 0;
}

void Initialiser::verify(const Piece& piece, std::span<std::byte> scratch) {
  if (piece.work->differs) return;
  if (!holds_stream(piece.work->fd, piece.offset, piece.length, scratch)) piece.work->differs = true;
}

void Initialiser::write(const Piece& piece, std::span<std::byte> scratch) {
  Work& work = *piece.work;
  const std::span<std::byte> bytes = scratch.first(piece.length);
  write_pool_bytes(piece.offset, bytes);
  if (auto written = work.temporary.write(piece.offset, bytes); !written)
    return fail(with_remedy(std::move(written.error()), directory_, work.file.bytes));
  if (work.left.fetch_sub(piece.length) != piece.length) return;
  if (auto placed = work.temporary.put_in_place(); !placed)
    fail(with_remedy(std::move(placed.error()), directory_, work.file.bytes));
}

void Initialiser::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  ended_ = true;
}

std::vector<Piece> Initialiser::pieces(bool (*wanted)(const Work&)) const {
  std::vector<Piece> out;
  for (Work& work : works_) {
    if (!wanted(work)) continue;
    for (std::uint64_t at = 0; at < work.file.bytes; at += piece_size)
      out.push_back({&work, at, std::min(piece_size, work.file.bytes - at)});
  }
  return out;
}

Result<void> Initialiser::on_all_cores(const std::vector<Piece>& pieces,
                                       void (Initialiser::*what)(const Piece&, std::span<std::byte>)) {
  for (const Piece& piece : pieces) total_ += piece.length;
  std::atomic<std::size_t> next = 0;
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::size_t running = std::min(cores, pieces.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = running; i > 0; --i) {
    threads.emplace_back([&] {
      std::vector<std::byte> scratch(piece_size);
      for (std::size_t at = next++; at < pieces.size() && !ended_ && !stop_; at = next++) {
        (this->*what)(pieces[at], scratch);
        done_ += pieces[at].length;
      }
      const std::lock_guard lock(mutex_);
      --running;
      changed_.notify_one();
    });
  }
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, progress_period, [&] { return running == 0; })) {
    lock.unlock();
    progress_({.done = done_, .total = total_});
    lock.lock();
  }
  if (error_) return std::unexpected(*error_);
  if (stop_) return unavailable("interrupted; call init-data again to go on");
  return {};
}

Result<void> Initialiser::create_temporaries() {
  for (Work& work : works_) {
    if (!work.differs) continue;
    if (work.file.state == DataFile::State::kept) work.file.state = DataFile::State::written;
    work.left = work.file.bytes;
    if (auto created = work.temporary.create(work.path, work.file.bytes); !created)
      return std::unexpected(with_remedy(std::move(created.error()), directory_, work.file.bytes));
  }
  return {};
}

Result<std::vector<DataFile>> Initialiser::run() {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) {
    errno = error.value();
    return std::unexpected(with_remedy(system_failure("create the directory", directory_), directory_, 0));
  }
  remove_leftovers(directory_);
  for (Work& work : works_) look_at(work);
  const auto there = pieces([](const Work& w) { return !w.differs.load(); });
  if (const auto verified = on_all_cores(there, &Initialiser::verify); !verified)
    return std::unexpected(verified.error());
  for (Work& work : works_) {
    if (!work.differs) work.file.state = DataFile::State::kept;
  }
  if (const auto created = create_temporaries(); !created) return std::unexpected(created.error());
  const auto missing = pieces([](const Work& w) { return w.differs.load(); });
  if (const auto written = on_all_cores(missing, &Initialiser::write); !written)
    return std::unexpected(written.error());
  progress_({.done = total_, .total = total_});
  // The names, too, are to be there after a power cut.
  if (const int fd = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
    (void)::fsync(fd);
    ::close(fd);
  }
  std::vector<DataFile> files;
  for (const Work& work : works_) files.push_back(work.file);
  return files;
}

}  // namespace

Result<std::vector<DataFile>> init_data(const fs::path& directory, const std::vector<std::uint64_t>& sizes,
                                        const std::function<void(const InitDataProgress&)>& progress,
                                        const std::atomic<bool>& stop) {
  return Initialiser(directory, sizes, progress, stop).run();
}

}  // namespace s3lt
