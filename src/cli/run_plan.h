// From settings and flags to the plan of a run.
#pragma once

#include "base/error.h"
#include "cli/run_flags.h"
#include "config/settings.h"
#include "engine/plan.h"

namespace s3lt {

// Reads the pattern, resolves the endpoints, builds the content pool. Every error names what to change.
Result<RunPlan> make_plan(const Settings& settings, const RunFlags& flags);

// Raises the soft limit of file descriptors as far as the plan needs; the error says how many are missing.
Result<void> raise_descriptor_limit(const RunPlan& plan);

}  // namespace s3lt
