// Certainty as the fields of summary.json (docs/formats.md), and back. Pure functions, thread-safe.
#pragma once

#include <boost/json/object.hpp>

#include "results/certainty.h"

namespace s3lt {

// "intervals" of an operation; its counterpart leaves what is not there as it is.
boost::json::object intervals_object(const OperationCertainty& certainty);
OperationCertainty intervals_of(const boost::json::object& object);
// "steady" of a pattern.
boost::json::object steady_object(const Steadiness& steadiness);
Steadiness steadiness_of(const boost::json::object& object);

}  // namespace s3lt
