// The lines of errors.jsonl (docs/formats.md, "errors.jsonl"). Thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "measure/sample.h"

namespace s3lt {

// A failed attempt. No line end.
std::string error_line(const OperationSample& sample);
// One of the slowest operations. No line end.
std::string slowest_line(const OperationSample& sample);

// Whether a line is of one of the slowest operations, and what it says of it: what reports show, the phases,
// the endpoint, the key.
bool is_slowest(const boost::json::object& line);
OperationSample slowest_sample(const boost::json::object& line);

}  // namespace s3lt
