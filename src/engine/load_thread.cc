#include "engine/load_thread.h"

#include <algorithm>

#include "engine/client.h"

namespace s3lt {
namespace {

// How much of `total` falls to one of `parts`.
std::uint64_t share_of(std::uint64_t total, unsigned parts, unsigned index) {
  return total / parts + (index < total % parts ? 1 : 0);
}

std::vector<double> cumulative(auto&& weights, auto&& weight_of) {
  std::vector<double> steps;
  double sum = 0;
  for (const auto& item : weights) steps.push_back(sum += weight_of(item));
  return steps;
}

}  // namespace

PatternShare::PatternShare(const RunPlan& plan, const PlannedPattern& planned, KeySpace& keyspace,
                           std::uint64_t share, unsigned thread, Recorder& recorder)
    : pattern(planned.pattern),
      space(keyspace),
      size_steps(cumulative(pattern.sizes, [](const SizeClass& s) { return s.weight; })),
      mix_steps(cumulative(pattern.mix, [](double m) { return m; })),
      clients(share),
      prefill_left(share_of(plan.prefill, plan.threads, thread)) {
  for (std::size_t kind = 0; kind < operation_kinds; ++kind) {
    for (const SizeClass& size : pattern.sizes) {
      cells.push_back(recorder.cell({pattern.name, static_cast<OperationKind>(kind), size.label}));
    }
  }
  if (plan.bandwidth && planned.clients > 0) {
    const double rate = *plan.bandwidth * static_cast<double>(share) / static_cast<double>(planned.clients);
    limiter = std::make_unique<TokenBucket>(rate, std::max(rate / 10, 1024.0));
  }
}

LoadThread::LoadThread(const RunPlan& plan, KeyStore& keys, Budget& budget, Mailbox& mailbox, unsigned index)
    : plan_(plan),
      keys_(keys),
      budget_(budget),
      mailbox_(mailbox),
      index_(index),
      signer_(plan.credentials, plan.region),
      health_(plan.endpoints.size()) {}
LoadThread::~LoadThread() {
  join();
}

void LoadThread::start_prefill() {
  thread_ = std::thread([this] {
    second_timer_ = std::make_unique<Timer>(loop_);
    cut_timer_ = std::make_unique<Timer>(loop_);
    for (std::size_t p = 0; p < plan_.patterns.size(); ++p) {
      const PlannedPattern& planned = plan_.patterns[p];
      const std::uint64_t clients = share_of(planned.clients, plan_.threads, index_);
      shares_.push_back(
          std::make_unique<PatternShare>(plan_, planned, keys_.space(p), clients, index_, recorder_));
      // A client's number, and with it its random stream, does not depend on how many threads there are.
      for (std::uint64_t i = 0; i < clients; ++i) {
        clients_.push_back(std::make_unique<Client>(*this, *shares_.back(), i * plan_.threads + index_));
      }
    }
    running_ = clients_.size() + 1;
    for (const auto& client : clients_) spawn(prefill(*client));
    if (--running_ == 0) mailbox_.put({.thread = index_, .last = true});
    loop_.run();
    clients_.clear();
    second_timer_.reset();
    cut_timer_.reset();
  });
}

Task<void> LoadThread::prefill(Client& client) {
  co_await client.prefill();
  if (--running_ == 0) mailbox_.put({.thread = index_, .last = true});
}

void LoadThread::begin(TimePoint t0) {
  loop_.post([this, t0] {
    t0_ = t0;
    before_load_ = recorder_.take({}, {}).client;  // the rest is not part of the load
    before_load_.cpu_seconds = 0;
    if (stopping_) {
      finish();
      return;
    }
    spawn(deliver_seconds());
    running_ = clients_.size() + 1;
    for (const auto& client : clients_) spawn(run(*client));
    if (--running_ == 0) finish();
  });
}

Task<void> LoadThread::run(Client& client) {
  co_await client.run();
  if (--running_ == 0) finish();
}

void LoadThread::stop(TimePoint cut_at) {
  loop_.post([this, cut_at] {
    const bool first = !std::exchange(stopping_, true);
    if (finished_) return;
    for (const auto& client : clients_) client->wake();
    if (first) spawn(cut_later(cut_at));
  });
}

Task<void> LoadThread::cut_later(TimePoint when) {
  const bool in_time = co_await cut_timer_->until(when);
  if (!in_time || finished_) co_return;
  cut_ = true;
  for (const auto& client : clients_) client->cut();
}

void LoadThread::connect_failed(std::size_t endpoint) {
  Health& health = health_[endpoint];
  const TimePoint t = now();
  // Clients that failed together count once.
  if (t >= health.suspect_until) health.suspect_until = t + health.backoff.failed();
}

bool LoadThread::take_operation() {
  if (!budget_.bytes_left()) return false;
  if (!budget_.limits_operations()) return true;
  if (tickets_ == 0) tickets_ = budget_.take_operations();
  if (tickets_ == 0) return false;
  --tickets_;
  return true;
}

void LoadThread::deliver(bool last) {
  const Duration to = now() - t0_;
  Snapshot snapshot = recorder_.take(delivered_, to);
  delivered_ = to;
  snapshot.client.add(std::exchange(before_load_, {}));
  for (const auto& share : shares_) {
    snapshot.keys[share->pattern.name].add(share->keys);
  }
  mailbox_.put({.thread = index_, .second = second_++, .snapshot = std::move(snapshot), .last = last});
}

Task<void> LoadThread::deliver_seconds() {
  for (;;) {
    const bool in_time = co_await second_timer_->until(t0_ + std::chrono::seconds(second_ + 1));
    if (!in_time || finished_) co_return;
    deliver(false);
  }
}

void LoadThread::finish() {
  finished_ = true;
  if (tickets_ > 0) budget_.give_back_operations(std::exchange(tickets_, 0));
  second_timer_->cancel();
  cut_timer_->cancel();
  deliver(true);
  // Not at once: coroutines that were just cancelled end first.
  loop_.post([this] { loop_.post([this] { loop_.stop(); }); });
}

void LoadThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace s3lt
