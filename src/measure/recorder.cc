#include "measure/recorder.h"

#include <algorithm>
#include <utility>

namespace s3lt {
namespace {

constexpr unsigned samples_of_a_kind = 10;
// A server that makes up a new code for every error must not fill the memory with samples.
constexpr std::size_t most_error_kinds = 200;

}  // namespace

CellId Recorder::cell(const CellKey& key) {
  const auto [known, is_new] = ids_.try_emplace(key, static_cast<CellId>(cells_.size()));
  if (!is_new) return known->second;
  const auto of = std::ranges::find(slowest_, key.pattern, &Slowest::pattern);
  cells_.push_back({.key = key, .pattern = static_cast<std::size_t>(of - slowest_.begin()), .cell = {}});
  if (of == slowest_.end()) slowest_.push_back({.pattern = key.pattern, .slots = {}});
  return known->second;
}

void Recorder::attempt(CellId id, const AttemptRecord& record) {
  Counters& counters = cells_[id].cell.counters;
  ++counters.attempts;
  counters.requests += record.requests;
  ++counters.outcomes[static_cast<std::size_t>(record.outcome)];
  if (record.status != 0) counters.count_status(record.status);
  at_endpoint(cells_[id].key.operation, record);
  if (record.silent_us >= shortest_silence) silent(id, record);
}

void Recorder::silent(CellId id, const AttemptRecord& record) {
  if (record.endpoint >= endpoint_urls_.size()) return;
  silences_[{endpoint_urls_[record.endpoint], cells_[id].key}].record(record.silent_us);
}

void Recorder::set_endpoints(std::vector<std::string> urls) {
  endpoint_urls_ = std::move(urls);
  endpoints_.resize(endpoint_urls_.size() * operation_kinds);
}

void Recorder::at_endpoint(OperationKind operation, const AttemptRecord& record) {
  const std::size_t place = record.endpoint * operation_kinds + static_cast<std::size_t>(operation);
  if (place >= endpoints_.size()) return;
  auto& cell = endpoints_[place];
  if (!cell) cell = std::make_unique<EndpointCell>();
  ++cell->outcomes[static_cast<std::size_t>(record.outcome)];
  if (record.outcome == Outcome::ok) cell->service.record(record.service_us);
}

void Recorder::operation(CellId id, const OperationRecord& record) {
  Cell& cell = cells_[id].cell;
  Counters& counters = cell.counters;
  if (record.outcome == Outcome::cancelled) {
    ++counters.cancelled;
    return;
  }
  ++counters.count;
  if (stopped_) ++counters.late;
  if (record.seeded) ++counters.seeded;
  if (record.behind) ++counters.behind;
  if (record.outcome == Outcome::not_found) {
    ++counters.not_found;
    return;
  }
  if (record.outcome != Outcome::ok) {
    ++counters.errors;
    ++counters.failed_with[static_cast<std::size_t>(record.outcome)];
    cell.failed.record(record.response_us);
    return;
  }
  counters.bytes += record.bytes;
  cell.response.record(record.response_us);
  cell.service.record(record.service_us);
  if (record.ttfb_us >= 0) cell.ttfb.record(record.ttfb_us);
  if (record.lag_us >= 0) cell.lag.record(record.lag_us);
}

bool Recorder::wants_error(CellId id, Outcome outcome, int status, std::string_view reason) {
  const CellKey& key = cells_[id].key;
  for (ErrorKindSeen& kind : error_kinds_) {
    if (kind.outcome != outcome || kind.status != status || kind.reason != reason) continue;
    const CellKey& other = cells_[kind.cell].key;
    if (other.operation != key.operation || other.pattern != key.pattern) continue;
    if (kind.samples >= samples_of_a_kind) return false;
    ++kind.samples;
    return true;
  }
  if (error_kinds_.size() >= most_error_kinds) return false;
  error_kinds_.push_back({id, outcome, status, std::string(reason), 1});
  return true;
}

OperationSample& Recorder::slow(CellId id, std::int64_t response_us) {
  Slowest& of = slowest_[cells_[id].pattern];
  const auto least = [&] { return std::ranges::min_element(of.slots, {}, &SlowSlot::response_us); };
  SlowSlot& slot = *least();
  slot.response_us = response_us;
  slot.fresh = true;
  of.floor = least()->response_us;
  return slot.sample;
}

void Recorder::forget_slowest() {
  for (Slowest& of : slowest_) {
    for (SlowSlot& slot : of.slots) slot.response_us = of.floor = -1;
  }
}

Snapshot Recorder::take(Duration from, Duration to) {
  Snapshot snapshot;
  snapshot.from = from;
  snapshot.to = to;
  // Copied and cleared instead of moved out: the copy holds only the pages that were written to, and the
  // recorder keeps its own, so that recording allocates nothing after the first seconds.
  for (Slot& slot : cells_) {
    if (slot.cell.counters.empty()) continue;
    snapshot.cells[slot.key].add(slot.cell);
    slot.cell.clear();
  }
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    if (!endpoints_[i] || endpoints_[i]->empty()) continue;
    const auto operation = static_cast<OperationKind>(i % operation_kinds);
    snapshot.endpoints[{endpoint_urls_[i / operation_kinds], operation}].add(*endpoints_[i]);
    endpoints_[i]->clear();
  }
  snapshot.silences = std::exchange(silences_, {});
  if (!clock_) clock_.emplace();
  const ThreadTimes times = clock_->read();
  client_.cpu_seconds = times.cpu - before_.cpu;
  client_.run_queue_seconds = times.run_queue - before_.run_queue;
  before_ = times;
  snapshot.client = std::exchange(client_, {});
  snapshot.errors = std::exchange(errors_, {});
  std::vector<OperationSample> slowest;
  for (Slowest& of : slowest_) {
    for (SlowSlot& slot : of.slots) {
      if (std::exchange(slot.fresh, false)) slowest.push_back(slot.sample);
    }
  }
  keep_slowest(snapshot.slowest, slowest);
  return snapshot;
}

}  // namespace s3lt
