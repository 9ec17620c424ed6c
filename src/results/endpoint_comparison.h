// Which of a run's endpoints stands out among the others: slower, failing, or away. docs/measurement.md, "One
// node of many", has the rule and its reasons. Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "measure/snapshot.h"

namespace s3lt {

struct EndpointFinding {
  enum class Kind { slow, failing, unreachable } kind{};
  std::string url;
  double weight = 0;     // times slower, or failed share: what to show first among those of a kind
  std::string sentence;  // "slow: http://node17:8080 GET p50 38ms, the others 9.1ms (median of 29)"
};

using EndpointSuspicions = std::map<std::string, EndpointSuspicion>;

// At most one of a kind for an endpoint; the unreachable ones first, then the failing and the slow ones, each
// the worst first. Nothing where there is but one endpoint.
std::vector<EndpointFinding> compare_endpoints(const std::map<EndpointKey, EndpointCell>& endpoints,
                                               const EndpointSuspicions& suspicions = {});

// The same, and addresses of names that took no connections for a second or more.
std::vector<EndpointFinding> odd_nodes(const Snapshot& total);

// The sentences for a summary: of many findings the first ones, and how many more there are.
std::vector<std::string> endpoint_notes(const std::vector<EndpointFinding>& findings);

}  // namespace s3lt
