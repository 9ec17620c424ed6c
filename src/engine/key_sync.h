// Keeps a process's keys and its worker's journal in step, on a thread of its own, four times a second: what
// the clients wrote and deleted goes into the journal, what other processes did comes into the catalogs.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/plan.h"
#include "journal/key_journal.h"
#include "workload/key_store.h"

namespace s3lt {

// The keys that a run writes or reads: those of its patterns, in their order, then those that they read from
// patterns of other processes. What earlier runs left in other sizes belongs to them too.
std::vector<KeySpaceSpec> key_spaces_of(const RunPlan& plan, const KeyLedger::ByClass& left);

// The patterns whose keys the plan's patterns may delete, "*" for all.
std::vector<std::string> patterns_deleted_by(const RunPlan& plan);

class KeySync {
 public:
  static constexpr auto period = std::chrono::milliseconds(250);

  // Gives the store the keys that the journal held when it was opened, and begins. Both must outlive it.
  // Where other processes may read what this one deletes, it waits until they have heard of it: half a
  // second.
  KeySync(KeyJournal& journal, KeyStore& store);
  ~KeySync();  // ends the thread
  KeySync(const KeySync&) = delete;
  KeySync& operator=(const KeySync&) = delete;

  // What a load thread's clients did since the last time. Thread-safe.
  void put(std::vector<KeyEvent> events);
  // Writes what is left and leaves the journal. After the last put().
  void finish();

 private:
  void restore();
  void work();
  std::vector<KeyEvent> take();
  void exchange();
  void apply(const JournalNews& news);
  void apply(const JournalKeys& keys);
  void reconcile(const KeyLedger& whole);
  void failed(const Error& error);

  KeyJournal& journal_;
  KeyStore& store_;
  std::string pending_;  // lines that could not be written yet
  bool failing_ = false;
  std::mutex mutex_;
  std::condition_variable ending_;
  std::vector<KeyEvent> events_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace s3lt
