// One look into a bucket. Blocks the calling thread.
#pragma once

#include <optional>
#include <string_view>

#include "engine/plan.h"
#include "s3/xml.h"

namespace s3lt {

// The first keys under a prefix, at most 1000; nothing where the storage does not say.
std::optional<ListPage> first_page(const RunPlan& plan, std::string_view prefix);

}  // namespace s3lt
