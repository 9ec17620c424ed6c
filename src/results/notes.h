// What stands out in a run's figures, in sentences: endpoints that differ from the others, and times at which
// TCP is known to lose them. What summary.json has as `notes`. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "measure/snapshot.h"
#include "results/certainty.h"

namespace s3lt {

// Endpoints that are slow, failing or unreachable among the others.
std::vector<std::string> notes_on_endpoints(const Snapshot& total);
// Second modes of the service time of each pattern, operation and size: at most a sentence for each cause.
// Distributions that several sizes share say nothing, so those of a run that was put together from its files
// without its sizes are no material for this.
std::vector<std::string> notes_on_modes(const Snapshot& total);
// Patterns that stood still for seconds, and when.
std::vector<std::string> notes_on_stops(const Certainty& certainty);
// What stands out of endpoints (of silent ones: silence.h) and modes, and multipart uploads that may still be
// there.
std::vector<std::string> notes_on(const Snapshot& total);

}  // namespace s3lt
