#include "results/certainty_json.h"

#include <boost/json.hpp>

namespace s3lt {
namespace json = boost::json;
namespace {

json::value pair_of(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return json::array{interval->low, interval->high};
}

std::optional<Interval> pair_in(const json::value& value) {
  if (!value.is_array() || value.get_array().size() != 2) return {};
  const json::array& pair = value.get_array();
  if (!pair[0].is_number() || !pair[1].is_number()) return {};
  return Interval{pair[0].to_number<double>(), pair[1].to_number<double>()};
}

std::optional<Interval> interval_of(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value == nullptr ? std::nullopt : pair_in(*value);
}

}  // namespace

json::object intervals_object(const OperationCertainty& certainty) {
  json::array few;
  json::object out{{"confidence", shown_confidence}, {"rate", pair_of(certainty.rate)}};
  for (std::size_t i = 0; i < shown_percentiles.size(); ++i) {
    out[shown_percentiles[i].second] = pair_of(certainty.percentiles[i]);
    if (certainty.few[i]) few.emplace_back(shown_percentiles[i].second);
  }
  out["few_samples"] = std::move(few);
  return out;
}

OperationCertainty intervals_of(const json::object& object) {
  OperationCertainty out{.rate = interval_of(object, "rate")};
  for (std::size_t i = 0; i < shown_percentiles.size(); ++i)
    out.percentiles[i] = interval_of(object, shown_percentiles[i].second);
  const json::value* few = object.if_contains("few_samples");
  if (few == nullptr || !few->is_array()) return out;
  for (const json::value& name : few->get_array()) {
    for (std::size_t i = 0; i < shown_percentiles.size(); ++i) {
      if (name.is_string() && name.get_string() == shown_percentiles[i].second) out.few[i] = true;
    }
  }
  return out;
}

json::object steady_object(const Steadiness& steadiness) {
  json::object out{{"steady", nullptr}, {"why", steadiness.why}};
  if (steadiness.found == Steadiness::Found::unknown) return out;
  out["steady"] = steadiness.found == Steadiness::Found::steady;
  if (steadiness.found == Steadiness::Found::steady) return out;
  if (!steadiness.stops.empty()) {
    json::array stops;
    for (const Interval& stop : steadiness.stops) stops.push_back(json::array{stop.low, stop.high});
    out["stops"] = std::move(stops);
    return out;
  }
  out["change"] = steadiness.change;
  out["p_value"] = steadiness.p_value;
  return out;
}

Steadiness steadiness_of(const json::object& object) {
  Steadiness out;
  if (const json::value* why = object.if_contains("why"); why && why->is_string())
    out.why = why->get_string();
  const json::value* steady = object.if_contains("steady");
  if (steady == nullptr || !steady->is_bool()) return out;
  out.found = steady->get_bool() ? Steadiness::Found::steady : Steadiness::Found::drifting;
  const auto number = [&](std::string_view field, double otherwise) {
    const json::value* value = object.if_contains(field);
    return value != nullptr && value->is_number() ? value->to_number<double>() : otherwise;
  };
  out.change = number("change", 0);
  out.p_value = number("p_value", 1);
  if (const json::value* stops = object.if_contains("stops"); stops != nullptr && stops->is_array()) {
    for (const json::value& stop : stops->get_array()) {
      if (const auto between = pair_in(stop)) out.stops.push_back(*between);
    }
  }
  return out;
}

}  // namespace s3lt
