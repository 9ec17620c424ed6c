#include "cli/key_journals.h"

#include <fmt/format.h>

#include <thread>

#include "base/log.h"
#include "engine/key_sync.h"
#include "workload/key_shape.h"

namespace s3lt {

KeyJournals::KeyJournals(const Settings& settings, const RunPlan& plan, const std::string& prefix)
    : prefix_(prefix) {
  std::vector<std::string> endpoints;
  for (const ResolvedEndpoint& e : plan.storage) endpoints.push_back(e.url);
  const FoundJournals found = KeyJournal::find(settings.key_dir, endpoints, plan.bucket);
  for (const std::string& problem : found.unreadable) {
    log_warning(fmt::format("{}; later runs may look for objects that are deleted now", problem));
  }
  for (const auto& [path, owner] : found.journals) {
    std::string stem = fmt::format("{}{}/", owner.prefix, owner.worker);
    if (!stem.starts_with(prefix) && !prefix.starts_with(stem)) continue;
    auto journal = KeyJournal::open(settings.key_dir, owner, {"*"});
    if (!journal) {
      log_warning(
          fmt::format("{}; later runs may look for objects that are deleted now", journal.error().message));
      continue;
    }
    for (const JournalSession& session : (*journal)->others()) {
      in_use_ = true;
      log_warning(fmt::format("process {} uses the objects under {} at this moment", session.pid, stem));
    }
    journals_.push_back({std::move(stem), std::move(*journal)});
  }
  if (in_use_) std::this_thread::sleep_for(2 * KeySync::period);
}

void KeyJournals::append(One& one, std::span<const KeyEvent> events) {
  JournalNews nobody_needs_it;
  const auto done =
      one.journal->exchange(journal_lines(events, classes_, unix_micros(wall_now())), nobody_needs_it);
  if (!done) log_warning(done.error().message);
}

void KeyJournals::deleted(std::span<const std::string> keys) {
  for (One& one : journals_) {
    std::vector<KeyEvent> events;
    for (const std::string& key : keys) {
      if (!key.starts_with(one.stem)) continue;
      const auto parts = parse_key_tail(std::string_view(key).substr(one.stem.size()));
      if (parts)
        events.push_back({KeyFate::deleted, classes_.number(parts->pattern, parts->size), parts->stamp});
    }
    if (!events.empty()) append(one, events);
  }
}

void KeyJournals::all_deleted() {
  for (One& one : journals_) {
    std::vector<KeyEvent> events;
    for (const auto& [name, keys] : one.journal->contents().keys()) {
      const auto& [pattern, size] = name;
      if (!fmt::format("{}{}/{}/", one.stem, size, pattern).starts_with(prefix_)) continue;
      for (const auto* list : {&keys.alive, &keys.uncertain}) {
        for (const KeyStamp& key : *list)
          events.push_back({KeyFate::deleted, classes_.number(pattern, size), key});
      }
    }
    if (!events.empty()) append(one, events);
  }
}

}  // namespace s3lt
