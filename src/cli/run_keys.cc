#include "cli/run_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/log.h"
#include "base/units.h"
#include "bucket/crew.h"
#include "bucket/first_page.h"
#include "bucket/prefix_walk.h"
#include "engine/key_sync.h"
#include "journal/old_key_files.h"
#include "workload/key_shape.h"

namespace s3lt {

Result<std::unique_ptr<KeyJournal>> open_journal(const Settings& settings, const RunPlan& plan) {
  JournalOwner owner{.endpoints = {}, .bucket = plan.bucket, .prefix = plan.prefix, .worker = plan.worker};
  for (const ResolvedEndpoint& e : plan.storage) owner.endpoints.push_back(e.url);
  return KeyJournal::open(settings.key_dir, owner, patterns_deleted_by(plan));
}

// A pattern that reads the keys of others takes those that are there in whatever size they were written, as
// far as the pool can tell what their bytes are.
namespace {

bool holds(const KeyLedger::ByClass& left, std::string_view tail) {
  const auto parts = parse_key_tail(tail);
  if (!parts) return false;
  const auto found = left.find({std::string(parts->pattern), std::string(parts->size)});
  if (found == left.end()) return false;
  const auto& keys = found->second;
  return std::ranges::binary_search(keys.alive, parts->stamp) ||
         std::ranges::binary_search(keys.uncertain, parts->stamp);
}

// Whether one of the keys would stand in a listing up to `last`.
bool comes_before(const KeyLedger::ByClass& left, const std::string& stem, const std::string& last) {
  for (const auto& [name, keys] : left) {
    for (const KeyStamp& key : keys.alive) {
      if (write_key(stem, {name.second, name.first, key}) <= last) return true;
    }
  }
  return false;
}

}  // namespace

Result<void> forget_what_is_gone(KeyJournal& journal, const RunPlan& plan) {
  const auto left = journal.contents().keys();
  std::uint64_t alive = 0;
  for (const auto& [name, keys] : left) alive += keys.alive.size();
  if (alive == 0 || !journal.others().empty()) return {};
  const std::string stem = fmt::format("{}{}/", plan.prefix, plan.worker);
  const auto page = first_page(plan, stem);
  if (!page) return {};
  for (const ListPage::Object& object : page->objects) {
    if (object.key.starts_with(stem) && holds(left, std::string_view(object.key).substr(stem.size())))
      return {};
  }
  if (page->truncated && !comes_before(left, stem, page->objects.back().key)) return {};
  log_warning(
      fmt::format("not one of the {} keys that earlier runs left under {} is in bucket {} any more: they are "
                  "forgotten; somebody deleted them, or this is another storage at the same address",
                  format_count(alive), stem, plan.bucket));
  return journal.forget_all_keys();
}

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

void read_old_keys(const Settings& settings, RunPlan& plan) {
  std::set<std::string> patterns;
  for (const PlannedPattern& p : plan.patterns) {
    if (p.pattern.keys_from.empty()) patterns.insert(p.pattern.name);
    patterns.insert(p.pattern.keys_from.begin(), p.pattern.keys_from.end());
  }
  for (const std::string& name : patterns) {
    OldKeys old = read_old_keys(settings.key_dir, name, plan.worker, plan.prefix);
    if (old.files.empty()) continue;
    log_info(fmt::format("{} keys of the earlier tool's {} are read too, unverified{} ({})",
                         format_count(old.keys.size()), name,
                         old.ignored == 0 ? ""
                                          : fmt::format("; {} lines are no keys of worker {} under {}",
                                                        format_count(old.ignored), plan.worker, plan.prefix),
                         old.files.front().string()));
    plan.given_keys[name] = std::make_shared<const std::vector<GivenKey>>(std::move(old.keys));
  }
}

namespace {

// More sizes than these are told as one.
constexpr std::size_t most_sizes = 16;
constexpr std::size_t most_existing = 1'000'000;
constexpr std::string_view other_sizes = "other";

bool reads_existing(const Pattern& pattern) {
  return !pattern.keys_from.empty() && !pattern.writes() && !pattern.does(OperationKind::del);
}

// The sizes that most objects have; the rest are one more.
std::vector<SizeClass> sizes_of(const std::vector<ListPage::Object>& objects) {
  std::map<std::uint64_t, std::uint64_t> counts;
  std::uint64_t bytes = 0;
  for (const ListPage::Object& object : objects) {
    ++counts[object.size];
    bytes += object.size;
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> often;  // objects, size
  for (const auto& [size, n] : counts) often.emplace_back(n, size);
  std::ranges::sort(often, std::greater());
  const bool rest = often.size() > most_sizes;
  if (rest) often.resize(most_sizes - 1);
  std::vector<SizeClass> sizes;
  for (const auto& [n, size] : often) sizes.push_back({format_size_label(size), size, 1});
  std::ranges::sort(sizes, {}, &SizeClass::bytes);
  if (rest) sizes.push_back({std::string(other_sizes), bytes / objects.size(), 1});
  return sizes;
}

Result<std::vector<ListPage::Object>> list_existing(const RunPlan& plan, const std::string& prefix,
                                                    const std::function<bool()>& go_on) {
  std::vector<ListPage::Object> objects;
  bool interrupted = false;
  Crew crew(plan, 8);
  walk_prefix(crew, prefix, [&](std::vector<ListPage::Object> page) {
    for (ListPage::Object& object : page) {
      // What some tools keep a folder's place with.
      if (object.key.ends_with('/') && object.size == 0) continue;
      objects.push_back(std::move(object));
    }
    if (objects.size() >= most_existing) crew.stop();
  });
  const auto done = crew.run([&] { return !(interrupted = !go_on()); });
  if (!done) return std::unexpected(done.error());
  if (interrupted) return unavailable(fmt::format("interrupted while listing {}", prefix));
  return objects;
}

}  // namespace

Result<void> read_existing(const std::string& prefix, std::span<const SizeClass> sizes, RunPlan& plan,
                           const std::function<bool()>& go_on) {
  if (std::ranges::none_of(plan.patterns, [](const auto& p) { return reads_existing(p.pattern); })) {
    return usage_error(
        "--existing is for a pattern that only reads the keys of others, as heavyread does, and there is "
        "none");
  }
  const auto listed = list_existing(plan, prefix, go_on);
  if (!listed) return std::unexpected(listed.error());
  const std::string name = fmt::format("--existing {}", prefix);
  std::vector<SizeClass> found(sizes.begin(), sizes.end());
  if (found.empty() && !listed->empty()) found = sizes_of(*listed);
  std::vector<GivenKey> keys;
  std::uint64_t not_sendable = 0;
  for (const ListPage::Object& object : *listed) {
    if (!plan.profile->can_send(object.key)) {
      ++not_sendable;
      continue;
    }
    auto size = std::ranges::find(found, object.size, &SizeClass::bytes);
    if (size == found.end() || size->label == other_sizes) {
      size = std::ranges::find(found, other_sizes, &SizeClass::label);
    }
    if (size != found.end()) keys.push_back({object.key, size->label});
  }
  if (not_sendable > 0) {
    log_warning(fmt::format("{} objects under '{}' have keys that s3pool does not take and are not read",
                            format_count(not_sendable), prefix));
  }
  if (keys.empty()) {
    return unavailable(
        fmt::format("there is no object{} under '{}' in bucket {}: --existing has nothing to read",
                    sizes.empty() ? "" : " of the sizes of --size", prefix, plan.bucket));
  }
  log_info(fmt::format("reading {} objects that are there under '{}', unverified{}",
                       format_count(keys.size()), prefix,
                       listed->size() < most_existing
                           ? ""
                           : fmt::format(" (the first {} that were listed)", format_count(most_existing))));
  plan.given_keys[name] = std::make_shared<const std::vector<GivenKey>>(std::move(keys));
  for (PlannedPattern& p : plan.patterns) {
    if (!reads_existing(p.pattern)) continue;
    p.pattern.keys_from = {name};
    p.pattern.sizes = found;
  }
  return {};
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
    log_warning(fmt::format("damaged lines in {}: {}; the keys in them are lost, cleanup finds their objects",
                            journal.path().string(), format_count(journal.damaged())));
  }
  if (alive + uncertain == 0) return;
  log_info(fmt::format("going on with {} keys of earlier runs{} ({})", format_count(alive),
                       uncertain == 0 ? "" : fmt::format(", and {} that may exist", format_count(uncertain)),
                       journal.path().string()));
}

}  // namespace s3lt
