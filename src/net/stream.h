// A byte stream to a peer: TCP, or TLS over it. Non-blocking: each try_ call does what can be done now;
// when it says `blocked`, co_await wait(result, deadline) and call it again. One stream belongs to one
// loop's thread and one coroutine at a time.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/loop.h"
#include "net/tls.h"

namespace s3lt {

enum class StreamError : std::uint8_t {
  none,
  closed,       // the peer ended the stream; ended_in_order() says how
  reset,        // broken: reset, broken pipe, aborted
  refused,      // connect: nobody listens
  unreachable,  // connect: no route, network down
  timed_out,    // a deadline passed
  cancelled,
  tls,  // handshake or record failure
  other,
};

struct IoResult {
  std::size_t bytes = 0;                  // moved by this call
  unsigned blocked = 0;                   // Socket::Interest to wait for; 0: not blocked
  StreamError error = StreamError::none;  // then bytes is 0 and blocked is 0
};

// A resolved address, IPv4 or IPv6.
struct Address {
  alignas(8) std::byte storage[128]{};
  unsigned size = 0;
  std::string text() const;  // 127.0.0.1:9000, [::1]:9000
};
// All addresses of a host (getaddrinfo: blocks; call it before the load starts). The error is the
// system's reason.
std::expected<std::vector<Address>, std::string> resolve(const std::string& host, std::uint16_t port);

// The problem of a connect whose deadline passed.
inline constexpr std::string_view no_answer_in_time = "no answer within the connect deadline";
inline constexpr std::string_view no_handshake_in_time = "no TLS handshake within the connect deadline";

struct ConnectOptions {
  TlsClient* tls = nullptr;  // null: plain TCP
  std::string server_name;   // for SNI and verification: the endpoint's host
  TimePoint deadline = Socket::no_deadline;
  int receive_buffer = 0, send_buffer = 0;  // bytes; 0: the system's own sizing
};

class Stream {
 public:
  Stream() = default;
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  // Connects (TCP_NODELAY) and, with TLS, completes the handshake. On failure the stream is not open and
  // `problem` says why in the system's or the TLS library's words.
  Task<StreamError> connect(Loop& loop, const Address& address, const ConnectOptions& options);
  // The server's side: takes an accepted descriptor; with TLS, handshake() completes it.
  Stream(Loop& loop, int accepted_fd, TlsServer* tls = nullptr);
  Task<StreamError> handshake(TimePoint deadline);

  bool is_open() const { return socket_.is_open(); }
  bool is_tls() const { return tls_ != nullptr; }
  void close();
  void reset_hard();  // close with RST (SO_LINGER 0)
  void cancel() { socket_.cancel(); }
  int fd() const { return socket_.fd(); }
  const std::string& problem() const { return problem_; }
  // Of the last connect(): what its certificate was not believed for, also where it went on or is closed.
  const std::optional<CertificateProblem>& certificate_problem() const { return certificate_problem_; }
  // While it is open, with TLS.
  TlsFacts tls_facts() const { return tls_ ? tls_->facts() : TlsFacts{}; }
  bool tls_asked_for_certificate() const { return tls_ && tls_->asked_for_certificate(); }
  bool tls_resumed() const { return tls_ && tls_->resumed(); }
  // When the last connect() had its TCP connection, {}: it got none; what followed is TLS.
  TimePoint connected_at() const { return connected_at_; }
  // Our end of it.
  Address local_address() const;
  Address peer_address() const;
  // Of a stream that the peer ended. TLS says so before TCP does (close_notify, RFC 8446, 6.1): an end of TCP
  // alone may be anybody's doing, so that something may be missing before it (RFC 9112, 9.8).
  bool ended_in_order() const { return !cut_short_; }

  // Whether nothing came since the last read: no byte, no end. Asks the system.
  bool is_quiet();
  // Whether, for all that the loop has seen so far, something may have come since the last read.
  bool may_have_news() const;
  // Bytes that came and were not read yet (TLS: as they came). Asks the system.
  std::uint64_t buffered() const;
  IoResult try_read(void* buffer, std::size_t size);
  // Takes up to `size` bytes without looking at them (MSG_TRUNC on plain TCP).
  IoResult try_discard(std::uint64_t size);
  // Sends the pieces in order, as far as possible now (at most 1024 pieces).
  IoResult try_write(std::span<const iovec> pieces, bool more_follows = false);

  Socket::Awaiter wait(unsigned interest, TimePoint deadline = Socket::no_deadline) {
    return socket_.wait(interest, deadline);
  }
  unsigned ready_for() const { return socket_.ready_for(); }

 private:
  Task<StreamError> tls_handshake(TimePoint deadline);
  IoResult failed_call(unsigned blocked_on);
  IoResult have_read(std::size_t bytes, std::size_t size);
  IoResult tls_failure(int returned);
  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  TlsTicket ticket_;  // of the last session
  std::string problem_;
  std::optional<CertificateProblem> certificate_problem_;
  TimePoint connected_at_{};
  bool cut_short_ = false;
};

// A listening TCP socket.
class Listener {
 public:
  // Binds and listens; port 0 finds a free one. The error is the system's reason.
  static std::expected<Listener, std::string> open(Loop& loop, const std::string& host, std::uint16_t port,
                                                   int send_buffer = 0);
  std::uint16_t port() const { return port_; }
  // The next connection's descriptor (non-blocking, TCP_NODELAY), or -1 when cancelled.
  Task<int> accept();
  void cancel() { socket_.cancel(); }

 private:
  Loop* loop_ = nullptr;
  Socket socket_;
  std::uint16_t port_ = 0;
};

}  // namespace s3lt
