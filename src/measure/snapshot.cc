#include "measure/snapshot.h"

#include <algorithm>
#include <numeric>

namespace s3lt {

void Counters::add(const Counters& other) {
  count += other.count;
  bytes += other.bytes;
  bytes_moved += other.bytes_moved;
  errors += other.errors;
  not_found += other.not_found;
  cancelled += other.cancelled;
  attempts += other.attempts;
  requests += other.requests;
  late += other.late;
  late_bytes += other.late_bytes;
  seeded += other.seeded;
  behind += other.behind;
  checked += other.checked;
  for (std::size_t i = 0; i < corrupt.size(); ++i) corrupt[i] += other.corrupt[i];
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    outcomes[i] += other.outcomes[i];
    failed_with[i] += other.failed_with[i];
  }
  for (const auto& [code, n] : other.status) {
    const auto known = std::ranges::find(status, code, &std::pair<int, std::uint64_t>::first);
    if (known != status.end()) {
      known->second += n;
    } else {
      status.emplace_back(code, n);
    }
  }
}

void Counters::clear() {
  count = bytes = bytes_moved = errors = not_found = cancelled = attempts = requests = seeded = late =
      late_bytes = behind = checked = 0;
  corrupt.fill(0);
  outcomes.fill(0);
  failed_with.fill(0);
  status.clear();
}

std::uint64_t Counters::repeated() const {
  std::uint64_t failed = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (is_error(static_cast<Outcome>(i))) failed += outcomes[i];
  }
  return failed - std::min(failed, errors);
}

void Cell::add(const Cell& other) {
  counters.add(other.counters);
  response.add(other.response);
  service.add(other.service);
  ttfb.add(other.ttfb);
  lag.add(other.lag);
  failed.add(other.failed);
}

void Cell::clear() {
  counters.clear();
  for (Histogram* histogram : {&response, &service, &ttfb, &lag, &failed}) histogram->clear();
}

std::uint64_t EndpointCell::attempts() const {
  return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t(0)) -
         outcomes[static_cast<std::size_t>(Outcome::cancelled)];
}

std::uint64_t EndpointCell::errors() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (is_error(static_cast<Outcome>(i))) sum += outcomes[i];
  }
  return sum;
}

bool EndpointCell::empty() const {
  return std::ranges::all_of(outcomes, [](std::uint64_t n) { return n == 0; });
}

void EndpointCell::add(const EndpointCell& other) {
  for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i] += other.outcomes[i];
  service.add(other.service);
}

void EndpointCell::clear() {
  outcomes.fill(0);
  service.clear();
}

void KeyCounters::add(const KeyCounters& other) {
  written += other.written;
  deleted += other.deleted;
  trimmed += other.trimmed;
  alive += other.alive;
  unknown += other.unknown;
  refused += other.refused;
  foreign += other.foreign;
  unaborted += other.unaborted;
  no_key += other.no_key;
  waiting += other.waiting;
}

void EndpointSuspicion::add(const EndpointSuspicion& other) {
  times += other.times;
  probes += other.probes;
  seconds += other.seconds;
}

void ArrivalCounters::add(const ArrivalCounters& other) {
  intended += other.intended;
  not_sent += other.not_sent;
  waiting += other.waiting;
}

void ClientCounters::add(const ClientCounters& other) {
  cpu_seconds += other.cpu_seconds;
  connections += other.connections;
  reconnects += other.reconnects;
  idle_closed += other.idle_closed;
  proxy_answers += other.proxy_answers;
  run_queue_seconds += other.run_queue_seconds;
  handshakes.add(other.handshakes);
  resumed_handshakes += other.resumed_handshakes;
  use.add(other.use);
}

namespace {

// What merging and continuing have in common.
void add_figures(Snapshot& into, const Snapshot& from) {
  if (into.from == into.to) {  // nothing yet
    into.from = from.from;
    into.to = from.to;
  }
  into.from = std::min(into.from, from.from);
  into.to = std::max(into.to, from.to);
  for (const auto& [key, cell] : from.cells) into.cells[key].add(cell);
  for (const auto& [key, cell] : from.endpoints) into.endpoints[key].add(cell);
  for (const auto& [url, suspicion] : from.suspicions) into.suspicions[url].add(suspicion);
  for (const auto& [url, addresses] : from.address_suspicions) {
    for (const auto& [address, suspicion] : addresses) into.address_suspicions[url][address].add(suspicion);
  }
  for (const auto& [key, silence] : from.silences) into.silences[key].add(silence);
  into.client.add(from.client);
  into.errors.insert(into.errors.end(), from.errors.begin(), from.errors.end());
  keep_slowest(into.slowest, from.slowest);
}

}  // namespace

void Snapshot::leave_out_arrivals(const Snapshot& before) {
  for (auto& [pattern, counters] : arrivals) {
    const auto starts = before.arrivals.find(pattern);
    if (starts == before.arrivals.end()) continue;
    std::uint64_t gone = starts->second.not_sent;
    for (const auto& [key, cell] : before.cells) {
      if (key.pattern == pattern && is_in_mix(key.operation))
        gone += cell.counters.count + cell.counters.cancelled;
    }
    counters.intended -= std::min(counters.intended, gone);
    counters.not_sent -= std::min(counters.not_sent, starts->second.not_sent);
    const auto wanted = before.keys.find(pattern);
    if (wanted != before.keys.end()) {
      std::uint64_t& no_key = keys[pattern].no_key;
      no_key -= std::min(no_key, wanted->second.no_key);
    }
  }
}

std::uint64_t Snapshot::starved(const std::string& pattern) const {
  const auto open = arrivals.find(pattern);
  const auto of_keys = keys.find(pattern);
  if (open == arrivals.end()) return 0;
  const std::uint64_t no_key = of_keys == keys.end() ? 0 : of_keys->second.no_key;
  return open->second.not_sent - std::min(open->second.not_sent, no_key);
}

void Snapshot::merge(const Snapshot& other) {
  add_figures(*this, other);
  for (const auto& [pattern, counters] : other.keys) keys[pattern].add(counters);
  for (const auto& [pattern, counters] : other.arrivals) arrivals[pattern].add(counters);
}

void Snapshot::append(const Snapshot& next) {
  add_figures(*this, next);
  grace += next.grace;
  for (const auto& [pattern, counters] : next.keys) keys[pattern] = counters;
  for (const auto& [pattern, counters] : next.arrivals) arrivals[pattern] = counters;
}

}  // namespace s3lt
