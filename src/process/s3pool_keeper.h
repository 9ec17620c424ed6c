// The keeper of one address: a process of its own that has an s3pool as its child, starts it again when it
// dies, and ends it with its last user. Its users are runs; each keeps a PacketSocket to it, so that a run
// that ends in whatever way is noticed by the kernel. The s3pool gets SIGTERM when the keeper dies. What they
// say to each other:
//
//   run: "use" …                  (process/s3pool_order.h), once
//   keeper: "ready" PID LOG SHARED    it listens; SHARED is 1 where another run started it. Again after each
//                                     restart
//           "failed" WHAT TEXT        the request cannot be met; WHAT is a name of S3poolFailure
//           "ended" TEXT              it died: "was ended by signal 9"; it will be started again
//           "gave-up" URL             a line of its log: it takes this endpoint for unhealthy; also to a run
//                                     that came later
//           "users" COUNT             so many runs use it, this one among them; when that has changed
//   run: "look"
//   keeper: "looked"                  it has told all that the s3pool had written until then
//   run: closes its side          it uses it no more; the keeper closes the other once nothing is left to do
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace s3lt {

enum class S3poolFailure : std::uint8_t {
  version,   // the keeper is of another version of this program
  settings,  // other runs use it with other settings; TEXT: its endpoints
  address,   // something else listens there; TEXT: which process
  start,     // the system would not start it; TEXT: why
  ended,     // it ended before it listened; TEXT: its last words
  silent,    // it does not listen, TEXT: after how long
};
inline constexpr std::array<std::string_view, 6> s3pool_failure_names = {"version", "settings", "address",
                                                                         "start",   "ended",    "silent"};

// The name of the keeper's socket for an address, for users of this user id.
std::string keeper_name(const std::string& address);

// How long to wait before start number `failures` (from 1) after a death: 0.2 s, doubling to 10 s.
Duration restart_delay(unsigned failures);

// Is the keeper of `ip`:`port` until the last user is gone, or SIGTERM. The exit status; 1: the address has
// one.
int keep_s3pool(const std::string& ip, std::uint16_t port);

}  // namespace s3lt
