// What the lines of a key journal come to: which keys exist, which may, who uses the journal. Pure; used by
// one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journal/journal_line.h"

namespace s3lt {

// The keys of one pattern and size, each list in the order of their times.
struct LedgerKeys {
  std::vector<KeyStamp> alive, uncertain;
};

class KeyLedger {
 public:
  void apply(const JournalLine& line);
  void apply(std::string_view text);  // whole lines

  using ByClass = std::map<std::pair<std::string, std::string>, LedgerKeys>;  // by pattern, size label
  ByClass keys() const;
  std::uint64_t live() const;  // keys that exist or may

  std::optional<JournalHeader> header;
  std::uint64_t doubt_micros = 0;        // 0: none
  std::vector<JournalSession> sessions;  // that are open

  // The file anew, with nothing in it that is over: a header of the next generation, then the rest.
  // Deletions of keys that the journal never heard of are kept if they are younger than `early_since`
  // (micros): the process that wrote the key may not have said so yet.
  std::string compacted(std::uint64_t early_since, std::uint64_t now_micros) const;

 private:
  struct Entry {
    KeyStamp key;
    KeyFate fate{};
    std::uint32_t age = 0;    // seconds since the first line: enough to tell early deletions
    std::uint32_t order = 0;  // among the entries of its class
  };
  // One key's entries, in the order of their lines.
  struct End {
    KeyFate fate{};
    bool was_written = false;
  };
  // By key, and of one key in the order of their lines.
  static std::vector<Entry> sorted(std::vector<Entry> entries);
  template <typename Visit>
  static void each_key(const std::vector<Entry>& sorted, Visit visit);

  std::map<std::pair<std::string, std::string>, std::vector<Entry>> entries_;
  std::uint64_t first_micros_ = 0;
};

}  // namespace s3lt
