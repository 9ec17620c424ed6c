#include "net/http_connection.h"

#include <algorithm>
#include <cstring>

namespace s3lt {
namespace {

constexpr std::size_t most_error_body = 64 * 1024, most_kept_body = 16 << 20;
// With a limiter, bytes move in pieces of at most this much, so that the rate is even.
constexpr std::uint64_t limited_piece = 64 * 1024;

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
  bool reusable = true;    // the connection can carry another request after this one
  TimePoint last_moved{};  // for the stall deadline
  http::Framing framing{};
  TimePoint deadline() const { return last_moved + stall; }
  void fail(StreamError error) {
    result.error = error;
    reusable = false;
  }
};

Task<StreamError> HttpConnection::connect(const Address& address, TlsClient* tls,
                                          const std::string& server_name) {
  exchanges_ = 0;
  begin_ = end_ = 0;
  const ConnectOptions options{.tls = tls, .server_name = server_name, .deadline = now() + connect_deadline};
  const StreamError error = co_await stream_.connect(*loop_, address, options);
  co_return error;
}

Task<ExchangeResult> HttpConnection::exchange(const ExchangeRequest& request) {
  ExchangeResult result;
  Exchange x{.request = request, .result = result, .stall = stall_};
  if (!buffer_) {
    buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
    capacity_ = buffer_size;
  }
  body_.clear();
  if (request.limiter != nullptr) {
    std::uint64_t ignored = 0;
    const StreamError error = co_await allowance(x, 1, ignored);
    if (error != StreamError::none) x.fail(error);
  }
  result.first_byte_sent = x.last_moved = now();

  // Send: head and body together where the server is not asked first.
  Sent sent = Sent::all;
  if (result.error == StreamError::none && (request.body == nullptr || request.expect_continue)) {
    const StreamError error = co_await send_head(x);
    if (error != StreamError::none) x.fail(error);
    if (error == StreamError::none && request.expect_continue) {
      const bool go_on = co_await await_continue(x);
      if (!go_on) sent = Sent::answered_early;
    }
  }
  if (request.body != nullptr && result.error == StreamError::none && sent == Sent::all) {
    sent = co_await send_body(x);
    if (sent == Sent::failed && begin_ == end_ && result.error != StreamError::cancelled) {
      // The server may have answered before it closed: what it said counts more than that it closed.
      unsigned blocked = 0;
      const StreamError before = result.error;
      result.error = StreamError::none;
      if (read_more(x, blocked) != StreamError::none || blocked != 0) result.error = before;
    }
  }

  // Receive.
  if (result.error == StreamError::none && !result.malformed && result.status == 0) co_await receive_head(x);
  if (result.error == StreamError::none && !result.malformed && !take_whole_body(x)) co_await receive_body(x);

  result.end = now();
  if (result.error != StreamError::none && result.problem.empty()) result.problem = words(result.error);
  result.body = body_;
  keep_or_close(x);
  co_return result;
}

void HttpConnection::keep_or_close(Exchange& x) {
  ++exchanges_;
  // Bytes behind the answer belong to no request of ours.
  if (x.result.malformed || x.result.truncated || begin_ != end_) x.reusable = false;
  if (x.result.head != nullptr && !http::keeps_alive(*x.result.head)) x.reusable = false;
  begin_ = end_ = 0;
  if (!x.reusable) stream_.close();
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

// Waits for 100 Continue, at most a second. False: a final answer came instead.
Task<bool> HttpConnection::await_continue(Exchange& x) {
  const TimePoint until = now() + continue_wait;
  for (;;) {
    const Socket::Wake wake = co_await stream_.wait(Socket::readable, until);
    if (wake == Socket::Wake::timed_out) co_return true;
    if (wake == Socket::Wake::cancelled) {
      x.fail(StreamError::cancelled);
      co_return false;
    }
    unsigned blocked = 0;
    const StreamError error = read_more(x, blocked);
    if (error != StreamError::none) {
      x.fail(error);
      co_return false;
    }
    // Interim answers are skipped by parse_head; 100 is the one that lets the body go.
    while (begin_ != end_) {
      const std::size_t before = begin_;
      if (parse_head(x)) co_return x.result.status == 0 && !x.result.malformed;
      if (begin_ == before) break;
      if (head_.status == 100) co_return true;
    }
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

void HttpConnection::moved(Exchange& x, std::uint64_t bytes) {
  if (bytes == 0) return;
  if (x.request.observer != nullptr) x.request.observer->moved(bytes);
  if (x.request.limiter != nullptr) x.request.limiter->spend(bytes);
}

Task<HttpConnection::Sent> HttpConnection::send_body(Exchange& x) {
  BodySource& body = *x.request.body;
  const std::uint64_t size = body.size();
  std::string_view head = x.request.expect_continue ? std::string_view() : x.request.head;
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
    offset += of_body;
    moved(x, of_body);
    if (io.blocked == 0) {
      // More to send, and room for it: but what the server may have said counts first only when it blocks.
      continue;
    }
    // A final answer may come while the body is still being sent.
    const Socket::Wake wake = co_await stream_.wait(io.blocked | Socket::readable, x.deadline());
    if (wake != Socket::Wake::ready) {
      x.fail(error_of(wake));
      co_return Sent::failed;
    }
    x.last_moved = now();
    if ((stream_.ready_for() & Socket::readable) == 0 || (io.blocked & Socket::readable) != 0) continue;
    unsigned blocked = 0;
    const StreamError error = read_more(x, blocked);
    if (error != StreamError::none) {
      x.fail(error);
      co_return Sent::failed;
    }
    while (begin_ != end_) {
      const std::size_t before = begin_;
      if (parse_head(x)) {
        x.reusable = false;  // the rest of the body will not come
        co_return Sent::answered_early;
      }
      if (begin_ == before) break;
    }
  }
  co_return Sent::all;
}

// Reads once into the buffer.
StreamError HttpConnection::read_more(Exchange& x, unsigned& blocked) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_) {
    if (begin_ > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    } else {
      // A long head: the parser bounds it.
      auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
      std::memcpy(larger.get(), buffer_.get(), end_);
      buffer_ = std::move(larger);
      capacity_ *= 2;
    }
  }
  const IoResult io = stream_.try_read(buffer_.get() + end_, capacity_ - end_);
  blocked = io.blocked;
  end_ += io.bytes;
  if (io.bytes > 0) {
    x.last_moved = now();
    if (!x.result.answered) {
      x.result.answered = true;
      x.result.first_byte_received = x.last_moved;
    }
  }
  return io.error;
}

// Parses a head at begin_. True when the final one was found, or the answer is malformed; an interim one
// is consumed (head_.status says which).
bool HttpConnection::parse_head(Exchange& x) {
  const std::string_view text(buffer_.get() + begin_, end_ - begin_);
  const http::HeadParse parsed = http::parse_response_head(text, head_);
  if (parsed.status == http::HeadStatus::incomplete) {
    head_.status = 0;
    return false;
  }
  if (parsed.status == http::HeadStatus::malformed) {
    x.result.malformed = true;
    x.result.problem = parsed.problem;
    begin_ = end_;
    return true;
  }
  begin_ += parsed.size;
  if (head_.status < 200) {
    x.result.interim = true;
    x.result.answered = begin_ != end_;  // ttfb is of the final answer
    return false;
  }
  x.framing = http::response_framing(head_, x.request.method);
  if (!x.framing.problem.empty()) {
    x.result.malformed = true;
    x.result.problem = x.framing.problem;
    return true;
  }
  x.result.status = head_.status;
  x.result.head = &head_;
  return true;
}

Task<void> HttpConnection::receive_head(Exchange& x) {
  for (;;) {
    while (begin_ != end_) {
      const std::size_t before = begin_;
      if (parse_head(x)) co_return;
      if (begin_ == before) break;
    }
    // No answer can be there yet: wait first, and save the system call that would say so. TLS may hold
    // bytes that the socket no longer shows.
    unsigned blocked = Socket::readable;
    if (stream_.is_tls()) {
      const StreamError error = read_more(x, blocked);
      if (error != StreamError::none) {
        x.fail(error);
        co_return;
      }
      if (blocked == 0) continue;
    }
    const Socket::Wake wake = co_await stream_.wait(blocked, x.deadline());
    if (wake != Socket::Wake::ready) {
      x.fail(error_of(wake));
      co_return;
    }
    if (stream_.is_tls()) continue;
    const StreamError error = read_more(x, blocked);
    if (error != StreamError::none) {
      x.fail(error);
      co_return;
    }
  }
}

// Accounts for body bytes at hand; keeps them where somebody wants to look.
void HttpConnection::take_body(Exchange& x, std::string_view bytes) {
  x.result.body_bytes += bytes.size();
  if (x.result.status < 300) moved(x, bytes.size());  // error documents are no payload
  const std::size_t most = x.request.keep_body      ? most_kept_body
                           : x.result.status >= 300 ? most_error_body
                                                    : 0;
  if (body_.size() < most) body_.append(bytes.substr(0, most - body_.size()));
}

// The head's views point into the buffer, which the body needs now.
void HttpConnection::keep_head() {
  head_text_.assign(buffer_.get(), end_);
  const std::ptrdiff_t moved = head_text_.data() - buffer_.get();
  http::Headers kept;
  for (const http::Header& h : head_.headers.all()) {
    kept.add({{h.name.data() + moved, h.name.size()}, {h.value.data() + moved, h.value.size()}});
  }
  head_.headers = kept;
  head_.reason = {head_.reason.data() + moved, head_.reason.size()};
}

// Small bodies come with their heads: nothing to wait for.
bool HttpConnection::take_whole_body(Exchange& x) {
  if (x.framing.kind == http::Framing::Kind::none) return true;
  if (x.framing.kind != http::Framing::Kind::length || x.framing.length > end_ - begin_) return false;
  take_body(x, {buffer_.get() + begin_, x.framing.length});
  begin_ += x.framing.length;
  return true;
}

Task<void> HttpConnection::receive_body(Exchange& x) {
  const bool until_close = x.framing.kind == http::Framing::Kind::until_close;
  if (until_close) x.reusable = false;
  const bool look = x.request.keep_body || x.result.status >= 300;
  if (look || x.framing.kind == http::Framing::Kind::chunked) keep_head();
  if (x.framing.kind == http::Framing::Kind::chunked) {
    co_await receive_chunked(x);
    co_return;
  }
  std::uint64_t left = until_close ? UINT64_MAX : x.framing.length;
  const std::uint64_t at_hand = std::min<std::uint64_t>(left, end_ - begin_);
  take_body(x, {buffer_.get() + begin_, at_hand});
  begin_ += at_hand;
  if (!until_close) left -= at_hand;
  while (left != 0) {
    std::uint64_t granted = left;
    if (x.request.limiter != nullptr) {
      const StreamError error = co_await allowance(x, left, granted);
      if (error != StreamError::none) {
        x.fail(error);
        co_return;
      }
    }
    IoResult io;
    if (look) {
      begin_ = end_ = 0;
      io = stream_.try_read(buffer_.get(), std::min<std::uint64_t>(granted, capacity_));
      take_body(x, {buffer_.get(), io.bytes});
    } else {
      io = stream_.try_discard(granted);
      x.result.body_bytes += io.bytes;
      moved(x, io.bytes);
    }
    if (!until_close) left -= io.bytes;
    if (io.error == StreamError::closed && until_close) co_return;
    if (io.error != StreamError::none) {
      x.result.truncated = true;
      x.fail(io.error);
      co_return;
    }
    if (left == 0) co_return;
    // On plain TCP a short read has emptied the socket: wait, do not ask again.
    if (io.blocked == 0 && (stream_.is_tls() || io.bytes == granted)) continue;
    const Socket::Wake wake =
        co_await stream_.wait(io.blocked != 0 ? io.blocked : Socket::readable, x.deadline());
    if (wake != Socket::Wake::ready) {
      x.fail(error_of(wake));
      co_return;
    }
    x.last_moved = now();
  }
}

Task<void> HttpConnection::receive_chunked(Exchange& x) {
  http::ChunkedDecoder decoder;
  for (;;) {
    while (begin_ != end_) {
      const auto step = decoder.step({buffer_.get() + begin_, end_ - begin_});
      begin_ += step.consumed;
      if (!step.data.empty()) take_body(x, step.data);
      if (step.status == http::ChunkedDecoder::Status::done) co_return;
      if (step.status == http::ChunkedDecoder::Status::malformed) {
        x.result.malformed = true;
        x.result.problem = "a chunked body that breaks its own coding";
        co_return;
      }
    }
    unsigned blocked = 0;
    const StreamError error = read_more(x, blocked);
    if (error != StreamError::none) {
      x.result.truncated = true;
      x.fail(error);
      co_return;
    }
    if (blocked == 0) continue;
    const Socket::Wake wake = co_await stream_.wait(blocked, x.deadline());
    if (wake != Socket::Wake::ready) {
      x.fail(error_of(wake));
      co_return;
    }
  }
}

}  // namespace s3lt
