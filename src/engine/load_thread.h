// One core's share of a run: a loop, its clients, their keys and their recorder. Made and joined by the run's
// thread; begin() and stop() may come from it at any time; everything else happens on the thread itself.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/budget.h"
#include "engine/hash_queue.h"
#include "engine/idle_connections.h"
#include "engine/key_sync.h"
#include "engine/mailbox.h"
#include "engine/plan.h"
#include "engine/shared_hashes.h"
#include "engine/socket_sampler.h"
#include "measure/recorder.h"
#include "net/loop.h"
#include "schedule/endpoint_health.h"
#include "schedule/token_bucket.h"
#include "workload/key_store.h"
#include "workload/weighted_choice.h"

namespace s3lt {

class Client;

// The way of a pattern's clients through the keys that it deletes: pages are listed one after another, each
// by the client that comes next, which then deletes its keys while the next one lists on.
struct Sweep {
  bool passing = false;     // a pass is under way
  bool listing = false;     // one of the clients lists a page
  std::uint64_t cycle = 0;  // in which the last pass began
  std::uint64_t passes = 0;
  std::string token;  // of the next page
  // After a page that could not be listed the pass goes on there, not before this time; {}: no such time.
  TimePoint held_until{};
  Backoff backoff;
  std::vector<Client*> waiting;  // for the page that is being listed
};

// What the clients of one pattern on one thread share.
struct PatternShare {
  PatternShare(const RunPlan& plan, std::size_t pattern, KeyStore& keys, unsigned thread, Recorder& recorder);
  const std::size_t number;  // of the pattern in the plan
  const Pattern& pattern;
  KeySpace& space;   // of the keys that it writes
  KeySource source;  // of the keys that it reads
  const Phases phases;
  KeyCounters keys;
  const WeightedChoice sizes;  // of a key that is written, or read
  std::vector<CellId> cells;   // by operation kind and size class
  CellId cell(OperationKind kind, std::uint32_t size_class) const {
    return cells[static_cast<std::size_t>(kind) * std::max<std::size_t>(space.sizes.size(), 1) + size_class];
  }
  // The mix of a phase: each burst has one of the pattern's burst mixes.
  const WeightedChoice& mix_of(const Phase& phase) const;
  const std::string list_prefix;  // what LIST and DELETE-BATCH go through
  Sweep sweep;
  std::optional<OpenLoop> open_loop;
  std::unique_ptr<TokenBucket> limiter;
  std::uint64_t clients = 0;
  std::uint64_t prefill_left = 0;
  // Whose turn it is to get an operation. Of all clients together, so that operations go round the endpoints
  // in the order in which they begin; the threads begin at places far from each other.
  std::uint64_t next_endpoint;

 private:
  const WeightedChoice mix_;
  std::vector<WeightedChoice> burst_mixes_;
  const std::uint64_t seed_;
};

class LoadThread {
 public:
  // `sync` is told what happens to keys; null: nobody is.
  LoadThread(const RunPlan& plan, KeyStore& keys, KeySync* sync, Budget& budget, Mailbox& mailbox,
             unsigned index);
  ~LoadThread();

  // Starts the thread and the prefill; delivers one `last` snapshot (second 0, empty) when that is done.
  void start_prefill();
  // Starts the load; its seconds count from `t0`. Before: the prefill is done.
  void begin(TimePoint t0);
  // No new operations from now on; those in flight are cut at `cut_at`. A thread without clients left
  // delivers its last snapshot and ends.
  void stop(TimePoint cut_at);
  // Ends the pauses between operations, where no operation is left to wait for.
  void wake_if_spent();
  void join();

  // The first reason why an object of the prefill could not be written; empty: none. After the prefill.
  const std::string& prefill_problem() const { return prefill_problem_; }

  // For the clients, on this thread.
  const RunPlan& plan() const { return plan_; }
  Loop& loop() { return loop_; }
  Recorder& recorder() { return recorder_; }
  Signer& signer() { return signer_; }
  Budget& budget() { return budget_; }
  // For the moment between two waits only: all clients of the thread share it.
  ContentGather& gather() { return gather_; }
  SharedHashes& shared_hashes() { return shared_hashes_; }
  HashQueue& hash_queue() { return hash_queue_; }
  bool stopping() const { return stopping_; }
  bool cut() const { return cut_; }
  // A little later not even what was left behind is tidied any more.
  bool abandoned() const { return abandoned_; }
  IdleConnections& idle_connections() { return idle_connections_; }
  TimePoint t0() const { return t0_; }  // the start of the load
  KeyStore& keys() { return keys_; }
  // For the journal: what became of a key, or is about to.
  void note(KeyFate fate, const KeySpace& space, const KeyId& id) {
    if (!space.given) note({fate, space.key_classes[id.size_class], {id.micros, id.suffix}});
  }
  void note(const KeyEvent& event) {
    if (sync_ != nullptr) key_events_.push_back(event);
  }
  bool take_operation();
  // One that was taken and cannot be done for now; with it goes what this thread holds: others may have use
  // for it.
  void give_back_operation();
  // Whether --operations are all given out.
  bool is_spent() const { return budget_.limits_operations() && tickets_ == 0 && !budget_.operations_left(); }
  EndpointHealth& health(std::size_t endpoint) { return health_[endpoint]; }
  void note_prefill_problem(std::string problem) {
    if (prefill_problem_.empty()) prefill_problem_ = std::move(problem);
  }

 private:
  Task<void> prefill(Client& client);
  Task<void> run(Client& client);
  Task<void> deliver_seconds();
  Task<void> deliver_keys();
  Task<void> watch_lag();
  void add_use(Snapshot& snapshot, bool last);
  void add_suspicions(Snapshot& snapshot);
  void deliver_key_events();
  Task<void> cut_later(TimePoint when);
  void deliver(bool last);
  void stop_arrivals();
  void cut_arrivals();
  void finish();

  const RunPlan& plan_;
  KeyStore& keys_;
  KeySync* const sync_;
  Budget& budget_;
  Mailbox& mailbox_;
  const unsigned index_;
  Loop loop_;
  Recorder recorder_;
  Signer signer_;
  ContentGather gather_;
  SharedHashes shared_hashes_;
  HashQueue hash_queue_;
  IdleConnections idle_connections_;
  SocketSampler sampler_;
  std::vector<EndpointHealth> health_;  // by endpoint
  ClientCounters before_load_;          // what the prefill opened
  std::vector<std::unique_ptr<PatternShare>> shares_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<KeyEvent> key_events_;  // not delivered yet
  std::unique_ptr<Timer> second_timer_, cut_timer_, key_timer_, lag_timer_;
  std::thread thread_;
  std::string prefill_problem_;
  TimePoint t0_{};
  Duration delivered_{};
  std::uint64_t second_ = 0, tickets_ = 0;
  std::size_t running_ = 0;
  bool stopping_ = false, cut_ = false, abandoned_ = false, finished_ = false;
};

}  // namespace s3lt
