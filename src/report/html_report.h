// report.html: one self-contained page that asks the network for nothing. Its template, styles and code are
// src/report/html/, drawn by Chart.js; CMake puts all of it into the binary. Pure functions, thread-safe.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>

namespace s3lt {

// The page that shows `data` (report/report_data.h).
std::string report_html(std::string_view title, const boost::json::object& data);

}  // namespace s3lt
