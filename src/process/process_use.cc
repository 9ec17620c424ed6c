#include "process/process_use.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace s3lt {
namespace {

// "VmHWM:     1234 kB" of /proc/PID/status, in bytes; 0 where there is none.
std::uint64_t peak_rss(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::strtoull(line.c_str() + 6, nullptr, 10) << 10;
  }
  return 0;
}

}  // namespace

// proc_pid_stat(5): the name may hold blanks and brackets, so fields are counted from its last ')'.
std::optional<ProcessUse> use_of_process(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t name_end = line.rfind(')');
  if (name_end == line.npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string state, skipped;
  fields >> state;
  if (state == "Z" || state == "X") return std::nullopt;
  for (int i = 4; i < 14; ++i) fields >> skipped;
  std::uint64_t user = 0, system = 0, start = 0;
  std::int64_t pages = 0;
  fields >> user >> system;
  for (int i = 16; i < 22; ++i) fields >> skipped;
  fields >> start >> skipped >> pages;
  if (!fields) return std::nullopt;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return ProcessUse{
      .cpu_seconds = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
      .rss_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(pages, 0)) * page,
      .peak_rss_bytes = peak_rss(pid),
      .start_ticks = start,
      .stopped = state == "T" || state == "t"};
}

}  // namespace s3lt
