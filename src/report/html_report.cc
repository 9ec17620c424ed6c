#include "report/html_report.h"

#include <boost/json.hpp>

#include "report/html_assets.h"
#include "results/json_text.h"

namespace s3lt {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// JSON that no key or message of a server can end, or turn into a comment: within a script element only '<'
// means something to HTML, and in JSON it stands in strings only.
std::string script_safe(std::string json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string report_html(std::string_view title, const boost::json::object& data) {
  std::string out;
  std::string_view rest = html_assets::page;
  while (!rest.empty()) {
    const std::size_t begin = rest.find("{{");
    const std::size_t end = begin == rest.npos ? rest.npos : rest.find("}}", begin);
    out += rest.substr(0, begin);
    if (end == rest.npos) break;
    const std::string_view slot = rest.substr(begin + 2, end - begin - 2);
    if (slot == "title") out += escaped(title);
    if (slot == "style") out += html_assets::style;
    if (slot == "chart_license") out += html_assets::chart_license;
    if (slot == "chart_library") out += html_assets::chart_library;
    if (slot == "data") out += script_safe(json_text(data));
    if (slot == "code") out += html_assets::code;
    rest.remove_prefix(end + 2);
  }
  return out;
}

}  // namespace s3lt
