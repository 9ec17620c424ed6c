#include "engine/load_thread.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/client.h"

namespace s3lt {
namespace {

constexpr auto lag_period = std::chrono::milliseconds(20);

// After the cut; with it a run ends within a second of its grace.
constexpr auto time_to_abort = std::chrono::milliseconds(800);

// How much of `total` falls to one of `parts`.
std::uint64_t share_of(std::uint64_t total, unsigned parts, unsigned index) {
  return total / parts + (index < total % parts ? 1 : 0);
}

std::vector<double> weights_of(std::span<const SizeClass> sizes) {
  std::vector<double> weights;
  for (const SizeClass& size : sizes) weights.push_back(size.weight);
  return weights;
}

// Clients that go through one listing together do so on one thread; those of other patterns are dealt out.
std::uint64_t clients_here(const RunPlan& plan, std::size_t pattern, unsigned thread) {
  const PlannedPattern& planned = plan.patterns[pattern];
  if (planned.pattern.sweeps()) return pattern % plan.threads == thread ? planned.clients : 0;
  return share_of(planned.clients, plan.threads, thread);
}

// Of the connections that may be open, this thread's: by what its clients may need at once.
std::uint64_t connections_here(const RunPlan& plan, unsigned thread) {
  std::uint64_t all = 0, here = 0;
  for (std::size_t p = 0; p < plan.patterns.size(); ++p) {
    const std::uint64_t each = busy_connections(plan, plan.patterns[p].pattern);
    all += each * plan.patterns[p].clients;
    here += each * clients_here(plan, p, thread);
  }
  // What they need, and an equal share of the rest.
  const std::uint64_t rest = plan.most_connections - std::min(plan.most_connections, all);
  return std::max<std::uint64_t>(here, 1) + rest / plan.threads;
}

KeySource source_of(const RunPlan& plan, std::size_t pattern, KeyStore& keys) {
  const Pattern& reader = plan.patterns[pattern].pattern;
  std::vector<KeySpace*> spaces;
  for (const auto& space : keys.spaces()) {
    const bool read = reader.keys_from.empty()
                          ? space->pattern == reader.name
                          : std::ranges::find(reader.keys_from, space->pattern) != reader.keys_from.end();
    if (read) spaces.push_back(space.get());
  }
  return KeySource(std::move(spaces), reader.sizes);
}

std::uint64_t pattern_seed(const RunPlan& plan, const Pattern& pattern) {
  return Random::stream(plan.seed, {plan.worker, hash64(pattern.name)}).next();
}

std::size_t burst_mix(const Pattern& pattern, std::uint64_t seed, const Phase& phase) {
  return Random::stream(seed, {phase.number, 1}).below(pattern.burst_mixes.size());
}

}  // namespace

Phases phases_of(const RunPlan& plan, const Pattern& pattern) {
  return {pattern.schedule.scaled(plan.time_scale), pattern_seed(plan, pattern)};
}

const Mix& mix_in(const RunPlan& plan, const Pattern& pattern, const Phase& phase) {
  if (phase.kind != PhaseKind::burst || pattern.burst_mixes.empty()) return pattern.mix;
  return pattern.burst_mixes[burst_mix(pattern, pattern_seed(plan, pattern), phase)];
}

PatternShare::PatternShare(const RunPlan& plan, std::size_t index, KeyStore& store, unsigned thread,
                           Recorder& recorder)
    : number(index),
      pattern(plan.patterns[index].pattern),
      space(store.space(index)),
      source(source_of(plan, index, store)),
      phases(phases_of(plan, pattern)),
      sizes(weights_of(pattern.sizes)),
      list_prefix(pattern.list_scope == ListScope::worker ? fmt::format("{}{}/", plan.prefix, plan.worker)
                                                          : plan.prefix),
      clients(clients_here(plan, index, thread)),
      prefill_left(pattern.writes() ? share_of(plan.prefill, plan.threads, thread) : 0),
      next_endpoint(plan.endpoints.size() * thread / std::max(plan.threads, 1u)),
      mix_(pattern.mix),
      seed_(pattern_seed(plan, pattern)) {
  for (const Mix& mix : pattern.burst_mixes) burst_mixes_.emplace_back(mix);
  for (std::size_t k = 0; k < operation_kinds; ++k) {
    const auto kind = static_cast<OperationKind>(k);
    const bool of_objects = kind != OperationKind::list && kind != OperationKind::delete_batch;
    for (std::size_t i = 0; i < std::max<std::size_t>(space.sizes.size(), 1); ++i) {
      const bool sized = of_objects && i < space.sizes.size();
      cells.push_back(recorder.cell({pattern.name, kind, sized ? space.sizes[i].label : ""}));
    }
  }
  const std::uint64_t all = plan.patterns[index].clients;
  if (pattern.open_loop && all > 0) {
    const OpenLoopSpec& spec = *pattern.open_loop;
    Arrivals arrivals(spec.course, spec.kind, {all, plan.threads, thread}, phases,
                      Random::stream(pattern_seed(plan, pattern), {thread, 2}));
    open_loop.emplace(std::move(arrivals), (spec.max_backlog * clients + all - 1) / all,
                      plan.duration.value_or(Duration::max()));
  }
  if (plan.bandwidth && all > 0) {
    const double rate = *plan.bandwidth * static_cast<double>(clients) / static_cast<double>(all);
    limiter = std::make_unique<TokenBucket>(rate, std::max(rate / 10, 1024.0));
  }
}

const WeightedChoice& PatternShare::mix_of(const Phase& phase) const {
  if (phase.kind != PhaseKind::burst || burst_mixes_.empty()) return mix_;
  return burst_mixes_[burst_mix(pattern, seed_, phase)];
}

LoadThread::LoadThread(const RunPlan& plan, KeyStore& keys, KeySync* sync, Budget& budget, Mailbox& mailbox,
                       unsigned index)
    : plan_(plan),
      keys_(keys),
      sync_(sync),
      budget_(budget),
      mailbox_(mailbox),
      index_(index),
      signer_(plan.credentials, plan.region),
      hash_queue_(loop_, plan.patterns.size()) {
  std::vector<std::string> urls;
  for (const ResolvedEndpoint& endpoint : plan.endpoints) {
    urls.push_back(endpoint.url);
    health_.emplace_back(endpoint.addresses.size());
  }
  recorder_.set_endpoints(std::move(urls));
  if (plan.most_connections > 0) idle_connections_.limit(connections_here(plan, index));
}
LoadThread::~LoadThread() {
  join();
}

void LoadThread::start_prefill() {
  thread_ = std::thread([this] {
    second_timer_ = std::make_unique<Timer>(loop_);
    cut_timer_ = std::make_unique<Timer>(loop_);
    key_timer_ = std::make_unique<Timer>(loop_);
    lag_timer_ = std::make_unique<Timer>(loop_);
    if (sync_ != nullptr) spawn(deliver_keys());
    for (std::size_t p = 0; p < plan_.patterns.size(); ++p) {
      shares_.push_back(std::make_unique<PatternShare>(plan_, p, keys_, index_, recorder_));
      // A client's number, and with it its random stream, does not depend on how many threads there are.
      for (std::uint64_t i = 0; i < shares_.back()->clients; ++i) {
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
    key_timer_.reset();
    lag_timer_.reset();
  });
}

Task<void> LoadThread::prefill(Client& client) {
  co_await client.prefill();
  if (--running_ == 0) mailbox_.put({.thread = index_, .last = true});
}

void LoadThread::begin(TimePoint t0) {
  loop_.post([this, t0] {
    t0_ = t0;
    ClientCounters before = recorder_.take({}, {}).client;  // the rest is not part of the load
    before_load_ = {.connections = before.connections,
                    .reconnects = before.reconnects,
                    .idle_closed = before.idle_closed,
                    .handshakes = std::move(before.handshakes),
                    .resumed_handshakes = before.resumed_handshakes};
    if (stopping_) {
      finish();
      return;
    }
    spawn(deliver_seconds());
    spawn(watch_lag());
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
    recorder_.stopped();
    stop_arrivals();
    for (const auto& client : clients_) client->wake();
    if (first) spawn(cut_later(cut_at));
  });
}

void LoadThread::wake_if_spent() {
  loop_.post([this] {
    if (finished_ || !is_spent()) return;
    for (const auto& client : clients_) client->wake();
  });
}

Task<void> LoadThread::cut_later(TimePoint when) {
  const bool in_time = co_await cut_timer_->until(when);
  if (!in_time || finished_) co_return;
  cut_ = true;
  cut_arrivals();
  for (const auto& client : clients_) client->cut();
  // Uploads that were cut are aborted.
  const bool still_there = co_await cut_timer_->until(now() + time_to_abort);
  if (!still_there || finished_) co_return;
  abandoned_ = true;
  for (const auto& client : clients_) client->cut();
}

bool LoadThread::take_operation() {
  if (!budget_.bytes_left()) return false;
  if (!budget_.limits_operations()) return true;
  if (tickets_ == 0) tickets_ = budget_.take_operations();
  if (tickets_ == 0) return false;
  --tickets_;
  return true;
}

void LoadThread::give_back_operation() {
  if (budget_.limits_operations()) budget_.give_back_operations(1 + std::exchange(tickets_, 0));
}

// What was meant to begin until now, and no client took on, is still done in the grace.
void LoadThread::stop_arrivals() {
  for (const auto& share : shares_) {
    if (!share->open_loop) continue;
    if (is_spent() || !budget_.bytes_left()) {
      share->open_loop->abandon();
    } else {
      share->open_loop->stop(now() - t0_);
    }
  }
}

void LoadThread::cut_arrivals() {
  for (const auto& share : shares_) {
    if (share->open_loop) share->open_loop->cut();
  }
}

void LoadThread::deliver(bool last) {
  const Duration to = now() - t0_;
  Snapshot snapshot = recorder_.take(delivered_, to);
  if (snapshot.middle() < plan_.warmup) recorder_.forget_slowest();
  delivered_ = to;
  add_use(snapshot, last);
  add_suspicions(snapshot);
  snapshot.client.add(std::exchange(before_load_, {}));
  for (const auto& share : shares_) {
    snapshot.keys[share->pattern.name].add(share->keys);
    if (!share->open_loop) continue;
    OpenLoop& loop = *share->open_loop;
    loop.admit(to);
    snapshot.arrivals[share->pattern.name] = {loop.intended(), loop.not_sent(), loop.waiting()};
  }
  mailbox_.put({.thread = index_, .second = second_++, .snapshot = std::move(snapshot), .last = last});
}

void LoadThread::add_suspicions(Snapshot& snapshot) {
  const TimePoint t = now();
  const auto add = [this](std::map<std::string, EndpointSuspicion>& to, const std::string& name,
                          const EndpointHealth::Figures& figures) {
    if (figures == EndpointHealth::Figures{}) return;
    to[name].add({.times = figures.suspicions,
                  .probes = figures.probes,
                  .seconds = to_seconds(figures.suspect) / plan_.threads});
  };
  for (std::size_t i = 0; i < health_.size(); ++i) {
    const ResolvedEndpoint& endpoint = plan_.endpoints[i];
    add(snapshot.suspicions, endpoint.url, health_[i].take(t));
    if (endpoint.addresses.size() == 1) continue;
    std::map<std::string, EndpointSuspicion> addresses;
    for (std::size_t k = 0; k < endpoint.addresses.size(); ++k)
      add(addresses, endpoint.addresses[k].text(), health_[i].take_of(k, t));
    if (!addresses.empty()) snapshot.address_suspicions[endpoint.url] = std::move(addresses);
  }
}

void LoadThread::add_use(Snapshot& snapshot, bool last) {
  ThreadUse& use = snapshot.client.use.threads[{plan_.worker, index_}];
  use.wall = to_seconds(snapshot.to - snapshot.from);
  use.cpu = snapshot.client.cpu_seconds;
  use.run_queue = snapshot.client.run_queue_seconds;
  use.loaded = snapshot.cells.empty() ? 0 : use.wall;
  for (const auto& [key, cell] : snapshot.cells) {
    if (key.operation != OperationKind::part) use.operations += cell.counters.count;
  }
  // At the end nothing is under way any more.
  if (!last) snapshot.client.use.sockets = sampler_.look(loop_, clients_.size());
}

// How late what is due comes, and with it every time that is taken here. Each time that was due counts, also
// those that a long delay made late together.
Task<void> LoadThread::watch_lag() {
  for (TimePoint due = t0_ + lag_period;;) {
    const bool in_time = co_await lag_timer_->until(due);
    if (!in_time || finished_) co_return;
    for (const TimePoint t = now(); due <= t; due += lag_period) recorder_.loop_lag(to_micros(t - due));
  }
}

Task<void> LoadThread::deliver_seconds() {
  for (;;) {
    const bool in_time = co_await second_timer_->until(t0_ + std::chrono::seconds(second_ + 1));
    if (!in_time || finished_) co_return;
    deliver(false);
  }
}

void LoadThread::deliver_key_events() {
  if (!key_events_.empty()) sync_->put(std::exchange(key_events_, {}));
}

Task<void> LoadThread::deliver_keys() {
  for (;;) {
    const bool in_time = co_await key_timer_->until(now() + KeySync::period);
    deliver_key_events();
    if (!in_time || finished_) co_return;
  }
}

void LoadThread::finish() {
  finished_ = true;
  stop_arrivals();
  cut_arrivals();
  if (tickets_ > 0) budget_.give_back_operations(std::exchange(tickets_, 0));
  second_timer_->cancel();
  key_timer_->cancel();
  lag_timer_->cancel();
  cut_timer_->cancel();
  deliver_key_events();
  deliver(true);
  // Not at once: coroutines that were just cancelled end first.
  loop_.post([this] { loop_.post([this] { loop_.stop(); }); });
}

void LoadThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace s3lt
