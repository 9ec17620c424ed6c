#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace s3lt {
namespace {

constexpr Duration patience_at_the_end = std::chrono::seconds(2);

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int open_output(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// In the child, where nothing but system calls is safe. What goes wrong goes through the pipe.
[[noreturn]] void become(char* const* command, char* const* environment, const char* directory, pid_t parent,
                         int orphan_signal, int in, int out, int err, int report) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, orphan_signal);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGINT, SIGTERM, SIGPIPE}) ::signal(number, SIG_DFL);
  const bool there = *directory == '\0' || ::chdir(directory) == 0;
  if (there && ::getppid() == parent && ::dup2(in, 0) >= 0 && ::dup2(out, 1) >= 0 && ::dup2(err, 2) >= 0)
    ::execve(command[0], command, environment);
  const int reason = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &reason, sizeof reason);
  ::_exit(127);
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::unexpected<Error> cannot(std::string_view what, const std::filesystem::path& path, int reason) {
  return unavailable(fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(reason)));
}

}  // namespace

Result<Child> Child::start(const ChildOptions& options) {
  const Descriptor in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const bool given = options.output >= 0;
  const Descriptor out(given ? -1 : open_output(options.out));
  if (!given && out.get() < 0) return cannot("write", options.out, errno);
  const Descriptor err(given ? -1 : open_output(options.err));
  if (!given && err.get() < 0) return cannot("write", options.err, errno);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return cannot("start", options.command.at(0), errno);
  const Descriptor heard(ends[0]);
  std::optional<Descriptor> told(ends[1]);

  std::vector<std::string> command = options.command, environment;
  for (const auto& [name, value] : options.environment)
    environment.push_back(fmt::format("{}={}", name, value));
  const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid < 0) return cannot("start", options.command[0], errno);
  if (pid == 0) {
    become(arguments.data(), variables.data(), options.directory.c_str(), parent, options.orphan_signal,
           in.get(), given ? options.output : out.get(), given ? options.output : err.get(), told->get());
  }
  Child child(pid);
  told.reset();
  int reason = 0;
  // The pipe closes without a word where the program was there.
  ssize_t n = 0;
  while ((n = ::read(heard.get(), &reason, sizeof reason)) < 0 && errno == EINTR) {
  }
  if (n == sizeof reason) return cannot("start", options.command[0], reason);
  return child;
}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

Child::~Child() {
  if (pid_ > 0) end(patience_at_the_end);
}

std::optional<int> Child::status() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_status(status);
  return status_;
}

std::optional<int> Child::wait(TimePoint deadline) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  while (!status()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now());
    if (left.count() <= 0) return {};
    // A kernel without such descriptors is asked now and then.
    pollfd ended{process.get(), POLLIN, 0};
    const int most = process.get() < 0 ? 20 : 1000;
    ::poll(&ended, process.get() < 0 ? 0 : 1, static_cast<int>(std::min<std::int64_t>(left.count(), most)));
  }
  return status_;
}

// The session's group: it may be a script that waits for what it started.
void Child::signal(int number) {
  if (!status()) ::kill(-pid_, number);
}

int Child::end(Duration patience) {
  signal(SIGTERM);
  if (const auto ended = wait(now() + patience)) return *ended;
  signal(SIGKILL);
  while (!wait(now() + patience)) {
  }
  return *status_;
}

}  // namespace s3lt
