#include "journal/key_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <thread>

#include "base/encoding.h"
#include "results/line_file.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view name_begin = "s3loadtest-keys-", name_end = ".journal";
// The file is written anew when it is larger than this and so much more than what lives in it.
constexpr std::uint64_t small_file = 64 << 10, growth = 5;
// How long a process may take to say that it wrote a key, before the word that it was deleted is forgotten.
constexpr std::uint64_t early_micros = 10'000'000;
constexpr auto sync_period = std::chrono::seconds(1);
constexpr auto lock_patience = std::chrono::seconds(2);
constexpr auto lock_pause = std::chrono::milliseconds(5);
constexpr std::size_t most_header = 64 << 10;

std::string stem_of(const JournalOwner& owner) {
  return fmt::format("{}{:016x}-", name_begin,
                     hash64(fmt::format("{}\n{}\n{}", owner.bucket, owner.prefix, owner.worker)));
}

bool share_an_endpoint(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::any_of(some,
                             [&](const auto& e) { return std::ranges::find(others, e) != others.end(); });
}

Result<JournalHeader> read_header(const fs::path& path) {
  errno = 0;
  std::ifstream file(path);
  std::string line(most_header, '\0');
  if (!file.getline(line.data(), static_cast<std::streamsize>(line.size()))) {
    if (errno != 0) return std::unexpected(system_failure("read the key journal", path));
  }
  line.resize(std::strlen(line.c_str()));
  const auto parsed = parse_line(line);
  const auto* header = parsed ? std::get_if<JournalHeader>(&*parsed) : nullptr;
  if (header == nullptr) {
    return unavailable(fmt::format("{} is no key journal: it does not begin as one", path.string()));
  }
  return *header;
}

// The journals in a directory whose names begin so.
FoundJournals journals_in(const fs::path& directory, std::string_view begin) {
  FoundJournals found;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(begin) || !name.ends_with(name_end)) continue;
    std::error_code ignored;
    if (fs::is_empty(at->path(), ignored)) continue;  // somebody makes it at this moment
    if (auto header = read_header(at->path())) {
      found.journals.push_back({at->path(), std::move(header->owner)});
    } else {
      found.unreadable.push_back(header.error().message);
    }
  }
  std::ranges::sort(found.journals, {}, &FoundJournal::path);
  return found;
}

fs::path path_of(const fs::path& directory, const JournalOwner& owner) {
  const std::string stem = stem_of(owner);
  for (const auto& [path, theirs] : journals_in(directory, stem).journals) {
    if (share_an_endpoint(theirs.endpoints, owner.endpoints)) return path;
  }
  std::vector<std::string> endpoints = owner.endpoints;
  std::ranges::sort(endpoints);
  return directory /
         fmt::format("{}{:016x}{}", stem, hash64(fmt::format("{}", fmt::join(endpoints, ","))), name_end);
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// When a process was started, in ticks since the boot (proc(5), stat, field 22); empty: there is none.
std::string start_of(std::uint64_t pid) {
  std::string stat = first_line(fmt::format("/proc/{}/stat", pid));
  const std::size_t name = stat.rfind(')');
  if (name == stat.npos) return {};
  std::size_t at = name + 1;
  for (int field = 3; field < 22 && at != stat.npos; ++field) at = stat.find(' ', at + 1);
  if (at == stat.npos) return {};
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

std::string boot_id() {
  return first_line("/proc/sys/kernel/random/boot_id");
}

bool is_alive(const JournalSession& session, const std::string& boot) {
  return session.boot == boot && !session.process_start.empty() &&
         start_of(session.pid) == session.process_start;
}

std::uint64_t now_micros() {
  return unix_micros(wall_now());
}

// What the sessions whose processes are gone did not say: who ended without a word may have deleted more than
// it said.
std::vector<JournalLine> ends_of_the_dead(const KeyLedger& ledger, const std::string& boot) {
  std::vector<JournalLine> lines;
  for (const JournalSession& session : ledger.sessions) {
    if (is_alive(session, boot)) continue;
    lines.emplace_back(SessionClosed{session.id});
    if (!session.deletes.empty()) lines.emplace_back(JournalDoubt{now_micros()});
  }
  return lines;
}

}  // namespace

std::string journal_lines(std::span<const KeyEvent> events, const KeyClasses& classes, std::uint64_t micros) {
  // By fate first: whatever became of a key meanwhile, what may have failed is said last.
  std::map<std::pair<KeyFate, std::uint32_t>, std::vector<KeyStamp>> grouped;
  for (const KeyEvent& event : events) grouped[{event.fate, event.key_class}].push_back(event.key);
  std::string out;
  for (const auto& [what, keys] : grouped) {
    const KeyClass& key_class = classes.at(what.second);
    for (std::size_t at = 0; at < keys.size(); at += most_keys_a_line) {
      const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(at);
      const auto n = static_cast<std::ptrdiff_t>(std::min(most_keys_a_line, keys.size() - at));
      append_line(JournalKeys{what.first, micros, key_class.pattern, key_class.size, {begin, begin + n}},
                  out);
    }
  }
  return out;
}

// The file's lock; it goes with the object. Of a process that holds it and does not go on, patience ends.
struct KeyJournal::Lock {
  explicit Lock(int of)
      : fd(::fcntl(of, F_DUPFD_CLOEXEC, 0)) {  // the lock's own: `of` may be closed meanwhile
    const TimePoint until = now() + lock_patience;
    while (!(held = ::flock(fd, LOCK_EX | LOCK_NB) == 0) && errno == EWOULDBLOCK && now() < until) {
      std::this_thread::sleep_for(lock_pause);
    }
  }
  ~Lock() {
    if (held) ::flock(fd, LOCK_UN);
    if (fd >= 0) ::close(fd);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  const int fd;
  bool held = false;
};

Error KeyJournal::failure(std::string_view what) const {
  Error error = system_failure(what, path_);
  error.message += "; choose a place that can be written with S3LOADTEST_KEY_DIR";
  return error;
}

Result<std::unique_ptr<KeyJournal>> KeyJournal::open(const fs::path& directory, const JournalOwner& owner,
                                                     const std::vector<std::string>& deletes) {
  std::unique_ptr<KeyJournal> journal(new KeyJournal);
  journal->left_ = true;  // until it has joined
  std::error_code error;
  fs::create_directories(directory, error);
  journal->path_ = path_of(directory, owner);
  if (error) {
    errno = error.value();
    return std::unexpected(journal->failure("make the key journal"));
  }
  if (auto joined = journal->join(owner, deletes); !joined) return std::unexpected(joined.error());
  journal->left_ = false;
  return journal;
}

FoundJournals KeyJournal::find(const fs::path& directory, const std::vector<std::string>& endpoints,
                               std::string_view bucket) {
  FoundJournals found = journals_in(directory, name_begin);
  std::erase_if(found.journals, [&](const FoundJournal& journal) {
    return journal.owner.bucket != bucket || !share_an_endpoint(journal.owner.endpoints, endpoints);
  });
  return found;
}

Result<KeyLedger> KeyJournal::read(const fs::path& path) {
  KeyJournal journal;
  journal.left_ = true;  // never joined
  journal.path_ = path;
  journal.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (journal.fd_ < 0) return std::unexpected(system_failure("read the key journal", path));
  const auto text = journal.read_on();
  if (!text) return std::unexpected(text.error());
  KeyLedger ledger;
  ledger.apply(*text);
  for (const JournalLine& line : ends_of_the_dead(ledger, boot_id())) ledger.apply(line);
  return ledger;
}

KeyJournal::~KeyJournal() {
  if (!left_) (void)leave({});
  if (fd_ >= 0) ::close(fd_);
}

Result<void> KeyJournal::open_file(bool create) {
  const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
  const int fd = ::open(path_.c_str(), flags, 0644);
  if (fd < 0) return std::unexpected(failure("open the key journal"));
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  read_ = 0;
  return {};
}

bool KeyJournal::has_vanished() const {
  std::error_code ignored;
  return !fs::exists(path_, ignored);
}

bool KeyJournal::is_replaced() const {
  struct stat here{}, there{};
  return ::fstat(fd_, &here) == 0 && ::stat(path_.c_str(), &there) == 0 &&
         (here.st_ino != there.st_ino || here.st_dev != there.st_dev);
}

Result<void> KeyJournal::join(const JournalOwner& owner, const std::vector<std::string>& deletes) {
  const std::string boot = boot_id();
  const auto pid = static_cast<std::uint64_t>(::getpid());
  session_ = {.id = fmt::format("{}-{}-{}", boot.substr(0, 8), pid, now_micros()),
              .pid = pid,
              .process_start = start_of(pid),
              .boot = boot,
              .deletes = deletes};
  for (int tries = 0; tries < 100; ++tries) {
    if (auto opened = open_file(true); !opened) return opened;
    const Lock lock(fd_);
    if (!lock.held) return std::unexpected(failure("lock the key journal"));
    if (is_replaced() || has_vanished()) continue;
    auto text = read_on();
    if (!text) return std::unexpected(text.error());
    JournalLines lines(*text);
    while (const auto line = lines.next()) contents_.apply(*line);
    damaged_ = lines.damaged();
    std::string own;
    if (!contents_.header) {
      struct stat file{};
      if (damaged_ == 0 && ::fstat(fd_, &file) == 0 && file.st_size > 0) damaged_ = 1;  // nothing like a line
      contents_.header = JournalHeader{1, owner};
      append_line(*contents_.header, own);
    }
    generation_ = contents_.header->generation;
    for (const JournalLine& line : ends_of_the_dead(contents_, boot)) {
      contents_.apply(line);
      append_line(line, own);
    }
    others_ = contents_.sessions;
    contents_.apply(SessionOpened{session_});
    append_line(SessionOpened{session_}, own);
    live_ = contents_.live();
    return append(own);
  }
  return unavailable(fmt::format("cannot join {}: it is replaced all the time", path_.string()));
}

// What stands behind what was read, up to the end of the last whole line.
Result<std::string> KeyJournal::read_on() {
  std::string text;
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const ssize_t n = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(read_ + text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::unexpected(failure("read the key journal"));
    if (n == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  text.resize(text.rfind('\n') + 1);
  read_ += text.size();
  return text;
}

void KeyJournal::note(const JournalLine& line) {
  if (const auto* opened = std::get_if<SessionOpened>(&line)) {
    if (opened->session.id != session_.id) others_.push_back(opened->session);
  } else if (const auto* closed = std::get_if<SessionClosed>(&line)) {
    std::erase_if(others_, [&](const JournalSession& s) { return s.id == closed->id; });
  } else if (const auto* keys = std::get_if<JournalKeys>(&line)) {
    const std::uint64_t n = keys->keys.size();
    live_ = keys->fate == KeyFate::deleted ? live_ - std::min(live_, n) : live_ + n;
  }
}

void KeyJournal::take(std::string_view text, JournalNews& news) {
  JournalLines lines(text);
  while (auto line = lines.next()) {
    note(*line);
    news.lines.push_back(std::move(*line));
  }
  damaged_ += lines.damaged();
}

// Reads on, from one file to the next where it was replaced.
Result<void> KeyJournal::follow(JournalNews& news) {
  for (int files = 0; files < 100; ++files) {
    const bool replaced = is_replaced();  // first: what is in it then is all that will ever be
    auto text = read_on();
    if (!text) return std::unexpected(text.error());
    take(*text, news);
    if (!replaced) return {};
    if (auto opened = open_file(false); !opened) return opened;
    text = read_on();
    if (!text) return std::unexpected(text.error());
    KeyLedger all;
    JournalLines lines(*text);
    std::vector<JournalLine> behind_base;
    bool after = false;
    while (auto line = lines.next()) {
      all.apply(*line);
      if (after) behind_base.push_back(*line);
      after = after || std::holds_alternative<JournalBase>(*line);
    }
    const std::uint64_t before = std::exchange(generation_, all.header ? all.header->generation : 0);
    others_ = all.sessions;
    std::erase_if(others_, [&](const JournalSession& s) { return s.id == session_.id; });
    live_ = all.live();
    if (generation_ == before + 1) {
      for (JournalLine& line : behind_base) news.lines.push_back(std::move(line));
    } else {
      news.whole = std::move(all);
      news.lines.clear();
    }
  }
  return unavailable(fmt::format("cannot follow {}: it is replaced all the time", path_.string()));
}

// Behind the last whole line, in place of what a process that died left there.
Result<void> KeyJournal::append(std::string_view lines) {
  if (lines.empty()) return {};
  const auto begin = static_cast<off_t>(read_);
  struct stat file{};
  if (::fstat(fd_, &file) == 0 && file.st_size > begin && ::ftruncate(fd_, begin) != 0) {
    return std::unexpected(failure("write the key journal"));
  }
  for (std::size_t written = 0; written < lines.size();) {
    const ssize_t n =
        ::pwrite(fd_, lines.data() + written, lines.size() - written, begin + static_cast<off_t>(written));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const auto error = failure("write the key journal");
      if (::ftruncate(fd_, begin) != 0) return std::unexpected(error);  // its end is no whole line: skipped
      return std::unexpected(error);
    }
    written += static_cast<std::size_t>(n);
  }
  read_ += lines.size();
  return {};
}

Result<void> KeyJournal::compact() {
  read_ = 0;
  auto text = read_on();
  if (!text) return std::unexpected(text.error());
  KeyLedger all;
  all.apply(*text);
  const std::uint64_t t = now_micros();
  const std::string anew = all.compacted(t - early_micros, t);
  if (auto written = write_atomically(path_, anew); !written) return written;
  if (auto opened = open_file(false); !opened) return opened;
  generation_ = all.header ? all.header->generation + 1 : 0;
  read_ = anew.size();
  live_ = all.live();
  next_compaction_ = 2 * anew.size();
  return {};
}

Result<void> KeyJournal::exchange(std::string_view own, JournalNews& news) {
  if (own.empty()) return follow(news);
  for (bool appended = false; !appended;) {
    const Lock lock(fd_);
    if (!lock.held) return std::unexpected(failure("lock the key journal"));
    const std::uint64_t locked = generation_;
    if (auto followed = follow(news); !followed) return followed;
    if (generation_ != locked) continue;
    if (auto done = append(own); !done) return done;
    appended = true;
    JournalLines lines(own);
    while (const auto line = lines.next()) note(*line);
    const std::uint64_t most = std::max(small_file + growth * bytes_a_key * live_, next_compaction_);
    // Also where somebody tidied the directory. What cannot be written anew now is tried again when the file
    // has grown some more.
    if ((has_vanished() || read_ > most) && !compact()) next_compaction_ = read_ + small_file;
  }
  if (now() - last_sync_ >= sync_period) {
    (void)::fdatasync(fd_);  // for the case that the machine goes down; what it cannot do, the next may
    last_sync_ = now();
  }
  return {};
}

Result<void> KeyJournal::leave(std::string_view own) {
  left_ = true;
  std::string lines(own);
  append_line(SessionClosed{session_.id}, lines);
  JournalNews nobody_needs_it;
  if (auto done = exchange(lines, nobody_needs_it); !done) return done;
  remove_if_empty();
  return {};
}

Result<void> KeyJournal::forget_all_keys() {
  std::string lines;
  KeyClasses classes;
  for (const auto& [name, keys] : contents_.keys()) {
    std::vector<KeyEvent> events;
    for (const auto* list : {&keys.alive, &keys.uncertain}) {
      for (const KeyStamp& key : *list) {
        events.push_back({KeyFate::deleted, classes.number(name.first, name.second), key});
      }
    }
    lines += journal_lines(events, classes, now_micros());
  }
  contents_.apply(lines);
  JournalNews nobody_needs_it;
  return exchange(lines, nobody_needs_it);
}

// A journal of no keys that nobody uses is no loss.
void KeyJournal::remove_if_empty() {
  if (!others_.empty() || read_ > small_file) return;
  const Lock lock(fd_);
  if (!lock.held || is_replaced()) return;
  read_ = 0;
  const auto text = read_on();
  if (!text) return;
  KeyLedger all;
  all.apply(*text);
  if (all.live() == 0 && all.sessions.empty()) ::unlink(path_.c_str());
}

bool KeyJournal::others_delete(std::string_view pattern) const {
  return std::ranges::any_of(others_, [&](const JournalSession& session) {
    return std::ranges::any_of(session.deletes,
                               [&](const auto& name) { return name == pattern || name == "*"; });
  });
}

}  // namespace s3lt
