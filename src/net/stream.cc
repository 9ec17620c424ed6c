#include "net/stream.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace s3lt {
namespace {

StreamError classify(int error) {
  switch (error) {
    case ECONNREFUSED:
      return StreamError::refused;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
      return StreamError::unreachable;
    case ETIMEDOUT:
      return StreamError::timed_out;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return StreamError::reset;
    default:
      return StreamError::other;
  }
}

StreamError classify(Socket::Wake wake) {
  return wake == Socket::Wake::timed_out ? StreamError::timed_out : StreamError::cancelled;
}

void set_int(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// What a link that lost everything for a while does to a connection. The system asks again after 0.2 s and
// doubles that, up to two minutes: a cut of a minute would go on for another one after the link is whole.
// Asked every 3 s (Linux 6.15 and newer; older ones refuse the option), the load is back soon after the link
// is; and it is still this program's deadline that gives up, not the fifteenth retransmission.
void retransmit_patiently(int fd) {
  constexpr int tcp_rto_max_ms = 44;  // TCP_RTO_MAX_MS, unknown to older headers
  set_int(fd, IPPROTO_TCP, tcp_rto_max_ms, 3000);
  set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 300'000);
}

}  // namespace

std::string Address::text() const {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  const auto* sa = reinterpret_cast<const sockaddr*>(storage);
  if (getnameinfo(sa, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "?";
  return sa->sa_family == AF_INET6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::expected<std::vector<Address>, std::string> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &hints, &found);
  if (error != 0)
    return std::unexpected(std::string(error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error)));
  std::vector<Address> addresses;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Address address;
    if (a->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(address.storage, a->ai_addr, a->ai_addrlen);
    address.size = a->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

Stream::Stream(Loop& loop, int accepted_fd, TlsServer* tls) : socket_(loop, accepted_fd) {
  if (tls != nullptr) tls_ = std::make_unique<TlsSession>(*tls, accepted_fd);
}

Task<StreamError> Stream::connect(Loop& loop, const Address& address, const ConnectOptions& options) {
  close();
  problem_.clear();
  certificate_problem_.reset();
  connected_at_ = {};
  cut_short_ = false;
  const auto* sa = reinterpret_cast<const sockaddr*>(address.storage);
  const int fd = ::socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    problem_ = std::strerror(errno);
    co_return StreamError::other;
  }
  socket_ = Socket(loop, fd);
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  retransmit_patiently(fd);
  if (options.receive_buffer > 0) set_int(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  if (options.send_buffer > 0) set_int(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer);

  int error = ::connect(fd, sa, address.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    const Socket::Wake wake = co_await socket_.wait(Socket::writable, options.deadline);
    if (wake != Socket::Wake::ready) {
      problem_ = no_answer_in_time;
      close();
      co_return classify(wake);
    }
    socklen_t size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    problem_ = std::strerror(error);
    close();
    co_return classify(error);
  }
  connected_at_ = now();
  if (options.tls == nullptr) co_return StreamError::none;
  tls_ = std::make_unique<TlsSession>(*options.tls, fd, options.server_name, ticket_);
  const StreamError failed = co_await tls_handshake(options.deadline);
  certificate_problem_ = tls_->problem();
  if (failed != StreamError::none) close();
  co_return failed;
}

Address Stream::local_address() const {
  Address address;
  socklen_t size = sizeof address.storage;
  if (getsockname(fd(), reinterpret_cast<sockaddr*>(address.storage), &size) == 0) address.size = size;
  return address;
}

Address Stream::peer_address() const {
  Address address;
  socklen_t size = sizeof address.storage;
  if (getpeername(fd(), reinterpret_cast<sockaddr*>(address.storage), &size) == 0) address.size = size;
  return address;
}

Task<StreamError> Stream::handshake(TimePoint deadline) {
  if (!tls_) co_return StreamError::none;
  const StreamError failed = co_await tls_handshake(deadline);
  co_return failed;
}

Task<StreamError> Stream::tls_handshake(TimePoint deadline) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int done = SSL_do_handshake(tls_->ssl());
    if (done == 1) co_return StreamError::none;
    const int why = SSL_get_error(tls_->ssl(), done);
    unsigned interest = 0;
    if (why == SSL_ERROR_WANT_READ) interest = Socket::readable;
    if (why == SSL_ERROR_WANT_WRITE) interest = Socket::writable;
    if (interest == 0) {
      const bool cut = errno != 0 && why == SSL_ERROR_SYSCALL && !tls_->asked_for_certificate();
      problem_ = cut ? std::strerror(errno) : tls_->why_failed();
      co_return StreamError::tls;
    }
    const Socket::Wake wake = co_await socket_.wait(interest, deadline);
    if (wake != Socket::Wake::ready) {
      problem_ = no_handshake_in_time;
      co_return classify(wake);
    }
  }
}

void Stream::close() {
  if (tls_) ticket_ = tls_->ticket();
  tls_.reset();
  socket_.close();
}

void Stream::reset_hard() {
  if (!is_open()) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

// What a failed system call means for the caller.
IoResult Stream::failed_call(unsigned blocked_on) {
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    socket_.tried(0, blocked_on);
    return {.blocked = blocked_on};
  }
  if (errno == EINTR) {
    socket_.tried(blocked_on, 0);
    return {.blocked = blocked_on};
  }
  return {.error = classify(errno)};
}

// What a successful read of `bytes`, where `size` were asked for, means: fewer have emptied the socket. (A
// TLS session may leave some there whatever it returns: it passes the same twice.)
IoResult Stream::have_read(std::size_t bytes, std::size_t size) {
  if (bytes < size) {
    socket_.tried(0, Socket::readable);
  } else {
    socket_.tried(Socket::readable, 0);
  }
  return {.bytes = bytes};
}

IoResult Stream::tls_failure(int returned) {
  switch (SSL_get_error(tls_->ssl(), returned)) {
    case SSL_ERROR_WANT_READ:
      socket_.tried(0, Socket::readable);
      return {.blocked = Socket::readable};
    case SSL_ERROR_WANT_WRITE:
      socket_.tried(0, Socket::writable);
      return {.blocked = Socket::writable};
    case SSL_ERROR_ZERO_RETURN:
      cut_short_ = !tls_->closed_in_order();
      return {.error = StreamError::closed};
    case SSL_ERROR_SYSCALL:
      cut_short_ = true;
      return {.error = errno == 0 ? StreamError::closed : classify(errno)};
    default:
      if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        cut_short_ = true;
        return {.error = StreamError::closed};
      }
      problem_ = tls_->why_failed();
      return {.error = StreamError::tls};
  }
}

bool Stream::may_have_news() const {
  return socket_.may_be(Socket::readable) || (tls_ && SSL_has_pending(tls_->ssl()) != 0);
}

bool Stream::is_quiet() {
  char byte;
  IoResult peeked;
  if (tls_) {
    // Session tickets and the like are no bytes of ours: the session takes them, and then has none.
    ERR_clear_error();
    errno = 0;
    std::size_t n = 0;
    const int ok = SSL_peek_ex(tls_->ssl(), &byte, 1, &n);
    if (ok != 1) peeked = tls_failure(ok);
  } else if (::recv(fd(), &byte, 1, MSG_PEEK) < 0) {
    peeked = failed_call(Socket::readable);
  }
  return peeked.blocked != 0;
}

std::uint64_t Stream::buffered() const {
  int bytes = 0;
  return ioctl(socket_.fd(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

IoResult Stream::try_read(void* buffer, std::size_t size) {
  if (tls_) {
    ERR_clear_error();
    errno = 0;
    std::size_t n = 0;
    const int ok = SSL_read_ex(tls_->ssl(), buffer, size, &n);
    return ok == 1 ? have_read(n, n) : tls_failure(ok);
  }
  const ssize_t n = ::recv(fd(), buffer, size, 0);
  if (n > 0) return have_read(static_cast<std::size_t>(n), size);
  if (n == 0) return {.error = StreamError::closed};
  return failed_call(Socket::readable);
}

IoResult Stream::try_discard(std::uint64_t size) {
  if (tls_) return try_read(tls_->record(), std::min<std::uint64_t>(size, TlsSession::record_size));
  const std::size_t most = std::min<std::uint64_t>(size, INT_MAX);
  const ssize_t n = ::recv(fd(), nullptr, most, MSG_TRUNC);
  if (n > 0) return have_read(static_cast<std::size_t>(n), most);
  if (n == 0) return {.error = StreamError::closed};
  return failed_call(Socket::readable);
}

IoResult Stream::try_write(std::span<const iovec> pieces, bool more_follows) {
  if (tls_) {
    // One record of the pieces; a retry must begin with the same bytes, as the caller's does.
    std::size_t filled = 0;
    for (const iovec& piece : pieces) {
      const std::size_t n = std::min(piece.iov_len, TlsSession::record_size - filled);
      std::memcpy(tls_->record() + filled, piece.iov_base, n);
      filled += n;
      if (filled == TlsSession::record_size) break;
    }
    if (filled == 0) return {};
    ERR_clear_error();
    errno = 0;
    std::size_t n = 0;
    const int ok = SSL_write_ex(tls_->ssl(), tls_->record(), filled, &n);
    return ok == 1 ? IoResult{.bytes = n} : tls_failure(ok);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
  const ssize_t n = ::sendmsg(fd(), &message, MSG_NOSIGNAL | (more_follows ? MSG_MORE : 0));
  if (n >= 0) return {.bytes = static_cast<std::size_t>(n)};
  return failed_call(Socket::writable);
}

std::expected<Listener, std::string> Listener::open(Loop& loop, const std::string& host, std::uint16_t port,
                                                    int send_buffer) {
  const auto addresses = resolve(host, port);
  if (!addresses) return std::unexpected(addresses.error());
  const Address& address = addresses->front();
  const auto* sa = reinterpret_cast<const sockaddr*>(address.storage);
  const int fd = ::socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(std::string(std::strerror(errno)));
  set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // Accepted sockets inherit these.
  retransmit_patiently(fd);
  if (send_buffer > 0) set_int(fd, SOL_SOCKET, SO_SNDBUF, send_buffer);
  if (::bind(fd, sa, address.size) != 0 || ::listen(fd, 4096) != 0) {
    const std::string reason = std::strerror(errno);
    ::close(fd);
    return std::unexpected(reason);
  }
  Address bound;
  socklen_t size = sizeof bound.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(bound.storage), &size);
  const auto* bound_sa = reinterpret_cast<const sockaddr*>(bound.storage);
  Listener listener;
  listener.port_ =
      ntohs(bound_sa->sa_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(bound_sa)->sin6_port
                                            : reinterpret_cast<const sockaddr_in*>(bound_sa)->sin_port);
  listener.socket_ = Socket(loop, fd);
  listener.loop_ = &loop;
  return listener;
}

Task<int> Listener::accept() {
  for (;;) {
    const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      co_return fd;
    }
    // Only an empty backlog is news enough to wait for the next connection.
    const bool empty = errno == EAGAIN || errno == EWOULDBLOCK;
    socket_.tried(empty ? 0U : Socket::readable, empty ? Socket::readable : 0U);
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Out of descriptors: the peer waits in the backlog until one is free.
      Timer pause(*loop_);
      co_await pause.until(now() + std::chrono::milliseconds(20));
    }
    const Socket::Wake wake = co_await socket_.wait(Socket::readable);
    if (wake == Socket::Wake::cancelled) co_return -1;
  }
}

}  // namespace s3lt
