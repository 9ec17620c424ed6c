// What happened in a stretch of time: counters and histograms per pattern, operation and size.
// A snapshot of a thread, of a host and of a fleet is the same thing, and they merge the same way,
// losslessly. Not thread-safe: it is handed over whole.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/vocabulary.h"
#include "measure/client_use.h"
#include "measure/coarse_histogram.h"
#include "measure/histogram.h"
#include "measure/sample.h"

namespace s3lt {

struct CellKey {
  std::string pattern;
  OperationKind operation{};
  std::string size;  // label: "1KB"; empty for operations without a size (LIST, DELETE…)
  auto operator<=>(const CellKey&) const = default;
};

// README, "Counters", says what each means; changing a meaning changes the schema.
struct Counters {
  std::uint64_t count = 0;        // operations that ended ok, not_found or in an error
  std::uint64_t bytes = 0;        // body bytes of ok operations
  std::uint64_t bytes_moved = 0;  // body bytes sent or received, also by failed and cancelled ones
  std::uint64_t errors = 0;       // operations whose last attempt was an error
  std::uint64_t not_found = 0;
  std::uint64_t cancelled = 0;  // operations cut by the end of the run
  std::uint64_t attempts = 0;   // tries of operations: the sum of outcomes
  std::uint64_t requests = 0;   // HTTP exchanges begun
  // Those of `count` and `bytes_moved` after the load was stopped, within the grace: in no rate.
  std::uint64_t late = 0, late_bytes = 0;
  std::uint64_t seeded = 0;  // writes that stand for a read that found no key
  std::uint64_t behind = 0;  // transfers of slow clients that the storage or the network made slower still
  std::array<std::uint64_t, s3lt::outcomes> outcomes{};  // of attempts
  std::array<std::uint64_t, s3lt::outcomes>
      failed_with{};                                  // the errors, by the outcome of their last attempt
  std::vector<std::pair<int, std::uint64_t>> status;  // HTTP status of attempts, few distinct ones
  std::uint64_t checked = 0;                          // reads that came whole and whose bytes were checked
  std::array<std::uint64_t, corruptions> corrupt{};   // those that were not the object, by kind

  void count_status(int code) {
    for (auto& [known, n] : status) {
      if (known == code) {
        ++n;
        return;
      }
    }
    status.emplace_back(code, 1);
  }
  // What rates are made of.
  std::uint64_t in_time() const { return count - late; }
  // Attempts that went wrong and did not end their operation.
  std::uint64_t repeated() const;
  std::uint64_t bytes_in_time() const { return bytes_moved - late_bytes; }
  void add(const Counters& other);
  void clear();  // keeps the room of `status`
  bool empty() const { return (count | bytes_moved | cancelled | attempts | requests | seeded) == 0; }
};

struct Cell {
  Counters counters;
  // Of ok operations, in microseconds; `failed` is the response time of those that ended in an error.
  Histogram response, service, ttfb, lag, failed;
  void add(const Cell& other);
  void clear();
};

// What one endpoint did with the attempts of one kind of operation, of all patterns and sizes.
struct EndpointKey {
  std::string url;
  OperationKind operation{};
  auto operator<=>(const EndpointKey&) const = default;
};
struct EndpointCell {
  std::array<std::uint64_t, s3lt::outcomes> outcomes{};  // of attempts
  CoarseHistogram service;  // of ok attempts: first byte sent to last byte received, microseconds

  std::uint64_t attempts() const;  // that ended by themselves: all but cancelled ones
  std::uint64_t errors() const;    // of those
  bool empty() const;
  void add(const EndpointCell& other);
  void clear();
};

// Attempts that the end of the run cut when no byte of theirs had moved for a while: at which endpoint, and
// of what. Shorter silences are not kept.
struct SilenceKey {
  std::string url;
  CellKey cell;
  auto operator<=>(const SilenceKey&) const = default;
};
inline constexpr std::int64_t shortest_silence = 1'000'000;  // microseconds

// How an endpoint was gone round after it refused or reset connections or left them hanging.
struct EndpointSuspicion {
  std::uint64_t times = 0, probes = 0;
  double seconds = 0;  // the mean of a process's threads, each of which finds out for itself
  void add(const EndpointSuspicion& other);
};

// Of the keys of one pattern: see README, "Counters".
struct KeyCounters {
  std::uint64_t written = 0, deleted = 0, trimmed = 0, alive = 0, unknown = 0;
  std::uint64_t refused = 0;    // deletions in a batch that the storage answered with an error
  std::uint64_t foreign = 0;    // listed under the prefix, but not of a test object's shape: left alone
  std::uint64_t unaborted = 0;  // multipart uploads that failed and could not be aborted: they may exist
  // Times that a client wanted a key and there was none; in an open loop, starts that were not sent for that
  // (without those of the warm-up, as ArrivalCounters).
  std::uint64_t no_key = 0;
  std::uint64_t waiting = 0;  // clients that find no key to read, at this moment
  void add(const KeyCounters& other);
};

// Of the intended starts of one pattern in an open loop.
struct ArrivalCounters {
  std::uint64_t intended = 0;  // until now; each was begun, waits, or was not sent
  std::uint64_t not_sent = 0;  // no client came free in time, or there was no key to read
  std::uint64_t waiting = 0;   // for a free client, at this moment
  void add(const ArrivalCounters& other);
};

// What the client itself spent, of one thread or of all.
struct ClientCounters {
  double cpu_seconds = 0;           // user and system
  std::uint64_t connections = 0;    // opened
  std::uint64_t reconnects = 0;     // requests sent again on a new connection, see README, "Words"
  std::uint64_t idle_closed = 0;    // kept connections that were closed to stay below the descriptor limit
  double run_queue_seconds = 0;     // ready to run, but no CPU did
  std::uint64_t proxy_answers = 0;  // attempts that s3pool answered by itself, not the storage
  // From the TCP connection to the end of the TLS handshake, microseconds, of those that succeeded; and how
  // many of them continued a session.
  Histogram handshakes{};
  std::uint64_t resumed_handshakes = 0;
  ClientUse use{};
  void add(const ClientCounters& other);
};

struct Snapshot {
  Duration from{}, to{};  // since the start of the load
  bool warmup = false;    // before what is measured
  Duration grace{};       // how much of its end the load was stopped: what was under way could end
  std::map<CellKey, Cell> cells;
  std::map<EndpointKey, EndpointCell> endpoints;
  std::map<std::string, EndpointSuspicion> suspicions;  // by URL; of those that were suspect or probed
  // By URL and address, where a name has several.
  std::map<std::string, std::map<std::string, EndpointSuspicion>> address_suspicions;
  std::map<SilenceKey, CoarseHistogram> silences;   // in microseconds
  std::map<std::string, KeyCounters> keys;          // totals since the start, not of the interval
  std::map<std::string, ArrivalCounters> arrivals;  // the same; of patterns in an open loop
  ClientCounters client;                            // of the interval
  std::vector<OperationSample> errors;
  std::vector<OperationSample> slowest;  // operations of each pattern, the slowest first

  Duration loaded() const { return to - from - grace; }
  // What decides whether it belongs to the warm-up: its ends are a little off.
  Duration middle() const { return (from + to) / 2; }
  // Intended starts of the pattern that were not sent since no client came free in time; the others of
  // ArrivalCounters::not_sent had no key to read.
  std::uint64_t starved(const std::string& pattern) const;
  // Adds what another thread or host saw in the same stretch (from/to become the union; keys and arrivals add
  // up).
  void merge(const Snapshot& other);
  // Continues in time: adds the next stretch of the same thread or fleet (keys and arrivals are replaced).
  void append(const Snapshot& next);
  // Takes the starts of the warm-up, of which `before` is everything, out of those that were intended since
  // the start of the load. What waited or was under way as it ended is measured, and stays among them.
  void leave_out_arrivals(const Snapshot& before);
};

}  // namespace s3lt
