// Objectives and their results as summary.json has them (docs/formats.md). Pure, thread-safe.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <vector>

#include "results/slo.h"

namespace s3lt {

boost::json::array slo_array(const std::vector<SloResult>& results);
// What `verdict` holds of them; fields that are missing stay empty.
std::vector<SloResult> slos_in(const boost::json::object& verdict);

}  // namespace s3lt
