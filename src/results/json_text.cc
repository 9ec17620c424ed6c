#include "results/json_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace s3lt {
namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& [key, item] : *object) {
      if (out.back() != '{') out += ',';
      out.append(json::serialize(json::string_view(key))).append(":");
      append(out, item);
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const json::value& item : *array) {
      if (out.back() != '[') out += ',';
      append(out, item);
    }
    out += ']';
  } else if (value.is_double()) {
    out += fmt::format("{}", value.get_double());
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_text(const boost::json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace s3lt
