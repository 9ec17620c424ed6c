// The objectives of a run (--slo, --slo-abort), held against what the run does before it starts.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "cli/run_flags.h"
#include "engine/plan.h"
#include "results/slo.h"
#include "results/slo_watch.h"

namespace s3lt {

// What the patterns do; `flags` say whether they may meet objects of sizes that nobody knows yet.
std::vector<SloScope> slo_scopes(std::span<const PlannedPattern> patterns, const RunFlags& flags);

// Whether the run can have every figure that is asked for; the error shows the expression with a caret.
Result<void> check_slos(const RunFlags& flags, std::span<const PlannedPattern> patterns);

// What ends the run early; null without --slo-abort.
std::unique_ptr<SloWatch> watch_slos(const RunPlan& plan, const RunFlags& flags);

}  // namespace s3lt
