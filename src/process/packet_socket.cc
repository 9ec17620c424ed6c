#include "process/packet_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace s3lt {
namespace {

// More than any packet has: thirty endpoints and their like.
constexpr std::size_t most_bytes = 64 << 10;

int new_socket() {
  return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

struct Name {
  sockaddr_un address{};
  socklen_t size = 0;
  explicit Name(const std::string& text) {
    address.sun_family = AF_UNIX;
    const std::size_t length = std::min(text.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, text.data(), length);  // a NUL before it: abstract
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

bool is_our_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace

PacketSocket PacketSocket::connect(const std::string& name) {
  PacketSocket socket(new_socket());
  const Name to(name);
  if (socket.fd_ < 0 || ::connect(socket.fd_, to.get(), to.size) != 0 || !is_our_user(socket.fd_)) return {};
  return socket;
}

PacketSocket PacketSocket::listen(const std::string& name) {
  PacketSocket socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const Name as(name);
  if (socket.fd_ < 0 || ::bind(socket.fd_, as.get(), as.size) != 0 || ::listen(socket.fd_, 64) != 0)
    return {};
  return socket;
}

PacketSocket PacketSocket::accept() {
  for (;;) {
    PacketSocket socket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    if (socket.fd_ < 0 || is_our_user(socket.fd_)) return socket;
  }
}

PacketSocket::~PacketSocket() {
  if (fd_ >= 0) ::close(fd_);
}

bool PacketSocket::send(const Packet& packet) {
  std::string bytes;
  for (const std::string& text : packet) bytes.append(text).push_back('\0');
  // Who does not read what he is told is not waited for.
  return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
             static_cast<ssize_t>(bytes.size()) ||
         errno == EAGAIN;
}

PacketSocket::Got PacketSocket::receive(Packet& packet) {
  std::string bytes(most_bytes, '\0');
  ssize_t n = 0;
  do {
    n = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Got::nothing;
  if (n <= 0) return Got::closed;
  packet.clear();
  for (std::size_t from = 0, end = static_cast<std::size_t>(n); from < end;) {
    const std::size_t nul = std::min(bytes.find('\0', from), end);
    packet.push_back(bytes.substr(from, nul - from));
    from = nul + 1;
  }
  return Got::packet;
}

PacketSocket::Got PacketSocket::receive(Packet& packet, TimePoint deadline) {
  for (;;) {
    const Got got = receive(packet);
    if (got != Got::nothing) return got;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now());
    if (left.count() <= 0) return Got::nothing;
    pollfd waiting{fd_, POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1000)));
  }
}

void PacketSocket::end_sending() {
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace s3lt
