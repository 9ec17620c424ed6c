// The question before the load: does the endpoint answer, are we let in, is the bucket there? Blocks the
// calling thread; opens one connection.
#pragma once

#include "base/error.h"
#include "engine/plan.h"

namespace s3lt {

// Asks every endpoint until one answers (a dead one of many is the run's business, not a reason to stop).
// With `create_bucket` a missing bucket is made. Errors are sentences with culprit and remedy.
Result<void> preflight(const RunPlan& plan, bool create_bucket);

}  // namespace s3lt
