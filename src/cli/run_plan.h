// From settings and flags to the plan of a run.
#pragma once

#include <filesystem>
#include <memory>

#include "base/error.h"
#include "cli/run_flags.h"
#include "config/settings.h"
#include "engine/plan.h"

namespace s3lt {

// The patterns of the run with their clients; reads the pattern file where one is meant.
Result<std::vector<PlannedPattern>> plan_patterns(const RunFlags& flags);

// The content pool for objects of up to `largest` bytes: a good data file, or built in memory. Logs which.
std::shared_ptr<const ContentPool> take_pool(const std::filesystem::path& directory, std::uint64_t largest);

// How to speak to the storage: all but where it is (endpoints).
Result<RunPlan> plan_access(const Settings& settings);
// Where the storage is and how to speak to it, with no load: endpoints resolved, TLS and credentials ready.
// Straight to it, also with backend proxy.
Result<RunPlan> plan_storage(const Settings& settings);

// The same for a run, through s3pool with backend proxy; the content pool, raises the limit of file
// descriptors as far as the run needs. Every error names what to change.
Result<RunPlan> make_plan(const Settings& settings, const RunFlags& flags,
                          std::vector<PlannedPattern> patterns);

// Whether an s3pool of ours may have the memory and descriptors that the plan's clients and sizes need.
Result<void> check_limits_of_s3pool(const RunFlags& flags, const RunPlan& plan);

}  // namespace s3lt
