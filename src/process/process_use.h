// What a process of this machine uses, and which one it is: a pid alone may have passed to another. From
// /proc. Pure reads, thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace s3lt {

struct ProcessUse {
  double cpu_seconds = 0;  // user and system, of all its threads
  std::uint64_t rss_bytes = 0, peak_rss_bytes = 0;
  std::uint64_t start_ticks = 0;  // since the machine's start: with the pid, which process it is
  bool stopped = false;           // state T: by SIGSTOP or the like, or by a debugger
};

// Nothing where there is no such process (a zombie is none).
std::optional<ProcessUse> use_of_process(pid_t pid);

}  // namespace s3lt
