// A storage that lets the key do some operations of a pattern and not others: the preflight cannot see that
// without touching objects, the first second of the load does. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/plan.h"
#include "measure/snapshot.h"

namespace s3lt {

// The operations that were refused for lack of permission every time they were tried, the first of each
// pattern, in one sentence each. Housekeeping (TRIM) is none. A few refusals prove nothing while others
// succeed.
std::vector<Error> denied_operations(const RunPlan& plan, const Snapshot& total);

// Objects stay beyond the limits because the key may not delete: a warning, or empty.
std::string trim_denied(const RunPlan& plan, const Snapshot& total);

}  // namespace s3lt
