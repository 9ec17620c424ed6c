// The words that every layer shares (README, "Words"): kinds of operation and outcomes of an attempt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace s3lt {

// What a pattern asks for. `trim` is a DELETE outside mix and rate that keeps a worker inside
// --max-keys and --max-bytes; `part` is one request of a multipart PUT.
enum class OperationKind : std::uint8_t { put, get, head, del, delete_batch, list, trim, part };
inline constexpr std::size_t operation_kinds = 8;
inline constexpr std::array<std::string_view, operation_kinds> operation_names = {
    "PUT", "GET", "HEAD", "DELETE", "DELETE-BATCH", "LIST", "TRIM", "PART"};
constexpr std::string_view name(OperationKind kind) {
  return operation_names[static_cast<std::size_t>(kind)];
}

// Of a pattern's own mix: not TRIM, which keeps the bucket small, and not PART, which is a piece of a PUT.
constexpr bool is_in_mix(OperationKind kind) {
  return kind != OperationKind::trim && kind != OperationKind::part;
}

// How an attempt ended.
enum class Outcome : std::uint8_t {
  ok,
  not_found,     // 404 on a key that a delete of ours or of another worker may have taken: no error
  missing,       // 404 on a key that nobody was told to delete
  throttled,     // 429, 503, SlowDown
  full,          // 507, QuotaExceeded, InsufficientStorage… (by S3 code before status)
  server_error,  // other 5xx
  client_error,  // other 4xx, and answers that are not S3
  auth,          // 401, 403, signature and key errors
  connect,       // no connection: refused, unreachable, connect deadline
  reset,         // the connection ended or broke in the middle
  timeout,       // 300 s without one byte moved
  tls,           // handshake or record error
  truncated,     // fewer body bytes than announced
  corrupt,       // bytes that are not the object's
  cancelled,     // cut by the end of the run; never an error
};
inline constexpr std::size_t outcomes = 15;
inline constexpr std::array<std::string_view, outcomes> outcome_names = {
    "ok",      "not_found", "missing", "throttled", "full",      "server_error", "client_error", "auth",
    "connect", "reset",     "timeout", "tls",       "truncated", "corrupt",      "cancelled"};
constexpr std::string_view name(Outcome outcome) {
  return outcome_names[static_cast<std::size_t>(outcome)];
}

// What was wrong with an object that a GET read whole and that is not what was written.
enum class Corruption : std::uint8_t {
  flipped,  // the object's bytes, some of them damaged
  stale,    // the object's key and size, another generation
  swapped,  // another object, or another block of this one
  foreign,  // bytes that this tool has not written
  length,   // an announced length that is not the object's
};
inline constexpr std::size_t corruptions = 5;
inline constexpr std::array<std::string_view, corruptions> corruption_names = {"flipped", "stale", "swapped",
                                                                               "foreign", "length"};
constexpr std::string_view name(Corruption kind) {
  return corruption_names[static_cast<std::size_t>(kind)];
}

constexpr bool is_error(Outcome o) {
  return o != Outcome::ok && o != Outcome::not_found && o != Outcome::cancelled;
}

}  // namespace s3lt
