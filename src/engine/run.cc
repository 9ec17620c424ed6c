#include "engine/run.h"

#include <fmt/format.h>

#include <map>

#include "engine/key_sync.h"
#include "engine/load_thread.h"
#include "engine/path_watch.h"

namespace s3lt {
namespace {

constexpr auto poll_period = std::chrono::milliseconds(50);
// A second is complete when every thread delivered it; one that is this late is not waited for.
constexpr std::uint64_t most_seconds_late = 3;

// Puts the threads' seconds together.
class Assembly {
 public:
  Assembly(const RunPlan& plan, KeyStore& keys, RunObserver& observer)
      : threads_(plan.threads),
        warmup_(plan.warmup),
        keys_(keys),
        observer_(observer),
        path_(plan.endpoints) {}

  void add(const Delivery& delivery) {
    if (!in_warmup(delivery.snapshot)) cpu_[delivery.thread] += delivery.snapshot.client.cpu_seconds;
    Open& open = open_[delivery.second];
    open.snapshot.merge(delivery.snapshot);
    ++open.parts;
    // Keys and arrivals are totals of each thread: the newest of every thread makes the whole.
    newest_[delivery.thread] = {delivery.snapshot.keys, delivery.snapshot.arrivals};
    newest_second_ = std::max(newest_second_, delivery.second);
    if (delivery.last) last_second_[delivery.thread] = delivery.second;
    while (!open_.empty()) {
      const auto first = open_.begin();
      const bool late = first->first + most_seconds_late <= newest_second_;
      if (first->second.parts < expected(first->first) && !late) break;
      flush();
    }
  }
  void finish() {
    while (!open_.empty()) flush();
  }
  // Nothing new is begun from then on.
  void stopped(Duration at) { stopped_ = at; }
  Snapshot& total() { return total_; }
  double busiest(Duration elapsed) const {
    double most = 0;
    for (const auto& [thread, cpu] : cpu_) most = std::max(most, cpu);
    return elapsed.count() > 0 ? most / to_seconds(elapsed) : 0;
  }

 private:
  struct Open {
    Snapshot snapshot;
    unsigned parts = 0;
  };
  // How many threads have a part in this second: those that have not ended before it.
  unsigned expected(std::uint64_t second) const {
    unsigned n = threads_;
    for (const auto& [thread, last] : last_second_) {
      if (last < second) --n;
    }
    return n;
  }
  void flush() {
    Snapshot second = std::move(open_.begin()->second.snapshot);
    open_.erase(open_.begin());
    second.keys.clear();
    second.arrivals.clear();
    for (const auto& [thread, totals] : newest_) {
      for (const auto& [pattern, counters] : totals.keys) second.keys[pattern].add(counters);
      for (const auto& [pattern, counters] : totals.arrivals) second.arrivals[pattern].add(counters);
    }
    // The catalogs are all threads' together.
    for (auto& [pattern, counters] : second.keys) {
      const Catalog& catalog = keys_.find(pattern)->catalog;
      counters.alive = catalog.alive();
      counters.unknown = catalog.unknown();
    }
    path_.finish(second, now());
    second.warmup = in_warmup(second);
    if (second.warmup) {
      warmup_total_.append(second);
      observer_.second(second, warmup_total_);
      return;
    }
    if (stopped_) second.grace = std::max(second.to - std::max(second.from, *stopped_), Duration::zero());
    // What became of the last operations says nothing of what held the load back.
    const bool loaded = second.loaded() > Duration::zero();
    ClientUse use;
    if (!loaded) std::swap(use, second.client.use);
    total_.append(second);
    if (!loaded) std::swap(use, second.client.use);
    total_.leave_out_arrivals(warmup_total_);
    observer_.second(second, total_);
  }
  bool in_warmup(const Snapshot& second) const { return second.middle() < warmup_; }
  const unsigned threads_;
  const Duration warmup_;
  KeyStore& keys_;
  RunObserver& observer_;
  PathWatch path_;
  std::map<std::uint64_t, Open> open_;
  struct Totals {
    std::map<std::string, KeyCounters> keys;
    std::map<std::string, ArrivalCounters> arrivals;
  };
  std::map<unsigned, Totals> newest_;
  std::map<unsigned, double> cpu_;
  std::map<unsigned, std::uint64_t> last_second_;  // of threads that have ended
  std::uint64_t newest_second_ = 0;
  std::optional<Duration> stopped_;
  Snapshot warmup_total_, total_;
};

using Threads = std::vector<std::unique_ptr<LoadThread>>;

void stop_all(Threads& threads, TimePoint cut_at) {
  for (auto& thread : threads) thread->stop(cut_at);
}

// Until every thread has said that it is through. False: interrupted meanwhile (then they are stopping).
bool await_prefill(Threads& threads, Mailbox& mailbox, const RunPlan& plan, RunObserver& observer) {
  bool interrupted = false;
  for (std::size_t done = 0; done < threads.size();) {
    done += mailbox.take(now() + poll_period).size();
    if (!interrupted && observer.interrupted()) {
      interrupted = true;
      stop_all(threads, now() + plan.grace);
    }
  }
  return !interrupted;
}

}  // namespace

Result<LoadResult> run_load(const RunPlan& plan, RunObserver& observer, KeyJournal* journal) {
  Budget budget(plan.operations, plan.bytes, plan.threads);
  Mailbox mailbox;
  const auto left = journal == nullptr ? KeyLedger::ByClass() : journal->contents().keys();
  KeyStore keys(plan.prefix, plan.worker, key_spaces_of(plan, left), plan.limits);
  std::optional<KeySync> sync;
  if (journal != nullptr) sync.emplace(*journal, keys);
  Threads threads;
  for (unsigned i = 0; i < plan.threads; ++i) {
    threads.push_back(std::make_unique<LoadThread>(plan, keys, sync ? &*sync : nullptr, budget, mailbox, i));
    threads.back()->start_prefill();
  }
  LoadResult result;
  bool stopping = !await_prefill(threads, mailbox, plan, observer);
  std::string problem;
  for (const auto& thread : threads) {
    if (problem.empty()) problem = thread->prefill_problem();
  }
  if (!problem.empty() && !stopping) {
    stopping = true;
    stop_all(threads, now());
  }
  result.interrupted = stopping && problem.empty();

  const TimePoint t0 = now();
  for (auto& thread : threads) thread->begin(t0);
  if (!stopping) observer.started();

  Assembly assembly(plan, keys, observer);
  Duration last{}, stopped = Duration::max();
  for (unsigned ended = 0; ended < plan.threads;) {
    TimePoint wake = now() + poll_period;
    if (plan.duration && !stopping) wake = std::min(wake, t0 + *plan.duration);
    for (const Delivery& delivery : mailbox.take(wake)) {
      if (delivery.last) {
        ++ended;
        last = std::max(last, delivery.snapshot.to);
      }
      assembly.add(delivery);
    }
    if (stopping) continue;
    if (!budget.operations_left()) {
      for (auto& thread : threads) thread->wake_if_spent();
    }
    const bool over = (plan.duration && now() >= t0 + *plan.duration) || !budget.bytes_left();
    result.interrupted = !over && observer.interrupted();
    if (over || result.interrupted) {
      stopping = true;
      stopped = now() - t0;
      assembly.stopped(stopped);
      observer.stopping();
      stop_all(threads, now() + plan.grace);
    }
  }
  assembly.finish();
  for (auto& thread : threads) thread->join();
  if (sync) sync->finish();
  if (!problem.empty()) {
    return unavailable(fmt::format("the prefill could not write all of its objects: {}", problem));
  }
  result.total = std::move(assembly.total());
  result.elapsed = std::max(std::min(last, stopped) - plan.warmup, Duration::zero());
  result.busiest_thread = assembly.busiest(last - plan.warmup);
  return result;
}

}  // namespace s3lt
