#include "server/statistics.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace s3lt::server {

namespace json = boost::json;

void ServerStats::add(const Tallies& tallies) {
  for (std::size_t o = 0; o < operation_count; ++o) {
    for (std::size_t c = 0; c < 6; ++c) answers[o][c] += tallies.answers[o][c].get();
  }
  accepted += tallies.accepted.get();
  connections += tallies.accepted.get() - tallies.closed.get();
}

std::string to_json(const ServerStats& stats) {
  json::object operations;
  for (std::size_t o = 0; o < operation_count; ++o) {
    json::object classes;
    for (std::size_t c = 0; c < 6; ++c) {
      if (stats.answers[o][c] != 0) classes[fmt::format("{}xx", c)] = stats.answers[o][c];
    }
    if (!classes.empty()) operations[operation_labels[o]] = std::move(classes);
  }
  return json::serialize(json::object{{"operations", std::move(operations)},
                                      {"objects", stats.objects},
                                      {"recognised", stats.recognised},
                                      {"uploads", stats.uploads},
                                      {"bytes_kept", stats.bytes_kept},
                                      {"capacity", stats.capacity},
                                      {"connections", stats.connections},
                                      {"accepted", stats.accepted}}) +
         "\n";
}

std::string to_json(const std::vector<FaultPlan::Count>& faults) {
  json::array rules;
  json::object done;
  for (const auto& f : faults) {
    rules.push_back({{"spec", f.spec}, {"kind", f.kind}, {"seen", f.seen}, {"done", f.done}});
    json::value& sum = done[f.kind];
    sum = (sum.is_null() ? 0 : sum.to_number<std::uint64_t>()) + f.done;
  }
  return json::serialize(json::object{{"done", std::move(done)}, {"faults", std::move(rules)}}) + "\n";
}

}  // namespace s3lt::server
