#include "journal/key_journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace s3lt {
namespace {
namespace fs = std::filesystem;

class KeyJournalTest : public testing::Test {
 protected:
  KeyJournalTest() {
    std::string name = (fs::temp_directory_path() / "key-journal-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~KeyJournalTest() override { fs::remove_all(directory_); }

  std::unique_ptr<KeyJournal> open(const JournalOwner& owner,
                                   const std::vector<std::string>& deletes = {"p"}) {
    auto journal = KeyJournal::open(directory_, owner, deletes);
    EXPECT_TRUE(journal.has_value()) << (journal ? "" : journal.error().message);
    return journal ? std::move(*journal) : nullptr;
  }
  std::unique_ptr<KeyJournal> open() { return open(owner_); }

  std::string lines(KeyFate fate, std::uint64_t from, std::uint64_t to, std::string_view size = "1KB") {
    std::vector<KeyEvent> events;
    for (std::uint64_t i = from; i < to; ++i) events.push_back({fate, classes_.number("p", size), {i, 7}});
    return journal_lines(events, classes_, micros_);
  }
  static void add(KeyJournal& journal, const std::string& own) {
    JournalNews news;
    const auto done = journal.exchange(own, news);
    EXPECT_TRUE(done.has_value()) << (done ? "" : done.error().message);
  }
  // What others wrote, as fate and first part of the stamp.
  static std::vector<std::pair<KeyFate, std::uint64_t>> news_of(KeyJournal& journal) {
    JournalNews news;
    EXPECT_TRUE(journal.exchange({}, news).has_value());
    EXPECT_FALSE(news.whole.has_value());
    std::vector<std::pair<KeyFate, std::uint64_t>> out;
    for (const JournalLine& line : news.lines) {
      const auto* keys = std::get_if<JournalKeys>(&line);
      if (keys == nullptr) continue;
      for (const KeyStamp& key : keys->keys) out.emplace_back(keys->fate, key.micros);
    }
    return out;
  }
  static std::vector<std::uint64_t> alive(const KeyLedger& ledger, const std::string& size = "1KB") {
    std::vector<std::uint64_t> out;
    const auto all = ledger.keys();
    const auto found = all.find({"p", size});
    if (found == all.end()) return out;
    for (const KeyStamp& key : found->second.alive) out.push_back(key.micros);
    return out;
  }
  static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
    std::vector<std::uint64_t> out;
    for (; from < to; ++from) out.push_back(from);
    return out;
  }

  fs::path directory_;
  JournalOwner owner_{{"http://a:1", "http://b:2"}, "bucket", "loadtest/", 3};
  KeyClasses classes_;
  const std::uint64_t micros_ = unix_micros(wall_now());
};

TEST_F(KeyJournalTest, TheNextRunGoesOnWithWhatTheLastOneLeft) {
  {
    const auto journal = open();
    add(*journal, lines(KeyFate::written, 0, 5000));
    add(*journal, lines(KeyFate::deleted, 0, 100) + lines(KeyFate::uncertain, 100, 102));
    EXPECT_TRUE(journal->leave(lines(KeyFate::written, 5000, 5001)).has_value());
  }
  const auto next = open();
  EXPECT_EQ(alive(next->contents()), range(102, 5001));
  EXPECT_EQ(next->contents().keys().at({"p", "1KB"}).uncertain.size(), 2u);
  EXPECT_EQ(next->contents().doubt_micros, 0u);
  EXPECT_EQ(next->damaged(), 0u);
}

TEST_F(KeyJournalTest, EachReadsWhatTheOthersWroteAndNotItsOwn) {
  const auto a = open(), b = open();
  add(*a, lines(KeyFate::written, 1, 3));
  add(*b, lines(KeyFate::written, 3, 4));  // takes what a wrote without handing it on
  using News = std::vector<std::pair<KeyFate, std::uint64_t>>;
  EXPECT_EQ(news_of(*a), (News{{KeyFate::written, 3}}));
  add(*a, lines(KeyFate::deleted, 1, 2));
  EXPECT_EQ(news_of(*b), (News{{KeyFate::deleted, 1}}));
  EXPECT_EQ(news_of(*b), News{});
}

TEST_F(KeyJournalTest, ADeletionThatIsSaidBeforeTheWriteWins) {
  {
    const auto a = open(), b = open();
    add(*b, lines(KeyFate::deleted, 1, 2));
    add(*a, lines(KeyFate::written, 1, 3));
  }
  EXPECT_EQ(alive(open()->contents()), (std::vector<std::uint64_t>{2}));
}

TEST_F(KeyJournalTest, ItIsFoundByOneCommonEndpointAndByNothingElse) {
  add(*open(), lines(KeyFate::written, 1, 2));
  JournalOwner other = owner_;
  other.endpoints = {"http://c:1", "http://b:2"};
  EXPECT_EQ(alive(open(other)->contents()).size(), 1u);
  other.endpoints = {"http://c:1"};
  EXPECT_EQ(alive(open(other)->contents()).size(), 0u);
  for (auto change : {+[](JournalOwner& o) { o.bucket = "b"; }, +[](JournalOwner& o) { o.prefix = "p/"; },
                      +[](JournalOwner& o) { o.worker = 30; }}) {
    other = owner_;
    change(other);
    EXPECT_EQ(alive(open(other)->contents()).size(), 0u);
  }
  const auto found = [this](const std::string& url) {
    return KeyJournal::find(directory_, {url}, "bucket").journals.size();
  };
  EXPECT_EQ(found("http://b:2"), 1u) << "the others had no keys";
  EXPECT_EQ(found("http://z:2"), 0u);
}

TEST_F(KeyJournalTest, ItIsReadWithoutBeingTouched) {
  const auto writer = open();
  add(*writer, lines(KeyFate::written, 1, 3));
  const auto before = fs::file_size(writer->path());
  const auto ledger = KeyJournal::read(writer->path());
  ASSERT_TRUE(ledger.has_value()) << ledger.error().message;
  EXPECT_EQ(alive(*ledger), alive(open()->contents()));
  EXPECT_GT(fs::file_size(writer->path()), before) << "joining leaves its mark";
  EXPECT_FALSE(KeyJournal::read(directory_ / "s3loadtest-keys-none.journal").has_value());
}

TEST_F(KeyJournalTest, AFileThatIsNoJournalIsNamed) {
  add(*open(), lines(KeyFate::written, 1, 2));
  std::ofstream(directory_ / "s3loadtest-keys-zeros.journal") << std::string(4096, '\0');
  std::ofstream(directory_ / "s3loadtest-keys-new.journal");  // its maker has not come to write in it
  const FoundJournals found = KeyJournal::find(directory_, {"http://b:2"}, "bucket");
  EXPECT_EQ(found.journals.size(), 1u);
  ASSERT_EQ(found.unreadable.size(), 1u);
  EXPECT_EQ(found.unreadable[0], (directory_ / "s3loadtest-keys-zeros.journal").string() +
                                     " is no key journal: it does not begin as one");
}

TEST_F(KeyJournalTest, WhatAPowerCutMadeZerosIsDamaged) {
  fs::path path;
  {
    const auto journal = open();
    path = journal->path();
    add(*journal, lines(KeyFate::written, 0, 3));
  }
  std::ofstream(path, std::ios::trunc) << std::string(4096, '\0');
  const auto journal = open();
  EXPECT_EQ(journal->damaged(), 1u);
  add(*journal, lines(KeyFate::written, 5, 6));
  EXPECT_EQ(alive(open()->contents()), (std::vector<std::uint64_t>{5}));
}

TEST_F(KeyJournalTest, CutAtAnyByteItLosesTheEndAndInventsNothing) {
  fs::path path;
  {
    const auto journal = open();
    path = journal->path();
    add(*journal, lines(KeyFate::written, 0, 3));
    add(*journal, lines(KeyFate::deleted, 0, 1));
    add(*journal, lines(KeyFate::written, 3, 5));
  }
  std::ifstream in(path);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  std::size_t most = 0;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    std::ofstream(path, std::ios::trunc) << whole.substr(0, cut);
    {
      const auto journal = open();
      for (const std::uint64_t key : alive(journal->contents())) EXPECT_LT(key, 5u);
      most = std::max(most, alive(journal->contents()).size());
      // It can be written on: what was cut is not glued to what comes.
      add(*journal, lines(KeyFate::written, 100, 101));
    }
    const auto again = open();
    EXPECT_EQ(alive(again->contents()).back(), 100u) << cut;
    EXPECT_EQ(again->damaged(), 0u) << cut;
  }
  EXPECT_EQ(most, 4u);
}

TEST_F(KeyJournalTest, ItStaysSmallWhileItIsUsedAndNobodyMissesALine) {
  const auto writer = open(), reader = open();
  std::map<std::uint64_t, bool> seen;
  std::uintmax_t largest = 0;
  constexpr std::uint64_t live = 2000, rounds = 300, step = 500;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::uint64_t at = round * step;
    add(*writer, lines(KeyFate::written, at, at + step));
    if (at >= live) add(*writer, lines(KeyFate::deleted, at - live, at - live + step));
    largest = std::max(largest, fs::file_size(writer->path()));
    if (round % 3 != 0) continue;
    for (const auto& [fate, key] : news_of(*reader)) {
      if (fate == KeyFate::written) seen[key] = true;
    }
  }
  for (const auto& [fate, key] : news_of(*reader)) {
    if (fate == KeyFate::written) seen[key] = true;
  }
  EXPECT_EQ(seen.size(), rounds * step);
  EXPECT_LT(largest, 10 * (live + step) * bytes_a_key);
  EXPECT_EQ(alive(open()->contents()), range((rounds - 1) * step - live + step, rounds * step));
}

TEST_F(KeyJournalTest, WhoMissedAFileIsToldAllThatStandsInTheNext) {
  const auto writer = open(), reader = open();
  for (std::uint64_t at = 0; at < 200'000; at += 1000) {
    add(*writer, lines(KeyFate::written, at, at + 1000));
    add(*writer, lines(KeyFate::deleted, at, at + 990));
  }
  JournalNews news;
  ASSERT_TRUE(reader->exchange({}, news).has_value());
  ASSERT_TRUE(news.whole.has_value());
  EXPECT_EQ(alive(*news.whole).size(), 2000u);
  EXPECT_TRUE(news.lines.empty());
}

TEST_F(KeyJournalTest, AFileThatSomebodyTookAwayIsWrittenAgain) {
  const auto a = open();
  add(*a, lines(KeyFate::written, 0, 3));
  fs::remove(a->path());
  add(*a, lines(KeyFate::written, 3, 4));
  EXPECT_EQ(alive(open()->contents()), range(0, 4));
}

TEST_F(KeyJournalTest, TheLastOneTakesAFileWithoutKeysAway) {
  auto a = open(), b = open();
  const fs::path path = a->path();
  add(*a, lines(KeyFate::written, 0, 3));
  a.reset();
  EXPECT_TRUE(fs::exists(path)) << "b uses it";
  add(*b, lines(KeyFate::deleted, 0, 3));
  b.reset();
  EXPECT_FALSE(fs::exists(path));
  add(*open(), lines(KeyFate::uncertain, 0, 1));
  EXPECT_TRUE(fs::exists(path)) << "a key that may exist is one to delete";
}

TEST_F(KeyJournalTest, WhoEndsWithoutAWordLeavesADoubt) {
  const pid_t child = fork();
  if (child == 0) {
    auto journal = KeyJournal::open(directory_, owner_, {"p"});
    if (journal) add(**journal, lines(KeyFate::written, 0, 3));
    _exit(journal ? 0 : 1);  // no destructor: as if killed
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const auto next = open();
  EXPECT_EQ(alive(next->contents()), range(0, 3));
  EXPECT_GE(next->contents().doubt_micros, micros_);
  EXPECT_FALSE(next->others_delete("p"));
}

TEST_F(KeyJournalTest, OneKnowsWhoElseMayDelete) {
  const auto a = open(owner_, {"p"});
  EXPECT_FALSE(a->others_delete("p"));
  {
    const auto reader = open(owner_, {}), sweeper = open(owner_, {"*"});
    (void)news_of(*a);
    EXPECT_TRUE(a->others_delete("p"));
    EXPECT_TRUE(reader->others_delete("p"));
  }
  (void)news_of(*a);
  EXPECT_FALSE(a->others_delete("p"));
}

TEST_F(KeyJournalTest, APlaceThatCannotBeWrittenIsNamed) {
  const auto file = directory_ / "file";
  std::ofstream(file) << "x";
  const auto journal = KeyJournal::open(file / "keys", owner_, {});
  ASSERT_FALSE(journal.has_value());
  EXPECT_NE(journal.error().message.find(file.string()), std::string::npos) << journal.error().message;
  EXPECT_NE(journal.error().message.find("S3LOADTEST_KEY_DIR"), std::string::npos);
}

}  // namespace
}  // namespace s3lt
