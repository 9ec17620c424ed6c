// Reads back every object of ours under a prefix and holds each byte against what its key says
// (docs/content.md). Blocks the calling thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/vocabulary.h"
#include "engine/plan.h"

namespace s3lt {

struct VerificationTally {
  std::uint64_t read = 0, bytes = 0;                 // objects whose every byte was looked at
  std::array<std::uint64_t, corruptions> corrupt{};  // by Corruption
  std::uint64_t unverifiable = 0;                    // the earlier tool's, or of a newer version's content
  std::uint64_t truncated = 0;                       // answers that broke off
  std::uint64_t failed = 0;                          // could not be read at all
  std::uint64_t foreign = 0;                         // not of our keys' shape: nobody knows their bytes
  std::vector<std::string> problems;                 // the first few of each kind
  std::vector<std::string> not_found;                // that were listed
  std::vector<std::string> not_listed;               // that were expected
  bool interrupted = false;
};

// `expected` are keys that should be there. The plan's pool has to be the full one. The error is a listing
// that failed.
Result<VerificationTally> verify_objects(const RunPlan& plan, const std::string& prefix,
                                         std::unordered_set<std::string> expected,
                                         const std::function<bool(const VerificationTally&)>& progress);

// Those of the keys that the storage lists at this moment. The error is a listing that failed, or that it was
// interrupted: `go_on` said no.
Result<std::unordered_set<std::string>> still_listed(const RunPlan& plan,
                                                     const std::vector<std::string>& keys,
                                                     const std::function<bool()>& go_on);

}  // namespace s3lt
