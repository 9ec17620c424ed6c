// What the kernel says of CPU time: of the calling thread, and of the machine. System calls and reads of
// /proc: once a second, not for the path of a request.
#pragma once

#include <optional>
#include <string_view>

#include "measure/client_use.h"

namespace s3lt {

// Seconds since the thread began.
struct ThreadTimes {
  double cpu = 0;        // user and system
  double run_queue = 0;  // ready to run, but no CPU did; 0 where the kernel does not say
};

// Reads the times of the thread that made it. Used by that thread only.
class ThreadClock {
 public:
  ThreadClock();
  ~ThreadClock();
  ThreadClock(const ThreadClock&) = delete;
  ThreadTimes read() const;

 private:
  int schedstat_ = -1;  // stays open
};

// Nanoseconds on the run queue from a schedstat file: "<on a CPU> <waiting> <timeslices>".
std::optional<double> run_queue_seconds(std::string_view schedstat);

// Seconds since the machine began; none where /proc/stat cannot be read.
std::optional<HostUse> host_times();
// The same from the text of /proc/stat, whose values are in ticks.
std::optional<HostUse> parse_host_times(std::string_view stat, double ticks_per_second);

}  // namespace s3lt
