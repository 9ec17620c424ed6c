#include "check/facts.h"

#include <algorithm>

namespace s3lt {

bool BackendFact::works() const {
  return !operations.empty() &&
         std::ranges::all_of(operations, [](const auto& o) { return o.trial.works(); });
}

std::string BackendFact::first_failure() const {
  const auto failed = std::ranges::find_if(operations, [](const auto& o) { return o.trial.fails(); });
  if (failed != operations.end()) return failed->name + ": " + failed->trial.said;
  return works() ? "" : "not tried";
}

bool EndpointFacts::reachable() const {
  return std::ranges::any_of(addresses, [](const auto& a) { return a.connect_us.has_value(); });
}

const NamedTrial* EndpointFacts::parts_fail() const {
  const auto failed = std::ranges::find_if(
      multipart, [](const NamedTrial& step) { return step.trial.fails() && step.name != "list"; });
  return failed != multipart.end() ? &*failed : nullptr;
}

}  // namespace s3lt
