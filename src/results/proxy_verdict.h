// What an s3pool in between means for a run's figures: what is its doing must not be called the storage's
// (docs/proxy.md). Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "measure/snapshot.h"
#include "results/run_record.h"
#include "results/verdict.h"

namespace s3lt {

// The verdict where the load went through it: it shares this machine's CPUs with us, and what is called the
// storage's is both of theirs.
// Where it was stopped, or left most of the `clients` without an answer (`silent`, of `total`), nothing is
// said of the storage.
Verdict through_proxy(Verdict verdict, const ProxyRecord& proxy, const Snapshot& total,
                      const SilentEndpoints& silent, std::uint64_t clients);

// What stands out of it, sentences without their end. `endpoints` is how many the storage has.
std::vector<std::string> notes_on_proxy(const ProxyRecord& proxy, std::size_t endpoints);

}  // namespace s3lt
