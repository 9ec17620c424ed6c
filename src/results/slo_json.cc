#include "results/slo_json.h"

#include <boost/json.hpp>

#include "results/run_reader.h"

namespace s3lt {
namespace json = boost::json;

json::array slo_array(const std::vector<SloResult>& results) {
  json::array out;
  for (const SloResult& slo : results) {
    json::object object{{"expression", slo.expression},
                        {"passed", slo.passed},
                        {"value", slo.value ? json::value(*slo.value) : json::value(nullptr)},
                        {"limit", slo.limit},
                        {"unit", slo.unit}};
    object["measured"] = measured_text(slo);
    if (!slo.hint.empty()) object["hint"] = slo.hint;
    if (!slo.why.empty()) object["why"] = slo.why;
    out.push_back(std::move(object));
  }
  return out;
}

std::vector<SloResult> slos_in(const json::object& verdict) {
  std::vector<SloResult> out;
  const json::value* list = verdict.if_contains("slo");
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& value : list->get_array()) {
    if (!value.is_object()) continue;
    const json::object& slo = value.get_object();
    const json::value* measured = slo.if_contains("value");
    out.push_back({.expression = text_in(slo, "expression"),
                   .passed = truth_in(slo, "passed"),
                   .value = measured != nullptr && measured->is_number()
                                ? std::optional(number_in(slo, "value"))
                                : std::nullopt,
                   .limit = number_in(slo, "limit"),
                   .unit = text_in(slo, "unit"),
                   .why = text_in(slo, "why"),
                   .hint = text_in(slo, "hint")});
  }
  return out;
}

}  // namespace s3lt
