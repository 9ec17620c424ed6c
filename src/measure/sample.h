// Single operations and attempts worth showing: enough to find each in the storage's log, and where its time
// went. Plain data; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/vocabulary.h"

namespace s3lt {

// Where the time between an operation's intended start and its end went, in microseconds;
// docs/measurement.md, "Phases". Of an attempt that failed: of the attempt alone, without `retry`.
struct PhaseTimes {
  std::int64_t queue = 0;     // before anything was sent: no free client, the payload's hash, --bandwidth
  std::int64_t retry = 0;     // attempts before the last one, and the pauses between them
  std::int64_t connect = 0;   // TCP handshake
  std::int64_t tls = 0;       // TLS handshake
  std::int64_t go_ahead = 0;  // until 100 Continue, or the end of waiting for it; of a request that asks
  std::int64_t send = 0;      // to the last byte of the request
  std::int64_t wait = 0;      // until the first byte of the final answer
  std::int64_t receive = 0;   // to its last byte
  std::int64_t sum() const { return queue + retry + connect + tls + go_ahead + send + wait + receive; }
  bool operator==(const PhaseTimes&) const = default;
};

// When the steps of an operation's last attempt happened; {}: that step did not. They follow each other as
// they stand here.
struct PhaseInstants {
  TimePoint start{};                 // intended
  TimePoint first_begun{};           // of the first attempt
  TimePoint begun{};                 // of this one: it connects, or sends
  TimePoint connected{}, secured{};  // {}: on a connection that was there
  TimePoint sent{};                  // first byte of the request
  TimePoint let_go{};                // the wait for 100 Continue was over; {}: there was none
  TimePoint request_sent{};          // its last byte
  TimePoint first_byte{}, end{};     // of the answer
};
// Their sum is end - start to the microsecond.
PhaseTimes phase_times(const PhaseInstants& at);

// The phases by name, in their order.
inline constexpr std::pair<const char*, std::int64_t PhaseTimes::*> phase_names[] = {
    {"queue", &PhaseTimes::queue}, {"retry", &PhaseTimes::retry},       {"connect", &PhaseTimes::connect},
    {"tls", &PhaseTimes::tls},     {"continue", &PhaseTimes::go_ahead}, {"send", &PhaseTimes::send},
    {"wait", &PhaseTimes::wait},   {"receive", &PhaseTimes::receive}};

// One failed attempt, or one of the slowest operations.
struct OperationSample {
  WallTime at{};  // when it ended
  std::string pattern, operation, size, key, endpoint;
  Outcome outcome{};
  int status = 0;          // 0: no HTTP answer
  std::string code;        // S3 code
  std::string message;     // what the server or the system said
  std::string request_id;  // x-amz-request-id
  unsigned attempt = 0;    // 1 is the first
  // The connection: its two ends (127.0.0.1:43210), and which request on it this was, from 1; empty where
  // none came about.
  std::string local, remote;
  std::uint64_t request_on_connection = 0;
  std::int64_t micros = 0;  // the attempt's length; of an operation its response time
  PhaseTimes phases;
  // Of bytes that are not the object's: what is wrong, where, and the bytes from there in hex.
  struct Wrong {
    Corruption kind{};
    std::uint64_t offset = 0;
    std::string expected, found;
  };
  std::optional<Wrong> wrong;

  // What tells errors of one outcome and status apart.
  std::string_view reason() const { return wrong ? name(wrong->kind) : std::string_view(code); }
};

// How many of the slowest operations of each pattern are kept: one whose clients are slow by design would
// leave no room for those of others.
inline constexpr std::size_t slowest_kept = 10;

// Adds those of `more` that are among the slowest of their pattern; `into` stays in order, the slowest first.
// Whatever way the operations of a run are split, the same ones come out.
void keep_slowest(std::vector<OperationSample>& into, const std::vector<OperationSample>& more);

}  // namespace s3lt
