// Deletes what a tester left under a prefix, and nothing else (README, "Cleaning up"). Blocks the calling
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/plan.h"

namespace s3lt {

struct CleanupScope {
  std::string prefix;     // ends in '/'
  bool any_key = false;   // also keys that no tester writes
  bool versions = false;  // every version and delete marker, not the newest only
};

// What there is, or what became of it.
struct CleanupTally {
  std::uint64_t objects = 0;  // versions, where those are meant
  std::uint64_t markers = 0;  // of them
  std::uint64_t foreign = 0;  // left alone
  std::uint64_t uploads = 0;
  std::uint64_t foreign_uploads = 0;
  std::set<std::string> other_testers;  // whose prefixes lie deeper; the first few
  std::string uploads_unknown;          // why they could not be listed; empty: they were
  std::uint64_t refused = 0;            // objects and uploads that the storage would not delete
  std::uint64_t locked = 0;             // of them: an object lock keeps them
  std::vector<std::string> refusals;    // the first few, with their reasons
  bool interrupted = false;
};

// Told now and then how far it is; false: stop.
using CleanupProgress = std::function<bool(const CleanupTally&)>;

// Counts. The error is a listing that failed.
Result<CleanupTally> survey(const RunPlan& plan, const CleanupScope& scope, const CleanupProgress& progress);

// Deletes; `deleted` is told the keys of each batch that are gone. A storage that refuses single objects is
// no error; a listing that fails is.
Result<CleanupTally> clean(const RunPlan& plan, const CleanupScope& scope, const CleanupProgress& progress,
                           const std::function<void(std::span<const std::string>)>& deleted);

// Whether the bucket keeps, or once kept, versions. False where it does not say.
bool has_versions(const RunPlan& plan);

}  // namespace s3lt
