// JSON values as text: numbers as people write them (3.25, not 3.25E0), otherwise compact. Pure, thread-safe.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace s3lt {

std::string json_text(const boost::json::value& value);

}  // namespace s3lt
