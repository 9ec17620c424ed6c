// Takes down what the clients of one thread see. One recorder belongs to one thread; nothing here
// locks, and nothing allocates once a cell's histograms have their pages. Once a second the thread
// hands over what it has with take().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "measure/cpu_times.h"
#include "measure/snapshot.h"

namespace s3lt {

// An index into the recorder's cells, made once when a client starts.
using CellId = std::uint32_t;

// One attempt that ended.
struct AttemptRecord {
  Outcome outcome{};
  int status = 0;               // 0: no HTTP answer
  std::uint32_t requests = 1;   // HTTP exchanges begun for it
  std::uint32_t endpoint = 0;   // its place in the list of set_endpoints()
  std::int64_t service_us = 0;  // first byte sent to last byte received; told of ok attempts only
  std::int64_t silent_us = 0;   // of a cancelled one: without a connection or a byte until it was cut
};

// One operation that ended (not cancelled).
struct OperationRecord {
  Outcome outcome{};             // of its last attempt
  std::uint64_t bytes = 0;       // body bytes; counted where ok
  std::int64_t response_us = 0;  // intended start to end
  std::int64_t service_us =
      0;                      // first byte of the first to last byte of the last request of the last attempt
  std::int64_t ttfb_us = -1;  // first byte sent to first byte of the final answer; -1: none
  std::int64_t lag_us = -1;   // intended to actual start; -1: closed loop, none
  bool seeded = false;
  bool behind = false;  // a slow client's transfer that the storage or the network made slower still
};

class Recorder {
 public:
  CellId cell(const CellKey& key);  // the same id for the same key
  // Whose attempts are told apart. Before the first attempt; without it none are.
  void set_endpoints(std::vector<std::string> urls);

  // The load was stopped: what ends from now on is late.
  void stopped() { stopped_ = true; }
  void moved(CellId id, std::uint64_t bytes) {
    Counters& counters = cells_[id].cell.counters;
    counters.bytes_moved += bytes;
    if (stopped_) counters.late_bytes += bytes;
  }
  void attempt(CellId id, const AttemptRecord& record);
  // HTTP exchanges for an operation that are no try of it: they tidy up behind it.
  void requests(CellId id, std::uint32_t n) { cells_[id].cell.counters.requests += n; }
  void operation(CellId id, const OperationRecord& record);
  void cancelled(CellId id) { ++cells_[id].cell.counters.cancelled; }
  // A read whose bytes were checked, and what was wrong with them.
  void checked(CellId id, std::optional<Corruption> wrong) {
    Counters& counters = cells_[id].cell.counters;
    ++counters.checked;
    if (wrong) ++counters.corrupt[static_cast<std::size_t>(*wrong)];
  }
  void connection() { ++client_.connections; }
  // The TLS handshake of a connection: how long it took, and whether it continued a session.
  void handshake(std::int64_t micros, bool resumed) {
    client_.handshakes.record(micros);
    if (resumed) ++client_.resumed_handshakes;
  }
  void reconnect() { ++client_.reconnects; }
  void idle_closed() { ++client_.idle_closed; }
  void proxy_answer() { ++client_.proxy_answers; }
  // A timer of the thread came so much later than due.
  void loop_lag(std::int64_t micros) { client_.use.loop_lag.record(micros); }

  // Whether a sample of this kind of error (pattern, operation, outcome, status, reason) is still wanted:
  // the first 10 of each kind that this recorder sees. Asked before one is built, since building
  // allocates; answering for a kind seen before does not.
  bool wants_error(CellId id, Outcome outcome, int status, std::string_view reason);
  void error(OperationSample sample) { errors_.push_back(std::move(sample)); }

  // Whether an operation is among the slowest of its pattern that this recorder saw since forget_slowest().
  bool is_slow(CellId id, std::int64_t response_us) const {
    return response_us > slowest_[cells_[id].pattern].floor;
  }
  // Where to write it down, all of it: the place of one that is so no longer. Its strings keep their room, so
  // that a run which gets ever slower allocates nothing for it either.
  OperationSample& slow(CellId id, std::int64_t response_us);
  void forget_slowest();

  // Hands over everything since the last call and starts anew. `from`/`to` are since the start of the
  // load. Reads the thread's CPU time: call it on the recorder's own thread. The first call counts CPU
  // time from the start of the thread; call it once as the load starts to leave that out.
  Snapshot take(Duration from, Duration to);

 private:
  struct Slot {
    CellKey key;
    std::size_t pattern = 0;  // its place in slowest_
    Cell cell;
  };
  struct ErrorKindSeen {
    CellId cell = 0;  // the first cell of this pattern and operation that saw it
    Outcome outcome{};
    int status = 0;
    std::string reason;
    unsigned samples = 0;
  };
  void at_endpoint(OperationKind operation, const AttemptRecord& record);
  void silent(CellId id, const AttemptRecord& record);
  bool stopped_ = false;
  std::deque<Slot> cells_;
  std::vector<std::string> endpoint_urls_;
  std::vector<std::unique_ptr<EndpointCell>> endpoints_;  // by endpoint and operation; made when first met
  std::map<SilenceKey, CoarseHistogram> silences_;
  std::map<CellKey, CellId> ids_;
  std::vector<ErrorKindSeen> error_kinds_;  // few, searched one by one
  std::vector<OperationSample> errors_;
  struct SlowSlot {
    std::int64_t response_us = -1;  // -1: empty
    bool fresh = false;             // not handed over yet
    OperationSample sample;
  };
  struct Slowest {  // of a pattern
    std::string pattern;
    std::array<SlowSlot, slowest_kept> slots;
    std::int64_t floor = -1;  // the least of them
  };
  std::vector<Slowest> slowest_;
  ClientCounters client_;
  std::optional<ThreadClock> clock_;  // made by the first take(): it is of one thread
  ThreadTimes before_;
};

}  // namespace s3lt
