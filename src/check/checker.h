// Checks endpoints, all at once, on the calling thread. Not thread-safe.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "check/facts.h"
#include "engine/plan.h"

namespace s3lt {

// An endpoint of the settings: found, or why its host was not.
struct NamedEndpoint {
  ResolvedEndpoint endpoint;  // without addresses where there is a problem
  std::string name_problem;   // the sentence
};

struct CheckTask {
  const RunPlan& plan;  // all but its endpoints
  const std::vector<NamedEndpoint>& endpoints;
  TlsClient* observer = nullptr;  // verifies and tolerates; where one is https
  bool verifies = false;          // a certificate that is not believed is a reason to stop
};

// Facts in the order of the endpoints. `go_on` is asked ten times a second: false, and no further question is
// asked; what was written is taken away in any case.
std::vector<EndpointFacts> check_endpoints(const CheckTask& task, const std::function<bool()>& go_on);

}  // namespace s3lt
