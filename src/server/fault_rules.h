// Faults that the server does on purpose, as they are written: OPERATION:KIND[=VALUE][,PARAMETER=VALUE]…
// and how often, [:p=PROBABILITY] or [:every=N]. docs/serve.md lists the kinds. Values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "server/request.h"

namespace s3lt::server {

enum class FaultKind : std::uint8_t {
  status,         // answered with this status and its S3 error; nothing is done
  delay,          // done as asked, but later
  silent,         // the request is taken and not answered for a time, or ever
  reset,          // reset before a byte of answer; nothing is done
  reset_in_body,  // reset when a part of the answer's body is out
  reset_after,    // reset when the answer is out
  truncate,       // the stream ends in order before the body has its announced length
  slow,           // the body drips at a rate
  flip,           // some bits of the body are others
  stale,          // the object as it was before it was overwritten
  swap,           // the bytes of another object of the same size
  missing,        // 404 NoSuchKey for an object that is there
  length,         // a body of another length than the object's, announced so
  close,          // the connection ends with the answer, which says so
  close_unsaid,   // the connection ends with the answer, which says nothing
  freeze,         // the whole server stands still for a while, by the clock
};
inline constexpr std::size_t fault_kinds = 16;
std::string_view name(FaultKind kind);

// A set of operations: bit n is Operation n.
using OperationSet = std::uint32_t;
constexpr OperationSet set_of(Operation o) {
  return OperationSet{1} << static_cast<unsigned>(o);
}
// The operations that clients count (PUT to LIST), and the requests of a multipart upload.
inline constexpr OperationSet faultable_operations =
    set_of(Operation::put_object) | set_of(Operation::get_object) | set_of(Operation::head_object) |
    set_of(Operation::delete_object) | set_of(Operation::delete_objects) | set_of(Operation::list_objects) |
    set_of(Operation::create_multipart_upload) | set_of(Operation::upload_part) |
    set_of(Operation::complete_multipart_upload) | set_of(Operation::abort_multipart_upload);

// A place in a body: a number of bytes, or a share of its length.
struct Place {
  std::uint64_t bytes = 0;
  std::optional<double> share;  // below 1
  std::uint64_t in(std::uint64_t length) const {
    return share ? static_cast<std::uint64_t>(*share * static_cast<double>(length)) : bytes;
  }
};

struct FaultRule {
  enum class Then : std::uint8_t { close, reset, answer };

  std::string spec;  // as given
  FaultKind kind = FaultKind::status;
  OperationSet operations = 0;  // none: not by requests, but by the clock
  double probability = 1;
  std::uint64_t every = 0;  // not 0: each request of that number, instead of the probability

  // What the kind asks for; the rest stays as it is here.
  int status = 0;
  std::string code;                          // of status; empty: what belongs to the status
  std::optional<std::uint64_t> retry_after;  // of status; seconds
  Duration time{};                           // of delay, silent (zero: for ever), freeze
  Duration to{}, grow{};                     // of delay
  Duration after{}, period{};                // of freeze; period zero: once
  Then then = Then::close;                   // of silent
  std::optional<Place> at;                   // of reset_in_body, truncate, flip
  std::uint64_t bits = 1;                    // of flip
  std::int64_t more = 0;                     // of length: bytes more, or fewer, than the object has
  double rate = 0;                           // of slow; bytes a second
};

// The error shows the nearest form that is right.
Result<FaultRule> parse_fault(std::string_view spec);

// Every form and what it does, a line each, for the help.
std::string describe_faults();

}  // namespace s3lt::server
