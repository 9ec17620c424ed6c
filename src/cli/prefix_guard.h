// Whether a command may delete what it finds under a prefix. Keys are ours by their shape alone, and somebody
// else's may have that shape.
#pragma once

#include <string_view>

#include "base/error.h"
#include "config/settings.h"
#include "engine/plan.h"

namespace s3lt {

// Objects under loadtest/ may be deleted, and those under a prefix, or below it, under which a run wrote that
// the log directory has a record of: in this bucket, at one of these endpoints. Elsewhere the user has to say
// so: the error names --yes and `otherwise`, another way on.
Result<void> may_delete_under(std::string_view prefix, const Settings& settings, const RunPlan& plan,
                              std::string_view otherwise);

}  // namespace s3lt
