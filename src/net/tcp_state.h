// What the kernel knows of a TCP connection (TCP_INFO, tcp(7)). Two system calls: for samples.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace s3lt {

struct TcpState {
  std::uint64_t cookie = 0;  // this socket's alone until the machine starts again
  // Since the connection was made. Microseconds in which data was on its way out, and of those, in which the
  // peer's window or our send buffer was the limit; segments, and those sent again or received out of order.
  std::uint64_t busy_us = 0, window_limited_us = 0, buffer_limited_us = 0;
  std::uint32_t segments_sent = 0, retransmitted = 0, segments_received = 0, out_of_order = 0;
  // Now.
  std::uint32_t rtt_us = 0,
                least_rtt_us = 0;  // smoothed; the least of the last five minutes. 0: none measured
  std::uint32_t unsent = 0;        // bytes that the socket holds and has not sent yet
};

// None where the descriptor is no TCP socket, or its connection is not established.
std::optional<TcpState> tcp_state(int fd);
// Where it is connected to, as Address::text(); empty: nowhere.
std::string peer_of(int fd);

}  // namespace s3lt
