#include "cli/run_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/units.h"
#include "engine/key_sync.h"

namespace s3lt {

Result<std::unique_ptr<KeyJournal>> open_journal(const Settings& settings, const RunPlan& plan) {
  JournalOwner owner{.endpoints = {}, .bucket = plan.bucket, .prefix = plan.prefix, .worker = plan.worker};
  for (const ResolvedEndpoint& e : plan.endpoints) owner.endpoints.push_back(e.url);
  return KeyJournal::open(settings.key_dir, owner, patterns_deleted_by(plan));
}

// A pattern that reads the keys of others takes those that are there in whatever size they were written, as
// far as the pool can tell what their bytes are.
void read_sizes_left(const KeyLedger& left, RunPlan& plan) {
  for (const auto& [name, keys] : left.keys()) {
    const auto bytes = parse_size(name.second);
    if (!bytes || keys.alive.empty()) continue;
    if (*bytes > plan.pool->size() && plan.pool->size() < ContentPool::full_size) continue;
    for (PlannedPattern& p : plan.patterns) {
      auto& sizes = p.pattern.sizes;
      const auto& sources = p.pattern.keys_from;
      if (std::ranges::find(sources, name.first) == sources.end()) continue;
      if (std::ranges::find(sizes, name.second, &SizeClass::label) != sizes.end()) continue;
      sizes.push_back({name.second, *bytes, 1});
    }
  }
}

void announce_keys(const KeyJournal& journal, const RunPlan& plan) {
  const auto left = journal.contents().keys();
  std::uint64_t alive = 0, uncertain = 0;
  for (const KeySpaceSpec& space : key_spaces_of(plan, left)) {
    for (const SizeClass& size : space.sizes) {
      const auto found = left.find({space.pattern, size.label});
      if (found == left.end()) continue;
      alive += found->second.alive.size();
      uncertain += found->second.uncertain.size();
    }
  }
  if (journal.damaged() > 0) {
    log_warning(
        fmt::format("{} lines of {} are damaged: the keys in them are lost, `cleanup` finds their objects",
                    journal.damaged(), journal.path().string()));
  }
  if (alive + uncertain == 0) return;
  log_info(fmt::format("going on with {} keys of earlier runs{} ({})", format_count(alive),
                       uncertain == 0 ? "" : fmt::format(", and {} that may exist", format_count(uncertain)),
                       journal.path().string()));
}

}  // namespace s3lt
