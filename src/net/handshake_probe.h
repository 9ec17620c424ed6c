// Asks how long the way to a machine and back is at this moment: begins a TCP connection, and closes it as
// soon as it is there. The kernels at both ends make the handshake and take its time, so it says nothing of
// how busy the programs are: what it takes longer than usual, it stood in queues of the network. One thread
// uses it.
#pragma once

#include <cstdint>
#include <optional>

#include "net/stream.h"

namespace s3lt {

class HandshakeProbe {
 public:
  // Sends it off; does not wait. Nothing is sent where the system refuses.
  explicit HandshakeProbe(const Address& to);
  ~HandshakeProbe();
  HandshakeProbe(const HandshakeProbe&) = delete;

  // Microseconds there and back; none: no answer yet, or none that counts (refused, or sent more than once).
  std::optional<std::int64_t> round_trip() const;

 private:
  int fd_ = -1;
};

}  // namespace s3lt
