// The lines of a key journal (docs/formats.md, "Key journal"): text, one record a line, each with a checksum
// in front, so that a line that was cut or damaged is told from a whole one. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "workload/key_event.h"

namespace s3lt {

// Whose keys a journal holds.
struct JournalOwner {
  std::vector<std::string> endpoints;  // URLs; sorted in the file
  std::string bucket, prefix;          // prefix ends in '/'
  unsigned worker = 0;
};

// A process that uses the journal.
struct JournalSession {
  std::string id;  // of its host's boot, its process and the time of its start: never used twice
  std::uint64_t pid = 0;
  std::string process_start;  // as the kernel counts it; with the boot it says whether the pid is still it
  std::string boot;           // the boot id of its host
  std::vector<std::string> deletes;  // the patterns whose keys it may delete; "*" for those of all
};

struct JournalHeader {
  std::uint64_t generation = 0;  // one more with every compaction
  JournalOwner owner;
};
struct JournalBase {};  // what stands before it was there at the compaction
struct SessionOpened {
  JournalSession session;
};
struct SessionClosed {
  std::string id;
};
// A process that deletes ended without saying so: keys older than this may have been deleted unknown to the
// journal.
struct JournalDoubt {
  std::uint64_t micros = 0;  // since 1970
};
struct JournalKeys {
  KeyFate fate{};
  std::uint64_t micros = 0;  // since 1970: when it was appended
  std::string pattern, size;
  std::vector<KeyStamp> keys;
};
using JournalLine =
    std::variant<JournalHeader, JournalBase, SessionOpened, SessionClosed, JournalDoubt, JournalKeys>;

inline constexpr std::size_t most_keys_a_line = 1000;
inline constexpr std::size_t bytes_a_key = 26;  // about, in a line with many

// Appends the line with its end. Of JournalKeys at most most_keys_a_line keys.
void append_line(const JournalLine& line, std::string& out);
// The line without its end; nothing where it is damaged.
std::optional<JournalLine> parse_line(std::string_view line);

// Goes through what was read of a file. A last line without its end is left for the next time.
class JournalLines {
 public:
  explicit JournalLines(std::string_view text) : text_(text) {}
  std::optional<JournalLine> next();
  std::size_t read() const { return at_; }          // bytes, behind the last whole line
  std::size_t damaged() const { return damaged_; }  // lines that were skipped

 private:
  std::string_view text_;
  std::size_t at_ = 0, damaged_ = 0;
};

}  // namespace s3lt
