// What this machine lets a process have, against what a run needs. Called before a run starts, by its one
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"

namespace s3lt {

struct RunNeeds {
  std::uint64_t clients = 0, endpoints = 1;  // endpoints: that each client uses
  std::uint64_t busy = 0, kept = 0;          // connections: that carry requests at once; and with idle ones
  unsigned threads = 1;
  bool tls = false;
  std::uint64_t pool_bytes = 0;  // of the content
};

// Raises the soft limit of file descriptors as far as the run needs. How many connections may be open at once
// where not all can be kept that the run would keep; 0: they can. The error says how many descriptors are
// missing to those that are busy.
Result<std::uint64_t> raise_descriptor_limit(const RunNeeds& needs);

// Compares an estimate with what is left of the machine's memory, the limits of its memory cgroups and
// RLIMIT_AS; the error says which it is. `most_connections` as raise_descriptor_limit() gave it.
Result<void> check_memory(const RunNeeds& needs, std::uint64_t most_connections);

// Clients of a pattern, and the largest body that one of them has under way.
struct BodiesUnderWay {
  std::uint64_t clients = 0, largest = 0;
};
// Compares what s3pool keeps of whole bodies with what is left of memory; the error names the --concurrency
// that fits.
Result<void> check_memory_of_s3pool(const std::vector<BodiesUnderWay>& bodies);
// It has a descriptor for each client, and one to the storage.
Result<void> check_descriptors_of_s3pool(std::uint64_t clients);

// From here on, memory that cannot be had ends the program with a sentence and status 3.
void end_when_out_of_memory();

}  // namespace s3lt
