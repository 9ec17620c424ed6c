#include "data/mapped_pool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/units.h"
#include "data/data_file.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

// A mapped file is at the mercy of whoever may write to it: bytes that are changed in it change in the
// mapping, also in a private one, and where the file is cut the next touch is SIGBUS (or EFAULT from a send).
// Wrong bytes would be stored under our keys, and right ones be told as corrupt. So the file is mapped only
// under a read lease (fcntl(2), F_SETLEASE): the kernel grants it while nobody has the file open for writing,
// and holds up whoever opens or cuts it until we gave the lease back. Before we do, the mapping is replaced
// by the same bytes in memory, in one step that no reader notices. Where there are no leases (network file
// systems, files of other users) there is no mapping.
class LeasedFile {
 public:
  LeasedFile(fs::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  LeasedFile(const LeasedFile&) = delete;
  LeasedFile& operator=(const LeasedFile&) = delete;
  ~LeasedFile();

  // False, with errno, where there is none to be had. From then on nobody changes the file.
  bool take_lease();
  // Null, with errno, where it cannot be mapped.
  const std::byte* map(std::size_t size);

 private:
  void watch(const std::stop_token& stop);
  void leave_file();

  fs::path path_;
  int fd_;
  std::size_t size_ = 0;
  void *mapping_ = MAP_FAILED, *reserve_ = MAP_FAILED;
  bool leased_ = false;
  std::jthread watcher_;
};

// That a lease is to be given back. The default one, SIGIO, may be somebody else's.
int lease_signal() {
  return SIGRTMIN + 3;
}

sigset_t lease_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, lease_signal());
  return set;
}

bool LeasedFile::take_lease() {
  const sigset_t signals = lease_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // the watcher waits for it, nobody is interrupted
  leased_ = ::fcntl(fd_, F_SETSIG, lease_signal()) == 0 && ::fcntl(fd_, F_SETLEASE, F_RDLCK) == 0;
  return leased_;
}

const std::byte* LeasedFile::map(std::size_t size) {
  size_ = size;
  // Address space only: it must not be missing on the day when the file has to be left.
  reserve_ =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserve_ == MAP_FAILED) return nullptr;
  // Populated: no read of the load waits for a disk.
  mapping_ = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd_, 0);
  if (mapping_ == MAP_FAILED) return nullptr;
  watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  return static_cast<const std::byte*>(mapping_);
}

void LeasedFile::watch(const std::stop_token& stop) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const sigset_t signals = lease_signals();
  // The lease is looked at each time: a signal that was lost costs the other program a fraction of a second.
  const timespec period{0, 200'000'000};
  while (!stop.stop_requested()) {
    sigtimedwait(&signals, nullptr, &period);
    if (::fcntl(fd_, F_GETLEASE) != F_RDLCK) return leave_file();
  }
}

void LeasedFile::leave_file() {
  write_pool_bytes(0, {static_cast<std::byte*>(reserve_), size_});
  ::mprotect(reserve_, size_, PROT_READ);
  // Replaces the mapping; those who read meanwhile see the same bytes before and after.
  if (::mremap(reserve_, size_, size_, MREMAP_MAYMOVE | MREMAP_FIXED, mapping_) == MAP_FAILED) {
    log_error(fmt::format("{} is about to be changed, and its content cannot be kept: {}", path_.string(),
                          std::strerror(errno)));
    std::_Exit(3);  // better no load than wrong bytes
  }
  reserve_ = MAP_FAILED;
  ::fcntl(fd_, F_SETLEASE, F_UNLCK);
  leased_ = false;
  log_info(
      fmt::format("{} is about to be changed: the content comes from memory from here on", path_.string()));
}

LeasedFile::~LeasedFile() {
  if (watcher_.joinable()) {
    watcher_.request_stop();
    watcher_.join();
  }
  if (mapping_ != MAP_FAILED) ::munmap(mapping_, size_);
  if (reserve_ != MAP_FAILED) ::munmap(reserve_, size_);
  if (leased_) ::fcntl(fd_, F_SETLEASE, F_UNLCK);
  ::close(fd_);
}

// Null where the file cannot be taken; `problem` says why, but for one that is not there.
std::shared_ptr<const ContentPool> map_file(const fs::path& path, std::uint64_t bytes, std::size_t size,
                                            std::string& problem) {
  const auto refuse = [&](std::string_view why) {
    problem = fmt::format("{} {}", path.string(), why);
    return nullptr;
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return nullptr;
    return refuse(fmt::format("cannot be read ({})", std::strerror(errno)));
  }
  const auto file = std::make_shared<LeasedFile>(path, fd);
  if (!file->take_lease()) {
    return refuse(errno == EAGAIN ? "is open for writing"
                                  : fmt::format("cannot be kept from changes ({})", std::strerror(errno)));
  }
  struct stat status{};
  const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  if (!regular || static_cast<std::uint64_t>(status.st_size) != bytes) {
    return refuse("has another length than its name says; init-data replaces it");
  }
  std::vector<std::byte> scratch(1 << 20);
  if (!holds_stream(fd, 0, size, scratch))
    return refuse("holds other bytes than it should; init-data replaces it");
  const std::byte* mapped = file->map(size);
  if (mapped == nullptr) return refuse(fmt::format("cannot be mapped ({})", std::strerror(errno)));
  return std::make_shared<ContentPool>(std::span(mapped, size), file);
}

}  // namespace

OpenedPool open_pool(const fs::path& directory, std::uint64_t largest) {
  OpenedPool opened;
  const std::size_t size = ContentPool::size_for(largest);
  for (const std::uint64_t bytes : default_data_sizes) {
    if (bytes < size) continue;
    const fs::path path = directory / data_file_name(bytes);
    opened.pool = map_file(path, bytes, size, opened.problem);
    if (!opened.pool) continue;
    opened.file = path;
    return opened;
  }
  opened.pool = std::make_shared<const ContentPool>(size);
  return opened;
}

}  // namespace s3lt
