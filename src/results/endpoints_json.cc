#include "results/endpoints_json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "results/endpoint_comparison.h"
#include "results/figures.h"

namespace s3lt {
namespace json = boost::json;
namespace {

json::object outcomes_object(const EndpointCell& cell) {
  json::object out;
  for (std::size_t i = 0; i < outcomes; ++i) {
    if (cell.outcomes[i] != 0) out[outcome_names[i]] = cell.outcomes[i];
  }
  return out;
}

json::object figures(const EndpointCell& cell) {
  json::object out{
      {"attempts", cell.attempts()}, {"errors", cell.errors()}, {"outcomes", outcomes_object(cell)}};
  const CoarseHistogram& t = cell.service;
  out["service_us"] = {
      {"p50", t.percentile(50)}, {"p90", t.percentile(90)}, {"p99", t.percentile(99)}, {"max", t.max()}};
  return out;
}

json::object suspect_object(const EndpointSuspicion& suspicion) {
  return {{"times", suspicion.times}, {"seconds", suspicion.seconds}, {"probes", suspicion.probes}};
}

// With its addresses, where a name has several.
json::object suspect_object(const Snapshot& of, const std::string& url) {
  const auto found = of.suspicions.find(url);
  json::object out = suspect_object(found == of.suspicions.end() ? EndpointSuspicion{} : found->second);
  if (const auto several = of.address_suspicions.find(url); several != of.address_suspicions.end()) {
    json::object addresses;
    for (const auto& [address, one] : several->second) addresses[address] = suspect_object(one);
    out["addresses"] = std::move(addresses);
  }
  return out;
}

EndpointSuspicion suspicion_in(const json::object& suspect) {
  return {.times = count_in(suspect, "times"),
          .probes = count_in(suspect, "probes"),
          .seconds = number_in(suspect, "seconds")};
}

json::object silent_object(const SilentEndpoint& silent) {
  return {{"attempts", silent.attempts}, {"seconds", silent.seconds}};
}

void add_suspicion(Snapshot& out, const std::string& url, const json::object& endpoint) {
  const json::object& suspect = object_in(endpoint, "suspect");
  if (suspect.empty()) return;
  out.suspicions[url].add(suspicion_in(suspect));
  for (const auto& [address, one] : object_in(suspect, "addresses")) {
    if (one.is_object())
      out.address_suspicions[url][std::string(address)].add(suspicion_in(one.get_object()));
  }
}

void add_operations(Snapshot& out, const std::string& url, const json::object& operations) {
  for (std::size_t k = 0; k < operation_kinds; ++k) {
    const json::object& by_outcome = object_in(object_in(operations, operation_names[k]), "outcomes");
    if (by_outcome.empty()) continue;
    EndpointCell& cell = out.endpoints[{url, static_cast<OperationKind>(k)}];
    for (std::size_t i = 0; i < outcomes; ++i) cell.outcomes[i] += count_in(by_outcome, outcome_names[i]);
  }
}

}  // namespace

json::array endpoints_array(const Snapshot& total, const std::vector<std::string>& order,
                            const SilentEndpoints& silent) {
  std::map<std::string, std::string> outliers;
  for (const EndpointFinding& finding : compare_endpoints(total.endpoints, total.suspicions)) {
    std::string& reason = outliers[finding.url];
    reason += (reason.empty() ? "" : "; ") + finding.sentence;
  }
  std::set<std::string> left;
  for (const auto& [key, cell] : total.endpoints) left.insert(key.url);
  std::vector<std::string> urls;
  for (const std::string& url : order) {
    left.erase(url);
    urls.push_back(url);
  }
  urls.insert(urls.end(), left.begin(), left.end());
  json::array out;
  for (const std::string& url : urls) {
    EndpointCell sum;
    json::object operations;
    for (const OperationKind operation : shown_order) {
      const auto cell = total.endpoints.find({url, operation});
      if (cell == total.endpoints.end()) continue;
      operations[name(operation)] = figures(cell->second);
      sum.add(cell->second);
    }
    json::object endpoint{{"url", url}};
    for (auto& [field, value] : figures(sum)) endpoint[field] = value;
    endpoint.erase("service_us");  // of all kinds together it says nothing
    endpoint["suspect"] = suspect_object(total, url);
    const auto waited = silent.find(url);
    endpoint["silent"] = silent_object(waited == silent.end() ? SilentEndpoint{} : waited->second);
    endpoint["operations"] = std::move(operations);
    const auto outlier = outliers.find(url);
    endpoint["outlier"] = outlier == outliers.end() ? json::value(nullptr) : json::value(outlier->second);
    out.emplace_back(std::move(endpoint));
  }
  return out;
}

json::object endpoint_outcomes(const Snapshot& minute) {
  json::object out;
  for (const auto& [key, cell] : minute.endpoints) {
    json::value& endpoint = out[key.url];
    if (!endpoint.is_object()) endpoint = json::object{};
    endpoint.get_object()[name(key.operation)] = json::object{{"outcomes", outcomes_object(cell)}};
  }
  for (auto& endpoint : out) {
    const std::string url(endpoint.key());
    if (minute.suspicions.contains(url) || minute.address_suspicions.contains(url))
      endpoint.value().get_object()["suspect"] = suspect_object(minute, url);
  }
  return out;
}

void add_endpoints(Snapshot& out, const json::value* endpoints) {
  if (endpoints == nullptr) return;
  if (endpoints->is_object()) {
    for (const auto& [url, operations] : endpoints->get_object()) {
      if (!operations.is_object()) continue;
      add_operations(out, url, operations.get_object());
      add_suspicion(out, url, operations.get_object());
    }
  } else if (endpoints->is_array()) {
    for (const json::value& endpoint : endpoints->get_array()) {
      if (!endpoint.is_object()) continue;
      const json::object& object = endpoint.get_object();
      add_operations(out, text_in(object, "url"), object_in(object, "operations"));
      add_suspicion(out, text_in(object, "url"), object);
    }
  }
}

SilentEndpoints silent_in(const json::value* endpoints) {
  SilentEndpoints out;
  if (endpoints == nullptr || !endpoints->is_array()) return out;
  for (const json::value& endpoint : endpoints->get_array()) {
    if (!endpoint.is_object()) continue;
    const json::object& silent = object_in(endpoint.get_object(), "silent");
    if (count_in(silent, "attempts") == 0) continue;
    out[text_in(endpoint.get_object(), "url")] = {.attempts = count_in(silent, "attempts"),
                                                  .seconds = number_in(silent, "seconds")};
  }
  return out;
}

void add_endpoint_times(Snapshot& out, const RecordedHistogram& line) {
  out.endpoints[{std::string(line.tag.endpoint), line.tag.operation}].service.add(line.histogram);
}

}  // namespace s3lt
