// s3loadtest init-data: writes the data files, in the foreground.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/log.h"
#include "cli/run_flags.h"

namespace s3lt {

struct InitDataFlags {
  CommonFlags common;
  std::vector<std::uint64_t> sizes;  // empty: the default ones
  std::optional<LogLevel> log_level;
};

void add_init_data_flags(CLI::App& app, InitDataFlags& flags);
int init_data_command(const InitDataFlags& flags);  // the exit status

}  // namespace s3lt
