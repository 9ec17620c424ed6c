// A kept HTTP/1.1 connection of one client: one request at a time, framing by http/, nothing copied that
// need not be. Belongs to one loop's thread and one coroutine at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/response_reader.h"
#include "net/stream.h"
#include "schedule/pace.h"
#include "schedule/shared_pace.h"
#include "schedule/token_bucket.h"

namespace s3lt {

// Where the bytes of a request body come from.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size() const = 0;
  // Pieces that begin at `offset` (below size()), some or all of what is left; valid until the next call.
  virtual std::span<const iovec> pieces(std::uint64_t offset) = 0;
  // How many of its first `offset` bytes are not framing.
  virtual std::uint64_t payload(std::uint64_t offset) const { return offset; }
};

// Sees the body bytes of both directions as they move.
class TransferObserver {
 public:
  virtual ~TransferObserver() = default;
  virtual void moved(std::uint64_t bytes) = 0;
};

struct ExchangeRequest {
  std::string_view method;
  std::string_view head;  // whole, with its empty line
  BodySource* body = nullptr;
  bool expect_continue = false;          // wait up to a second for 100 Continue before the body
  bool keep_body = false;                // keep the answer's body (at most 16 MiB) also where it is a success
  http::BodySink* sink = nullptr;        // null: nobody looks at the body
  TransferObserver* observer = nullptr;  // never null where bytes matter
  TokenBucket* limiter = nullptr;        // of body bytes, both directions
  double speed = 0;                      // body bytes a second, both directions; 0: as fast as it goes
  SharedPace* pace = nullptr;            // where several requests send at that speed together
};

// How an exchange went. What it views stays valid until the next exchange on the connection.
struct ExchangeResult {
  StreamError error = StreamError::none;
  std::string_view problem;                  // with an error: in words; also set where the answer is no HTTP
  bool malformed = false;                    // the answer is not HTTP/1.1, or cannot be framed
  bool truncated = false;                    // the answer's body ended before its announced length
  bool answered = false;                     // at least one byte of a final answer came
  bool interim = false;                      // a 1xx came
  bool unsent = false;                       // the connection had ended before anything was sent
  int status = 0;                            // of the final answer, 0: none
  const http::ResponseHead* head = nullptr;  // of the final answer
  std::uint64_t body_bytes = 0;              // of the final answer's body, received
  std::string_view body;                     // kept: of errors (at most 64 KiB), or as asked
  TimePoint first_byte_sent{}, first_byte_received{}, end{};
  TimePoint let_go{};        // the wait for 100 Continue was over, in whatever way; {}: there was none
  TimePoint request_sent{};  // its last byte; {}: it was not sent whole
  Duration silent{};         // of one that was cancelled: how long no byte had moved
  // With a speed: how much later than due the last byte of a body moved, because the peer or the network was
  // slower than that.
  Duration behind{};
};

class HttpConnection {
 public:
  explicit HttpConnection(Loop& loop) : loop_(&loop), timer_(std::make_unique<Timer>(loop)) {}

  static constexpr auto connect_deadline = std::chrono::seconds(10);
  static constexpr Duration stall_deadline = std::chrono::seconds(300);  // without one byte moved
  static constexpr auto continue_wait = std::chrono::seconds(1);

  // Another stall deadline than the usual one.
  void set_stall_deadline(Duration deadline) { stall_ = deadline; }

  // Small socket buffers, so that a peer meets the speed at which we read and write, and not
  // the system's: for exchanges with a speed. Before connect().
  void be_slow(double bytes_per_second);

  bool is_open() const { return stream_.is_open(); }
  bool was_used() const { return exchanges_ > 0; }
  Task<StreamError> connect(const Address& address, TlsClient* tls, const std::string& server_name);
  const std::string& problem() const { return stream_.problem(); }
  const Stream& stream() const { return stream_; }  // what it knows of its TLS
  // Of the connection that the last connect() made, also once it is closed: its two ends, when the TCP
  // connection stood, and how many requests it carried.
  const std::string& local() const { return local_; }
  const std::string& remote() const { return remote_; }
  TimePoint connected_at() const { return stream_.connected_at(); }
  std::uint64_t requests() const { return exchanges_; }

  // Sends the request and receives the answer. Closes the connection where it cannot carry another
  // request. One on which something came since the last exchange (its end, or bytes that answer nothing, like
  // a proxy's 408) carries none: StreamError::closed, with nothing sent.
  Task<ExchangeResult> exchange(const ExchangeRequest& request);

  void close() { stream_.close(); }
  // Ends what waits here, and all that would wait later, with StreamError::cancelled.
  void cancel() {
    cancelled_ = true;
    stream_.cancel();
    timer_->cancel();
  }

 private:
  enum class Sent { all, answered_early, failed };
  struct Exchange;
  Task<void> send_both(Exchange& x);
  Task<StreamError> send_head(Exchange& x);
  Task<bool> await_continue(Exchange& x);
  Task<Sent> send_body(Exchange& x);
  Task<Sent> after_blocked_send(Exchange& x, unsigned blocked);
  Task<void> receive(Exchange& x);
  Task<StreamError> allowance(Exchange& x, std::uint64_t wanted, std::uint64_t& granted);
  Task<StreamError> pace_send(Exchange& x, const Pace& pace, std::uint64_t offset, std::uint64_t& granted);
  Task<StreamError> pace_receive(Exchange& x, std::uint64_t& granted);
  Task<StreamError> sleep_until(Exchange& x, TimePoint until);
  StreamError read_some(Exchange& x, std::uint64_t most, unsigned& wait_for);
  bool went_stale(TimePoint t);
  void conclude(Exchange& x);

  Loop* loop_;
  std::unique_ptr<Timer> timer_;
  Stream stream_;
  http::ResponseReader reader_;
  std::string local_, remote_;
  std::uint64_t exchanges_ = 0;
  TimePoint last_end_{};  // of the exchange before
  Duration stall_ = stall_deadline;
  int receive_buffer_ = 0, send_buffer_ = 0;
  bool cancelled_ = false;
};

}  // namespace s3lt
