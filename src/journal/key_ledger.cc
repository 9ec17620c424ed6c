#include "journal/key_ledger.h"

#include <algorithm>
#include <array>

namespace s3lt {
namespace {

constexpr std::uint64_t micros_a_second = 1'000'000;

}  // namespace

void KeyLedger::apply(const JournalLine& line) {
  if (const auto* found = std::get_if<JournalHeader>(&line)) {
    if (!header) header = *found;
  } else if (const auto* opened = std::get_if<SessionOpened>(&line)) {
    sessions.push_back(opened->session);
  } else if (const auto* closed = std::get_if<SessionClosed>(&line)) {
    std::erase_if(sessions, [&](const JournalSession& s) { return s.id == closed->id; });
  } else if (const auto* doubt = std::get_if<JournalDoubt>(&line)) {
    doubt_micros = std::max(doubt_micros, doubt->micros);
  } else if (const auto* keys = std::get_if<JournalKeys>(&line)) {
    if (first_micros_ == 0) first_micros_ = keys->micros;
    const std::uint64_t since = keys->micros - std::min(keys->micros, first_micros_);
    const auto age = static_cast<std::uint32_t>(std::min<std::uint64_t>(since / micros_a_second, UINT32_MAX));
    auto& entries = entries_[{keys->pattern, keys->size}];
    for (const KeyStamp& key : keys->keys) {
      entries.push_back({key, keys->fate, age, static_cast<std::uint32_t>(entries.size())});
    }
  }
}

void KeyLedger::apply(std::string_view text) {
  JournalLines lines(text);
  while (const auto line = lines.next()) apply(*line);
}

std::vector<KeyLedger::Entry> KeyLedger::sorted(std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.key, e.order); });
  return entries;
}

// A key is written once. Who deleted it may have said so before its writer did; so only what may have failed
// since then brings a deleted key back, as uncertain.
template <typename Visit>
void KeyLedger::each_key(const std::vector<Entry>& sorted, Visit visit) {
  for (std::size_t i = 0; i < sorted.size();) {
    const std::size_t begin = i;
    std::optional<KeyFate> fate;
    bool was_written = false;
    for (; i < sorted.size() && sorted[i].key == sorted[begin].key; ++i) {
      if (sorted[i].fate == KeyFate::written) {
        was_written = true;
        if (!fate) fate = KeyFate::written;
      } else {
        fate = sorted[i].fate;
      }
    }
    visit(sorted[i - 1], End{*fate, was_written});
  }
}

KeyLedger::ByClass KeyLedger::keys() const {
  ByClass out;
  for (const auto& [name, entries] : entries_) {
    LedgerKeys& keys = out[name];
    each_key(sorted(entries), [&](const Entry& entry, const End& end) {
      if (end.fate == KeyFate::written) keys.alive.push_back(entry.key);
      if (end.fate == KeyFate::uncertain) keys.uncertain.push_back(entry.key);
    });
  }
  return out;
}

std::uint64_t KeyLedger::live() const {
  std::uint64_t n = 0;
  for (const auto& [name, keys] : keys()) n += keys.alive.size() + keys.uncertain.size();
  return n;
}

std::string KeyLedger::compacted(std::uint64_t early_since, std::uint64_t now_micros) const {
  std::string out;
  if (header) append_line(JournalHeader{header->generation + 1, header->owner}, out);
  for (const JournalSession& session : sessions) append_line(SessionOpened{session}, out);
  if (doubt_micros > 0) append_line(JournalDoubt{doubt_micros}, out);
  for (const auto& [name, entries] : entries_) {
    std::array<JournalKeys, 3> lines;
    const auto flush = [&](JournalKeys& line) {
      if (!line.keys.empty()) append_line(line, out);
      line.keys.clear();
    };
    for (std::size_t fate = 0; fate < lines.size(); ++fate) {
      lines[fate] = {static_cast<KeyFate>(fate), now_micros, name.first, name.second, {}};
    }
    // So that the next compaction forgets them.
    lines[static_cast<std::size_t>(KeyFate::deleted)].micros = early_since;
    each_key(sorted(entries), [&](const Entry& entry, const End& end) {
      if (end.fate == KeyFate::deleted &&
          (end.was_written || first_micros_ + entry.age * micros_a_second < early_since)) {
        return;
      }
      JournalKeys& line = lines[static_cast<std::size_t>(end.fate)];
      line.keys.push_back(entry.key);
      if (line.keys.size() == most_keys_a_line) flush(line);
    });
    for (JournalKeys& line : lines) flush(line);
  }
  append_line(JournalBase{}, out);
  return out;
}

}  // namespace s3lt
