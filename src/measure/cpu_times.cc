#include "measure/cpu_times.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <string>

namespace s3lt {
namespace {

// The next number after blanks; moves behind it.
std::optional<double> next_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return static_cast<double>(number);
}

double seconds_of(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

}  // namespace

ThreadClock::ThreadClock() : schedstat_(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
ThreadClock::~ThreadClock() {
  if (schedstat_ >= 0) ::close(schedstat_);
}

ThreadTimes ThreadClock::read() const {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  ThreadTimes times{.cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime)};
  if (schedstat_ < 0) return times;
  std::array<char, 128> text;
  const ssize_t n = ::pread(schedstat_, text.data(), text.size(), 0);
  if (n > 0) times.run_queue = run_queue_seconds({text.data(), static_cast<std::size_t>(n)}).value_or(0);
  return times;
}

std::optional<double> run_queue_seconds(std::string_view schedstat) {
  if (!next_number(schedstat)) return std::nullopt;
  const auto nanoseconds = next_number(schedstat);
  if (!nanoseconds) return std::nullopt;
  return *nanoseconds / 1e9;
}

std::optional<HostUse> host_times() {
  std::ifstream file("/proc/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return parse_host_times(line, static_cast<double>(sysconf(_SC_CLK_TCK)));
}

// proc(5): cpu user nice system idle iowait irq softirq steal guest guest_nice; guests are in user and nice.
std::optional<HostUse> parse_host_times(std::string_view stat, double ticks_per_second) {
  if (!stat.starts_with("cpu ")) return std::nullopt;
  stat.remove_prefix(3);
  std::array<double, 8> ticks{};
  for (double& value : ticks) {
    const auto number = next_number(stat);
    if (!number) return std::nullopt;
    value = *number / ticks_per_second;
  }
  const auto& [user, nice, system, idle, iowait, irq, softirq, steal] = ticks;
  return HostUse{.used = user + nice + system + irq + softirq, .stolen = steal, .idle = idle + iowait};
}

}  // namespace s3lt
