// The content pool of a run: a good data file, mapped, or the same bytes built in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "workload/content_pool.h"

namespace s3lt {

struct OpenedPool {
  std::shared_ptr<const ContentPool> pool;
  std::filesystem::path file;  // mapped; empty: the pool was built in memory
  std::string problem;         // with a file that could not be taken: which, and why
};

// A pool for objects of up to `largest` bytes. Takes the smallest good data file in `directory` that is large
// enough; where there is none, builds the pool. Never fails, and a pool's bytes are the stream's whatever
// becomes of the file later. Blocks a signal in the calling thread: to be called before others are started.
OpenedPool open_pool(const std::filesystem::path& directory, std::uint64_t largest);

}  // namespace s3lt
