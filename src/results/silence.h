// Endpoints from which clients waited for an answer until the end of the run cut them. docs/measurement.md,
// "A node that says nothing", has the rule. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "measure/snapshot.h"

namespace s3lt {

struct SilentEndpoint {
  std::uint64_t attempts = 0;  // that were cut
  double seconds = 0;          // the longest of their silences
  bool operator==(const SilentEndpoint&) const = default;
};
using SilentEndpoints = std::map<std::string, SilentEndpoint>;  // by URL

// Silences count that are far longer than the same operation took at its slowest: what is merely under way at
// the end, or slow, does not.
SilentEndpoints silent_endpoints(const Snapshot& total);

// The same in sentences, of many endpoints the first ones. `s3pool`: what answers there is one.
std::vector<std::string> notes_on_silence(const SilentEndpoints& silent, bool s3pool = false);
// In one sentence; empty: there are none.
std::string silence_warning(const SilentEndpoints& silent, bool s3pool = false);

}  // namespace s3lt
