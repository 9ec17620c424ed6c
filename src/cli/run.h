// s3loadtest run: a load, here, in the foreground.
#pragma once

#include "cli/run_flags.h"

namespace s3lt {

// Runs and reports; the exit status (README, "Exit status").
int run_command(const RunFlags& flags);

}  // namespace s3lt
