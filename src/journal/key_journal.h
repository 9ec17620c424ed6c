// The keys of a worker in a file that its processes share: each appends what happens to keys and reads what
// the others appended (docs/formats.md, "Key journal"). It survives its processes: the next run goes on with
// the keys of the last one. One object a process; used by one thread at a time; not on the way of any
// request.
//
// A lock of the file (flock) orders those who write. Whoever finds the file grown beyond what lives writes it
// anew beside it and puts that in its place; the others notice, read the old one to its end, and go on in the
// new one.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "journal/key_ledger.h"

namespace s3lt {

// What others appended.
struct JournalNews {
  std::vector<JournalLine> lines;
  std::optional<KeyLedger> whole;  // where lines were missed: all that stands in the journal
};

struct FoundJournal {
  std::filesystem::path path;
  JournalOwner owner;
};
struct FoundJournals {
  std::vector<FoundJournal> journals;
  std::vector<std::string> unreadable;  // why, of each that nobody knows whose it is
};

class KeyJournal {
 public:
  // Joins the journal of `owner` in `directory`, which is made where it is missing, as a session that may
  // delete keys of the patterns in `deletes`. A journal of the same bucket, prefix and worker is theirs if
  // one endpoint is the same. The error names the file and the remedy.
  static Result<std::unique_ptr<KeyJournal>> open(const std::filesystem::path& directory,
                                                  const JournalOwner& owner,
                                                  const std::vector<std::string>& deletes);
  // Those in `directory` that hold keys of this bucket and of at least one of these endpoints.
  static FoundJournals find(const std::filesystem::path& directory, const std::vector<std::string>& endpoints,
                            std::string_view bucket);
  // What stands in a journal at this moment, without joining it.
  static Result<KeyLedger> read(const std::filesystem::path& path);
  ~KeyJournal();  // leaves it, if leave() was not called
  KeyJournal(const KeyJournal&) = delete;
  KeyJournal& operator=(const KeyJournal&) = delete;

  // What stood in it when it was opened.
  const KeyLedger& contents() const { return contents_; }
  // Writes that none of them exists.
  Result<void> forget_all_keys();
  void forget_contents() { contents_ = {}; }
  std::size_t damaged() const { return damaged_; }  // lines that could not be read
  const std::filesystem::path& path() const { return path_; }

  // Appends `own` lines and adds those that others appended since to `news`. Where that fails (a full disk),
  // none of `own` was appended.
  Result<void> exchange(std::string_view own, JournalNews& news);
  // The last lines, and the word that this session is over. The last one takes a file without keys away.
  Result<void> leave(std::string_view own);

  // Whether a session other than this one, which has not said that it is over, may delete keys of `pattern`.
  bool others_delete(std::string_view pattern) const;
  // The other sessions that have not said that they are over.
  const std::vector<JournalSession>& others() const { return others_; }
  // Whether others have to know that this session may delete keys.
  bool others_must_know() const { return !others_.empty() && !session_.deletes.empty(); }

 private:
  struct Lock;
  KeyJournal() = default;
  Result<void> open_file(bool create);
  Result<void> join(const JournalOwner& owner, const std::vector<std::string>& deletes);
  Result<std::string> read_on();
  Result<void> follow(JournalNews& news);
  Result<void> append(std::string_view lines);
  Result<void> compact();
  bool is_replaced() const;
  bool has_vanished() const;
  void remove_if_empty();
  void take(std::string_view text, JournalNews& news);
  void note(const JournalLine& line);
  Error failure(std::string_view what) const;

  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t generation_ = 0;
  std::uint64_t read_ = 0;  // bytes of the file; all lines up to here are known
  std::uint64_t live_ = 0;  // keys, about
  std::uint64_t next_compaction_ = 0;
  std::size_t damaged_ = 0;
  JournalSession session_;
  std::vector<JournalSession> others_;
  KeyLedger contents_;
  TimePoint last_sync_{};
  bool left_ = false;
};

// Lines that say this; `micros` is now.
std::string journal_lines(std::span<const KeyEvent> events, const KeyClasses& classes, std::uint64_t micros);

}  // namespace s3lt
