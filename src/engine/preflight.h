// The question before the load: does the endpoint answer, are we let in, is the bucket there? Blocks the
// calling thread; opens a connection to every endpoint.
#pragma once

#include "base/error.h"
#include "engine/plan.h"

namespace s3lt {

// Asks all endpoints at once; the first that answers decides (a dead one of many is the run's business, not a
// reason to stop). With `create_bucket` a missing bucket is made. A storage that is throttling or in trouble
// is no error either. Errors are sentences with culprit and remedy (docs/errors.md); what is odd but lets the
// load begin is logged as a warning.
Result<void> preflight(const RunPlan& plan, bool create_bucket);

}  // namespace s3lt
