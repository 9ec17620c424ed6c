// s3loadtest cleanup: deletes what a tester left under a prefix (README, "Cleaning up").
#pragma once

#include <string>

#include "cli/run_flags.h"

namespace s3lt {

struct CleanupFlags {
  CommonFlags common;
  std::string prefix = "loadtest/";
  bool dry_run = false, versions = false, any_key = false, yes = false;
};

void add_cleanup_flags(CLI::App& app, CleanupFlags& flags);
int cleanup_command(const CleanupFlags& flags);

}  // namespace s3lt
