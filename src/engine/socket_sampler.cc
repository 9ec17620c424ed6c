#include "engine/socket_sampler.h"

#include <algorithm>

namespace s3lt {

SocketUse SocketSampler::look(const Loop& loop, std::uint64_t clients) {
  const Loop::Waiting waiting = loop.waiting(most_asked);
  SocketUse use{.clients = clients, .waiting = waiting.count};
  for (const Loop::WaitingSocket& socket : waiting.some) {
    const auto state = tcp_state(socket.fd);
    if (!state) continue;  // still connecting, or broken: its client will see
    ++use.asked;
    Known& known = known_[socket.fd];
    const bool same = known.state.cookie == state->cookie;
    if (!same) known.peer = peer_of(socket.fd);
    // What happened before it was first looked at may be from before the load.
    const TcpState before = same ? known.state : *state;
    known.state = *state;
    const std::uint64_t busy = state->busy_us - before.busy_us;
    const std::uint64_t limited = state->window_limited_us - before.window_limited_us +
                                  state->buffer_limited_us - before.buffer_limited_us;
    use.busy_us += busy;
    use.window_limited_us += state->window_limited_us - before.window_limited_us;
    use.buffer_limited_us += state->buffer_limited_us - before.buffer_limited_us;
    use.segments_sent += state->segments_sent - before.segments_sent;
    use.retransmitted += state->retransmitted - before.retransmitted;
    use.segments_received += state->segments_received - before.segments_received;
    use.out_of_order += state->out_of_order - before.out_of_order;
    // A body that the socket has taken whole is still on its way while the socket holds bytes of it.
    if ((socket.interest & Socket::writable) != 0 || state->unsent > 0) {
      ++use.sending;
      if (state->unsent > 0 && limited * 2 <= busy) ++use.congested;
    }
    if (state->least_rtt_us > 0 && !known.peer.empty()) {
      const auto least = use.least_rtt_us.try_emplace(known.peer, state->least_rtt_us).first;
      least->second = std::min<std::int64_t>(least->second, state->least_rtt_us);
    }
  }
  return use;
}

}  // namespace s3lt
