#include "net/http_connection.h"

#include <algorithm>

namespace s3lt {
namespace {

// With a limiter, bytes move in pieces of at most this much, so that the rate is even.
constexpr std::uint64_t limited_piece = 64 * 1024;
// A connection that was idle for longer is asked whether it still is what it was; before, only where the loop
// has heard something of it. (The loop may be a little behind: it hears of sockets once a turn.)
constexpr Duration trusted_idle = std::chrono::milliseconds(10);

// Where bodies are read to that somebody looks at: no wait comes between the read and the look, so that one
// buffer serves all connections of a thread. This size costs the least for each byte.
constexpr std::size_t look_size = 256 * 1024;
char* look_buffer() {
  thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(look_size);
  return buffer.get();
}

StreamError error_of(Socket::Wake wake) {
  return wake == Socket::Wake::timed_out ? StreamError::timed_out : StreamError::cancelled;
}

std::string_view words(StreamError error) {
  switch (error) {
    case StreamError::none:
      return "";
    case StreamError::closed:
      return "the server closed the connection";
    case StreamError::reset:
      return "the connection was reset";
    case StreamError::refused:
      return "connection refused";
    case StreamError::unreachable:
      return "no route to the host";
    case StreamError::timed_out:
      return "no byte moved before the deadline";
    case StreamError::cancelled:
      return "cut by the end of the run";
    case StreamError::tls:
      return "TLS failed";
    case StreamError::other:
      return "the connection failed";
  }
  return "";
}

}  // namespace

// One exchange under way.
struct HttpConnection::Exchange {
  const ExchangeRequest& request;
  ExchangeResult& result;
  Duration stall;
  bool whole = true;       // the request was sent to its end, and nothing failed
  TimePoint last_moved{};  // for the stall deadline
  TimePoint due{};         // with a shared pace: the last piece sent
  TimePoint deadline() const { return last_moved + stall; }
  void fail(StreamError error) {
    result.error = error;
    whole = false;
  }
  bool sends_head_first() const { return request.expect_continue || request.speed > 0; }
  bool failed() const { return result.error != StreamError::none; }
  void moved(std::uint64_t bytes) const {
    if (bytes == 0) return;
    if (request.observer != nullptr) request.observer->moved(bytes);
    if (request.limiter != nullptr) request.limiter->spend(bytes);
  }
};

Task<StreamError> HttpConnection::connect(const Address& address, TlsClient* tls,
                                          const std::string& server_name) {
  exchanges_ = 0;
  const ConnectOptions options{.tls = tls,
                               .server_name = server_name,
                               .deadline = now() + connect_deadline,
                               .receive_buffer = receive_buffer_,
                               .send_buffer = send_buffer_};
  local_.clear();
  remote_.clear();
  const StreamError error = co_await stream_.connect(*loop_, address, options);
  if (error == StreamError::none) {
    local_ = stream_.local_address().text();
    remote_ = address.text();
  }
  co_return error;
}

// The window opens anew by what a whole packet took, and over the loopback a packet is as large as the
// window: a 16th of a second's worth keeps what the peer sees within 1% of the speed over 8 seconds.
void HttpConnection::be_slow(double bytes_per_second) {
  receive_buffer_ = static_cast<int>(std::clamp(bytes_per_second / 16, 2048.0, 64.0 * 1024));
  send_buffer_ = 32 << 10;
}

Task<ExchangeResult> HttpConnection::exchange(const ExchangeRequest& request) {
  ExchangeResult result;
  Exchange x{.request = request, .result = result, .stall = stall_};
  reader_.begin(request.method, request.keep_body, request.sink);
  if (request.limiter != nullptr) {
    std::uint64_t ignored = 0;
    const StreamError error = co_await allowance(x, 1, ignored);
    if (error != StreamError::none) x.fail(error);
  }
  result.first_byte_sent = x.last_moved = now();
  if (!x.failed() && went_stale(x.last_moved)) {
    x.fail(StreamError::closed);
    result.unsent = true;
  }
  if (!x.failed()) {
    if (request.body == nullptr) {
      const StreamError error = co_await send_head(x);
      if (error != StreamError::none) x.fail(error);
    } else {
      co_await send_both(x);
    }
  }
  if (x.whole) result.request_sent = now();
  if (!x.failed()) co_await receive(x);
  conclude(x);
  co_return result;
}

// Whether the connection, kept from an exchange before, ended since or brought bytes that answer nothing.
bool HttpConnection::went_stale(TimePoint t) {
  if (exchanges_ == 0) return false;
  return (t - last_end_ > trusted_idle || stream_.may_have_news()) && !stream_.is_quiet();
}

// Fills in the result, and closes the connection where it cannot carry another request.
void HttpConnection::conclude(Exchange& x) {
  ExchangeResult& result = x.result;
  result.end = last_end_ = now();
  result.malformed = reader_.state() == http::ResponseReader::State::malformed;
  if (result.malformed) result.problem = reader_.problem();
  // With TLS 1.3 the handshake is over before a server sees that it got no certificate, and its alert may be
  // lost behind the end of the connection.
  const bool ended = result.error == StreamError::closed || result.error == StreamError::reset;
  if (ended && exchanges_ == 0 && !reader_.answered() && stream_.tls_asked_for_certificate())
    result.problem = wants_certificate;
  if (x.failed() && result.problem.empty() && result.error == StreamError::closed &&
      !stream_.ended_in_order())
    result.problem = "the server closed the connection without TLS's close_notify";
  if (x.failed() && result.problem.empty() && result.error == StreamError::tls)
    result.problem = stream_.problem();
  if (x.failed() && result.problem.empty()) result.problem = words(result.error);
  result.interim = reader_.interim_answers() > 0;
  result.answered = reader_.answered();
  result.head = reader_.head();
  if (result.head != nullptr) result.status = result.head->status;
  result.body_bytes = reader_.body_bytes();
  result.body = reader_.body();
  ++exchanges_;
  if (result.error == StreamError::cancelled) result.silent = result.end - x.last_moved;
  if (!x.whole || !reader_.reusable()) stream_.close();
}

// ---- sending --------------------------------------------------------------------------------------------

// Sends head and body: together where the server is not asked first. Ends with the request sent, or with
// (some of) an answer that came before its end, or with a failure.
Task<void> HttpConnection::send_both(Exchange& x) {
  if (x.sends_head_first()) {
    const StreamError error = co_await send_head(x);
    if (error != StreamError::none) {
      x.fail(error);
      co_return;
    }
  }
  if (x.request.expect_continue) {
    const bool go_on = co_await await_continue(x);
    x.result.let_go = now();
    if (!go_on) co_return;
  }
  const Sent sent = co_await send_body(x);
  if (sent == Sent::answered_early) x.whole = false;  // the rest of the body will not come
  if (sent != Sent::failed || x.result.error == StreamError::cancelled) co_return;
  // The server may have answered before it closed: what it said counts more than that it closed.
  unsigned wait_for = 0;
  const bool was_answered = reader_.answered();
  const StreamError error = read_some(x, UINT64_MAX, wait_for);
  if (error == StreamError::none && (reader_.answered() || was_answered)) x.result.error = StreamError::none;
}

Task<StreamError> HttpConnection::send_head(Exchange& x) {
  std::string_view rest = x.request.head;
  while (!rest.empty()) {
    const iovec piece{const_cast<char*>(rest.data()), rest.size()};
    const IoResult io = stream_.try_write({&piece, 1});
    if (io.error != StreamError::none) co_return io.error;
    rest.remove_prefix(io.bytes);
    if (io.blocked != 0) {
      const Socket::Wake wake = co_await stream_.wait(io.blocked, x.deadline());
      if (wake != Socket::Wake::ready) co_return error_of(wake);
    }
  }
  co_return StreamError::none;
}

// Waits for 100 Continue, at most a second. False: a final answer came instead, or a failure.
Task<bool> HttpConnection::await_continue(Exchange& x) {
  const TimePoint until = now() + continue_wait;
  for (;;) {
    const Socket::Wake wake = co_await stream_.wait(Socket::readable, until);
    if (wake == Socket::Wake::timed_out) co_return true;
    if (wake == Socket::Wake::cancelled) {
      x.fail(StreamError::cancelled);
      co_return false;
    }
    unsigned wait_for = 0;
    const StreamError error = read_some(x, UINT64_MAX, wait_for);
    if (error != StreamError::none) {
      x.fail(error);
      co_return false;
    }
    if (reader_.state() != http::ResponseReader::State::head) co_return false;
    if (reader_.continued()) co_return true;
  }
}

// Waits until the limiter lets bytes move; `granted` is how many of `wanted` at a time.
Task<StreamError> HttpConnection::allowance(Exchange& x, std::uint64_t wanted, std::uint64_t& granted) {
  granted = std::min(wanted, limited_piece);
  for (;;) {
    // A timer that was due just then did not hear of the cancellation.
    if (cancelled_) co_return StreamError::cancelled;
    const TimePoint t = now(), ready = x.request.limiter->ready_at(t);
    if (ready <= t) co_return StreamError::none;
    const bool in_time = co_await timer_->until(ready);
    if (!in_time) co_return StreamError::cancelled;
    x.last_moved = now();
  }
}

Task<HttpConnection::Sent> HttpConnection::send_body(Exchange& x) {
  BodySource& body = *x.request.body;
  const std::uint64_t size = body.size();
  std::string_view head = x.sends_head_first() ? std::string_view() : x.request.head;
  const Pace pace(x.request.speed, now());
  std::uint64_t offset = 0;
  std::array<iovec, 514> out;
  while (offset < size || !head.empty()) {
    std::uint64_t granted = size - offset;
    if (granted != 0 && x.request.limiter != nullptr) {
      const StreamError error = co_await allowance(x, size - offset, granted);
      if (error != StreamError::none) {
        x.fail(error);
        co_return Sent::failed;
      }
    }
    if (granted != 0 && x.request.speed > 0) {
      const StreamError error = co_await pace_send(x, pace, offset, granted);
      if (error != StreamError::none) {
        x.fail(error);
        co_return Sent::failed;
      }
    }
    std::size_t count = 0;
    if (!head.empty()) out[count++] = {const_cast<char*>(head.data()), head.size()};
    std::uint64_t planned = 0;
    if (offset < size) {
      for (const iovec& piece : body.pieces(offset)) {
        if (count == out.size() || planned == granted) break;
        out[count] = {piece.iov_base, std::min<std::uint64_t>(piece.iov_len, granted - planned)};
        planned += out[count++].iov_len;
      }
    }
    const IoResult io = stream_.try_write({out.data(), count});
    if (io.error != StreamError::none) {
      x.fail(io.error);
      co_return Sent::failed;
    }
    const std::size_t of_head = std::min(head.size(), io.bytes), of_body = io.bytes - of_head;
    head.remove_prefix(of_head);
    x.moved(body.payload(offset + of_body) - body.payload(offset));
    offset += of_body;
    if (x.request.pace != nullptr) x.request.pace->give_back(planned - of_body);
    // More to send, and room for it: what the server may have said counts only when it blocks.
    if (io.blocked == 0) continue;
    const Sent now_what = co_await after_blocked_send(x, io.blocked);
    if (now_what != Sent::all) co_return now_what;
  }
  if (x.request.speed > 0) x.result.behind = now() - (x.request.pace != nullptr ? x.due : pace.when(size));
  co_return Sent::all;
}

// Waits for room; a final answer may come while the body is still being sent. `all`: go on sending.
Task<HttpConnection::Sent> HttpConnection::after_blocked_send(Exchange& x, unsigned blocked) {
  const Socket::Wake wake = co_await stream_.wait(blocked | Socket::readable, x.deadline());
  if (wake != Socket::Wake::ready) {
    x.fail(error_of(wake));
    co_return Sent::failed;
  }
  x.last_moved = now();
  if ((stream_.ready_for() & Socket::readable) == 0 || (blocked & Socket::readable) != 0) co_return Sent::all;
  unsigned wait_for = 0;
  const StreamError error = read_some(x, UINT64_MAX, wait_for);
  if (error != StreamError::none) {
    x.fail(error);
    co_return Sent::failed;
  }
  co_return reader_.state() == http::ResponseReader::State::head ? Sent::all : Sent::answered_early;
}

// ---- receiving ------------------------------------------------------------------------------------------

Task<void> HttpConnection::receive(Exchange& x) {
  // No answer can be there yet: wait first, and save the system call that would say so. TLS may hold bytes
  // that the socket no longer shows.
  unsigned wait_for = stream_.is_tls() ? 0U : Socket::readable;
  while (reader_.reading()) {
    if (wait_for != 0) {
      const Socket::Wake wake = co_await stream_.wait(wait_for, x.deadline());
      if (wake != Socket::Wake::ready) {
        x.fail(error_of(wake));
        co_return;
      }
    }
    const bool in_body = reader_.state() == http::ResponseReader::State::body;
    std::uint64_t granted = UINT64_MAX;
    if (in_body && (x.request.limiter != nullptr || x.request.speed > 0)) {
      StreamError error = StreamError::none;
      if (x.request.speed > 0) {
        error = co_await pace_receive(x, granted);
      } else {
        error = co_await allowance(x, granted, granted);
      }
      if (error != StreamError::none) {
        x.fail(error);
        co_return;
      }
    }
    const StreamError error = read_some(x, granted, wait_for);
    if (error == StreamError::none) continue;
    // A body that the end of the connection ends is whole only if that end is the server's own.
    if (error == StreamError::closed && stream_.ended_in_order() && reader_.ended()) co_return;
    x.result.truncated = in_body;
    x.fail(error);
    co_return;
  }
  if (x.request.speed > 0 && reader_.body_bytes() > 0) {
    const TimePoint due = Pace(x.request.speed, x.result.first_byte_received).when(reader_.body_bytes());
    x.result.behind = now() - due;
    const StreamError error = co_await sleep_until(x, due);
    if (error != StreamError::none) x.fail(error);
  }
}

// What may be read of a body now: what the pace is ahead of all that has come, read or still in the system's
// buffer. So the peer, who sees its bytes acknowledged before we read them, sees the pace from the moment on
// when that buffer is full.
Task<StreamError> HttpConnection::pace_receive(Exchange& x, std::uint64_t& granted) {
  const Pace pace(x.request.speed, x.result.first_byte_received);
  for (;;) {
    const std::uint64_t buffered = stream_.buffered();
    granted = UINT64_MAX;
    if (buffered >= reader_.body_left()) co_return StreamError::none;  // all of it is here
    // Half a piece early at best, half a piece late at worst.
    const std::uint64_t come = reader_.body_bytes() + buffered, half = pace.piece() / 2 + 1;
    const std::uint64_t allowed = pace.allowed(now()) + half;
    granted = allowed > come ? allowed - come : 0;
    if (granted >= half) co_return StreamError::none;
    const StreamError error = co_await sleep_until(x, pace.when(come + half));
    if (error != StreamError::none) co_return error;
  }
}

// Waits until the next piece of a body is due; `granted` is its length.
Task<StreamError> HttpConnection::pace_send(Exchange& x, const Pace& pace, std::uint64_t offset,
                                            std::uint64_t& granted) {
  granted = std::min(granted, pace.piece());
  x.due = x.request.pace != nullptr ? x.request.pace->take(granted, now()) : pace.when(offset + granted);
  const StreamError error = co_await sleep_until(x, x.due);
  co_return error;
}

Task<StreamError> HttpConnection::sleep_until(Exchange& x, TimePoint until) {
  // A timer that was due just then did not hear of the cancellation.
  if (cancelled_) co_return StreamError::cancelled;
  if (until <= now()) co_return StreamError::none;
  const bool in_time = co_await timer_->until(until);
  x.last_moved = now();
  co_return in_time && !cancelled_ ? StreamError::none : StreamError::cancelled;
}

// Reads once, at most `most` bytes. `wait_for` is what to wait for before it makes sense to read again, if
// anything.
StreamError HttpConnection::read_some(Exchange& x, std::uint64_t most, unsigned& wait_for) {
  const bool was_answered = reader_.answered();
  const unsigned interim_before = reader_.interim_answers();
  const std::uint64_t body_before = reader_.body_bytes();
  // What TLS decrypts costs no more to look at.
  const bool drops = !stream_.is_tls() || x.request.sink == nullptr;
  const std::uint64_t unseen = drops ? std::min(reader_.unseen(), most) : 0;
  const std::uint64_t to_show = std::min({reader_.to_show(), most, std::uint64_t{look_size}});
  IoResult io;
  bool emptied = false;
  if (unseen != 0) {
    io = stream_.try_discard(unseen);
    emptied = io.bytes < unseen;
    reader_.skipped(io.bytes);
  } else if (to_show != 0) {
    io = stream_.try_read(look_buffer(), to_show);
    emptied = io.bytes < to_show;
    reader_.shown({look_buffer(), io.bytes});
  } else {
    std::span<char> room = reader_.room();
    if (room.size() > most) room = room.first(most);
    io = stream_.try_read(room.data(), room.size());
    emptied = io.bytes < room.size();
    reader_.received(io.bytes);
  }
  if (io.error != StreamError::none) return io.error;
  wait_for = io.blocked;
  // On plain TCP a short read has emptied the socket: wait, do not ask again.
  if (wait_for == 0 && emptied && !stream_.is_tls()) wait_for = Socket::readable;
  if (io.bytes == 0) return StreamError::none;
  x.last_moved = now();
  // Timed is the first byte of the final answer: not that of an interim one, which may have come before it.
  if (reader_.answered() && (!was_answered || reader_.interim_answers() != interim_before))
    x.result.first_byte_received = x.last_moved;
  // Error documents are no payload.
  if (reader_.head() != nullptr && reader_.head()->status < 300) x.moved(reader_.body_bytes() - body_before);
  return StreamError::none;
}

}  // namespace s3lt
