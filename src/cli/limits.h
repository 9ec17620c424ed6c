// What this machine lets a process have, against what a run needs. Called before a run starts, by its one
// thread.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace s3lt {

struct RunNeeds {
  std::uint64_t clients = 0, endpoints = 1;  // each client keeps a connection to every endpoint
  unsigned threads = 1;
  bool tls = false;
  std::uint64_t pool_bytes = 0;  // of the content
};

// Raises the soft limit of file descriptors as far as the run needs; the error says how many are missing.
Result<void> raise_descriptor_limit(const RunNeeds& needs);

// Compares an estimate with what is left of the machine's memory, the limits of its memory cgroups and
// RLIMIT_AS; the error says which it is.
Result<void> check_memory(const RunNeeds& needs);

// From here on, memory that cannot be had ends the program with a sentence and status 3.
void end_when_out_of_memory();

}  // namespace s3lt
