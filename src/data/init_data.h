// Writes the data files (data/data_file.h) and verifies those that are there.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace s3lt {

struct DataFile {
  enum class State : std::uint8_t { kept, written, replaced };
  std::string name;
  std::uint64_t bytes = 0;
  State state = State::kept;  // replaced: one of this name was there, with other bytes
};

struct InitDataProgress {
  std::uint64_t done = 0, total = 0;  // bytes that were looked at or written, and all of them
};

// Every file is good or was not touched: it is written beside its place, synced and renamed. Files that are
// good are kept, so that a call goes on where one that was killed left off; what that one left unfinished
// beside them is removed (but not what another process is writing just now). Works on all cores. `progress`
// is called ten times a second by the caller's thread. `stop`, once set, ends it with an error. Errors say
// the file, the reason and what to do.
Result<std::vector<DataFile>> init_data(const std::filesystem::path& directory,
                                        const std::vector<std::uint64_t>& sizes,
                                        const std::function<void(const InitDataProgress&)>& progress,
                                        const std::atomic<bool>& stop);

}  // namespace s3lt
