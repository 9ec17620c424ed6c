#include "engine/key_sync.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/units.h"

namespace s3lt {
namespace {

// Room for the keys of other processes, whose limits are not known here. Virtual memory until it is used.
constexpr std::uint64_t room_for_others = 1 << 20;
// What a journal that cannot be written makes us keep.
constexpr std::size_t most_pending = 64 << 20;

void add_sizes_left(KeySpaceSpec& spec, const KeyLedger::ByClass& left) {
  for (const auto& [name, keys] : left) {
    const auto& [pattern, label] = name;
    const auto bytes = pattern == spec.pattern ? parse_size(label) : Result<std::uint64_t>(0);
    if (pattern != spec.pattern || !bytes) continue;
    spec.room = std::max<std::uint64_t>(spec.room, keys.alive.size());
    if (std::ranges::find(spec.sizes, label, &SizeClass::label) == spec.sizes.end()) {
      spec.sizes.push_back({label, *bytes, 0});
    }
  }
}

void add_sizes(std::vector<SizeClass>& sizes, const std::vector<SizeClass>& more) {
  for (const SizeClass& size : more) {
    if (std::ranges::find(sizes, size.label, &SizeClass::label) == sizes.end()) sizes.push_back(size);
  }
}

}  // namespace

std::vector<KeySpaceSpec> key_spaces_of(const RunPlan& plan, const KeyLedger::ByClass& left) {
  std::vector<KeySpaceSpec> specs;
  for (const PlannedPattern& p : plan.patterns)
    specs.push_back({.pattern = p.pattern.name, .sizes = p.pattern.sizes});
  for (const PlannedPattern& p : plan.patterns) {
    for (const std::string& source : p.pattern.keys_from) {
      auto spec = std::ranges::find(specs, source, &KeySpaceSpec::pattern);
      if (spec == specs.end()) {
        specs.push_back({.pattern = source, .others = true, .room = room_for_others});
        spec = std::prev(specs.end());
      }
      if (spec->others) add_sizes(spec->sizes, p.pattern.sizes);
    }
  }
  for (KeySpaceSpec& spec : specs) add_sizes_left(spec, left);
  const std::size_t spaces = specs.size();
  for (std::size_t i = 0; i < spaces; ++i) {
    const auto given = plan.given_keys.find(specs[i].pattern);
    if (given == plan.given_keys.end()) continue;
    specs.push_back(
        {.pattern = specs[i].pattern, .sizes = specs[i].sizes, .others = true, .given = given->second});
  }
  return specs;
}

std::vector<std::string> patterns_deleted_by(const RunPlan& plan) {
  std::vector<std::string> names;
  for (const PlannedPattern& p : plan.patterns) {
    if (p.pattern.sweeps()) return {"*"};
    if (p.pattern.writes()) names.push_back(p.pattern.name);
    if (p.pattern.does(OperationKind::del)) std::ranges::copy(p.pattern.keys_from, std::back_inserter(names));
  }
  return names;
}

KeySync::KeySync(KeyJournal& journal, KeyStore& store) : journal_(journal), store_(store) {
  const bool tell_others = journal.others_must_know();
  restore();
  thread_ = std::thread([this] { work(); });
  if (tell_others) std::this_thread::sleep_for(2 * period);
}

KeySync::~KeySync() {
  finish();
}

void KeySync::restore() {
  const KeyLedger& left = journal_.contents();
  const auto keys = left.keys();
  for (const auto& space : store_.spaces()) {
    for (std::uint32_t i = 0; i < space->sizes.size(); ++i) {
      const auto found = keys.find({space->pattern, space->sizes[i].label});
      if (found == keys.end() || space->given) continue;
      for (const KeyStamp& key : found->second.alive) space->catalog.written({i, key.suffix, key.micros});
      if (space->others) continue;
      for (const KeyStamp& key : found->second.uncertain)
        space->catalog.uncertain({i, key.suffix, key.micros});
    }
    space->deleted_elsewhere = space->given || journal_.others_delete(space->pattern);
  }
  store_.doubt(left.doubt_micros);
  journal_.forget_contents();
}

void KeySync::put(std::vector<KeyEvent> events) {
  const std::lock_guard lock(mutex_);
  if (events_.empty()) {
    events_ = std::move(events);
  } else {
    events_.insert(events_.end(), events.begin(), events.end());
  }
}

void KeySync::work() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (ending_.wait_for(lock, period, [this] { return ended_; })) return;
    }
    exchange();
  }
}

std::vector<KeyEvent> KeySync::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

void KeySync::exchange() {
  pending_ += journal_lines(take(), store_.classes(), unix_micros(wall_now()));
  JournalNews news;
  const auto done = journal_.exchange(pending_, news);
  apply(news);
  if (!done) {
    failed(done.error());
    return;
  }
  pending_.clear();
  if (std::exchange(failing_, false)) log_info(fmt::format("{} is written again", journal_.path().string()));
}

void KeySync::failed(const Error& error) {
  if (!std::exchange(failing_, true)) {
    log_warning(fmt::format("{}; until then this run's keys are not remembered for others", error.message));
  }
  if (pending_.size() > most_pending) pending_.clear();
}

void KeySync::apply(const JournalNews& news) {
  if (news.whole) reconcile(*news.whole);
  for (const JournalLine& line : news.lines) {
    if (const auto* doubt = std::get_if<JournalDoubt>(&line)) store_.doubt(doubt->micros);
    if (const auto* keys = std::get_if<JournalKeys>(&line)) apply(*keys);
  }
  for (const auto& space : store_.spaces()) {
    space->deleted_elsewhere.store(space->given || journal_.others_delete(space->pattern),
                                   std::memory_order_relaxed);
  }
}

void KeySync::apply(const JournalKeys& keys) {
  KeySpace* space = store_.find(keys.pattern);
  const auto size_class = space == nullptr ? std::nullopt : space->size_class(keys.size);
  if (!size_class) return;
  if (keys.fate == KeyFate::written) {
    // Nobody else writes the keys of a pattern that runs here.
    if (!space->others) return;
    for (const KeyStamp& key : keys.keys) space->catalog.written({*size_class, key.suffix, key.micros});
    return;
  }
  std::vector<KeyStamp> gone = keys.keys;
  std::ranges::sort(gone);
  space->catalog.deleted(*size_class, gone);
  if (keys.fate != KeyFate::uncertain || space->others) return;
  for (const KeyStamp& key : gone) space->catalog.uncertain({*size_class, key.suffix, key.micros});
}

// Some of what others said was missed. Their keys are as the journal has them; of our own ones nobody can say
// which were deleted meanwhile.
void KeySync::reconcile(const KeyLedger& whole) {
  store_.doubt(unix_micros(wall_now()));
  const auto keys = whole.keys();
  for (const auto& space : store_.spaces()) {
    for (std::uint32_t i = 0; space->others && !space->given && i < space->sizes.size(); ++i) {
      const auto found = keys.find({space->pattern, space->sizes[i].label});
      std::vector<KeyStamp> there = found == keys.end() ? std::vector<KeyStamp>() : found->second.alive;
      std::ranges::sort(there);
      const std::vector<KeyStamp> here = space->catalog.all(i);
      std::vector<KeyStamp> gone, come;
      std::ranges::set_difference(here, there, std::back_inserter(gone));
      std::ranges::set_difference(there, here, std::back_inserter(come));
      space->catalog.deleted(i, gone);
      for (const KeyStamp& key : come) space->catalog.written({i, key.suffix, key.micros});
    }
  }
}

void KeySync::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ending_.notify_one();
  thread_.join();
  pending_ += journal_lines(take(), store_.classes(), unix_micros(wall_now()));
  if (const auto left = journal_.leave(pending_); !left && !failing_) failed(left.error());
}

}  // namespace s3lt
