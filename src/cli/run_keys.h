// The keys that a run begins with: the worker's journal, what earlier runs left in it, and what other
// processes of the worker have written. Used by one thread, before the load.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "config/settings.h"
#include "engine/plan.h"
#include "journal/key_journal.h"

namespace s3lt {

// The journal of the plan's worker, in the key directory.
Result<std::unique_ptr<KeyJournal>> open_journal(const Settings& settings, const RunPlan& plan);

// Forgets the keys of earlier runs where a look into the bucket finds none of them: somebody cleaned it, or
// the storage is another one at the same address. Warns of it.
Result<void> forget_what_is_gone(KeyJournal& journal, const RunPlan& plan);

// A pattern that reads the keys of others takes those that are there in whatever size they were written, as
// far as the plan's pool can tell what their bytes are.
void read_sizes_left(const KeyLedger& left, RunPlan& plan);

// Reads in the key files of the earlier tool that lie in the key directory.
void read_old_keys(const Settings& settings, RunPlan& plan);

// The patterns of the plan that only read the keys of others read what is there under `prefix` instead, in
// the sizes that it is there in (`sizes`, where some are named, and nothing else). The error: nothing to
// read, or nobody who reads. `go_on` is asked ten times a second.
Result<void> read_existing(const std::string& prefix, std::span<const SizeClass> sizes, RunPlan& plan,
                           const std::function<bool()>& go_on);

// Logs how many keys that this run trims or reads were left by earlier ones.
void announce_keys(const KeyJournal& journal, const RunPlan& plan);

}  // namespace s3lt
