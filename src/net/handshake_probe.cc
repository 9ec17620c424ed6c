#include "net/handshake_probe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/tcp_state.h"

namespace s3lt {

HandshakeProbe::HandshakeProbe(const Address& to) {
  const auto* address = reinterpret_cast<const sockaddr*>(to.storage);
  fd_ = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return;
  if (::connect(fd_, address, to.size) == 0 || errno == EINPROGRESS) return;
  ::close(fd_);
  fd_ = -1;
}

HandshakeProbe::~HandshakeProbe() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<std::int64_t> HandshakeProbe::round_trip() const {
  if (fd_ < 0) return std::nullopt;
  const auto state = tcp_state(fd_);
  // The kernel does not time what it had to send again.
  if (!state || state->rtt_us == 0 || state->retransmitted > 0) return std::nullopt;
  return state->rtt_us;
}

}  // namespace s3lt
