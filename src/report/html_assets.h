// The files of src/report/html/ and the charting library, as text in the binary; made by
// cmake/embed_report.cmake.
#pragma once

#include <string_view>

namespace s3lt::html_assets {

extern const std::string_view page, style, code, chart_library, chart_license;

}  // namespace s3lt::html_assets
