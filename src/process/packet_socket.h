// Messages between processes of one user on one machine: a Unix socket that keeps packets apart, under a name
// that vanishes with its last holder and that a file system never sees ("abstract", unix(7)). As TCP
// addresses are, such names are of a network namespace. A packet is a list of texts without NUL. One object
// belongs to one thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace s3lt {

using Packet = std::vector<std::string>;

class PacketSocket {
 public:
  PacketSocket() = default;
  // Whoever listens under this name. No socket (fd() < 0) where nobody does, or it is another user.
  static PacketSocket connect(const std::string& name);
  // Takes the name; no socket where it is taken.
  static PacketSocket listen(const std::string& name);
  // The next that has connected, of the same user; no socket where none waits.
  PacketSocket accept();

  // False where the other end is gone.
  bool send(const Packet& packet);
  enum class Got { packet, nothing, closed };
  // Does not wait; with a deadline, until then.
  Got receive(Packet& packet);
  Got receive(Packet& packet, TimePoint deadline);
  // No more is sent; what comes can be received still.
  void end_sending();

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  PacketSocket(PacketSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  PacketSocket& operator=(PacketSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~PacketSocket();

 private:
  explicit PacketSocket(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace s3lt
