#include "net/tcp_state.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "net/stream.h"

namespace s3lt {

std::optional<TcpState> tcp_state(int fd) {
  constexpr int established = 1;  // TCP_ESTABLISHED, which only the header that clashes with linux/tcp.h has
  tcp_info info{};                // an older kernel fills in less of it
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != established) return {};
  TcpState state;
  size = sizeof state.cookie;
  if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &state.cookie, &size) != 0) return {};
  state.busy_us = info.tcpi_busy_time;
  state.window_limited_us = info.tcpi_rwnd_limited;
  state.buffer_limited_us = info.tcpi_sndbuf_limited;
  state.segments_sent = info.tcpi_data_segs_out;
  state.retransmitted = info.tcpi_total_retrans;
  state.segments_received = info.tcpi_data_segs_in;
  state.out_of_order = info.tcpi_rcv_ooopack;
  state.rtt_us = info.tcpi_rtt;
  state.least_rtt_us = info.tcpi_min_rtt == ~0U ? 0 : info.tcpi_min_rtt;
  state.unsent = info.tcpi_notsent_bytes;
  return state;
}

std::string peer_of(int fd) {
  Address address;
  socklen_t size = sizeof address.storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(address.storage), &size) != 0) return {};
  address.size = size;
  return address.text();
}

}  // namespace s3lt
