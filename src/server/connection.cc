#include "server/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace s3lt::server {
namespace {

constexpr std::size_t initial_buffer = 16 * 1024;
constexpr Duration handshake_deadline = std::chrono::seconds(10);
// After an answer that ends the connection the client's bytes are still taken for so long: closing with bytes
// unread would reset the connection and might take the answer with it.
constexpr Duration linger_deadline = std::chrono::seconds(2);

bool has_xml_body(Operation operation) {
  return operation == Operation::delete_objects || operation == Operation::create_bucket ||
         operation == Operation::complete_multipart_upload;
}

}  // namespace

Connection::Connection(Worker& worker, int fd, std::uint64_t number)
    : worker_(worker),
      stream_(worker.loop, fd, worker.shared.tls.get()),
      buffer_(initial_buffer),
      answer_(worker.context) {
  if (RecordFile* const file = worker.shared.record.get())
    record_.emplace(*file, number, stream_.peer_address().text(), stream_.is_tls());
}

void Connection::finish() {
  if (idle_) cancel();
}

void Connection::cancel() {
  cancelled_ = true;
  stream_.cancel();
  if (delay_) delay_->cancel();
}

Task<void> Connection::run() {
  if (stream_.is_tls()) {
    const StreamError failed = co_await stream_.handshake(now() + handshake_deadline);
    if (failed != StreamError::none) co_return;
  }
  for (;;) {
    const http::HeadParse parsed =
        begin_ == end_ ? http::HeadParse{} : http::parse_request_head(unread(), request_.head);
    if (parsed.status == http::HeadStatus::incomplete) {
      const bool more = co_await fill();
      if (!more) co_return;
      continue;
    }
    idle_ = false;
    worker_.context.set_time(std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count());
    if (parsed.status == http::HeadStatus::malformed) {
      refuse_head(parsed.problem);
    } else {
      taken_ = parsed.size;
      const bool admitted = admit();
      if (admitted && fault_) {
        const bool alive = co_await fault_before_handling();
        if (!alive) co_return;
      }
      if (admitted) respond();
      if (handler_) {
        const bool received = co_await receive_body();
        if (!received) co_return;
      }
      peek_for_body();
      if (fault_) fault_in_answer();
      end_answer();
    }
    if (record_) record_->end(answer_.status());

    bool sent = false;
    if (delivery_) {
      sent = co_await deliver_with_fault();
    } else {
      const Progress progress = begin_answer();
      sent = progress == Progress::done;
      if (progress == Progress::blocked) sent = co_await push_all();
    }
    if (!sent) co_return;
    answer_.release();
    if (fault_) {
      const bool goes_on = co_await fault_after_answer();
      if (!goes_on) co_return;
    }
    if (body_coming_) {
      const bool drained = co_await drain_body();
      if (!drained) co_return;
    }
    if (answer_.closes()) {
      co_await linger();
      co_return;
    }
    consume();
    if (worker_.stopping || cancelled_) co_return;
  }
}

// ---- reading
// -------------------------------------------------------------------------------------------------

void Connection::make_room() {
  if (begin_ > 0 && begin_ == end_) begin_ = end_ = 0;
  if (end_ < buffer_.size()) return;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  } else {
    buffer_.resize(2 * buffer_.size());
  }
}

// Waits for bytes of a request's head. The answer has just gone out, so on plain TCP there can be nothing to
// read yet: waiting first spares a call that fails. A TLS session may hold bytes that no wait would tell of.
Task<bool> Connection::fill() {
  make_room();
  idle_ = begin_ == end_;
  if (idle_ && worker_.stopping) co_return false;
  IoResult read{.blocked = Socket::readable};
  if (stream_.is_tls()) read = stream_.try_read(buffer_.data() + end_, buffer_.size() - end_);
  while (read.blocked != 0) {
    const TimePoint deadline = idle_ ? Socket::no_deadline : now() + idle_deadline;
    const Socket::Wake wake = co_await stream_.wait(read.blocked, deadline);
    if (wake != Socket::Wake::ready) co_return false;
    read = stream_.try_read(buffer_.data() + end_, buffer_.size() - end_);
  }
  end_ += read.bytes;
  co_return read.error == StreamError::none;
}

// The request is done with: what follows it in the buffer is the next one.
void Connection::consume() {
  body_.reset();
  handler_.reset();
  begin_ += taken_;
  taken_ = 0;
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > initial_buffer) buffer_ = std::vector<char>(initial_buffer);
  }
  if (overread_.empty()) return;
  // Bytes beyond a chunked body: the buffer had been used up.
  buffer_.resize(std::max(buffer_.size(), overread_.size()));
  std::memcpy(buffer_.data(), overread_.data(), overread_.size());
  end_ = overread_.size();
  overread_.clear();
}

void Connection::feed(std::string_view bytes, std::size_t& taken) {
  taken = body_->feed(bytes, [this](std::string_view data) {
    return handler_ ? handler_->take(data) : std::optional<S3Error>();
  });
  if (record_) record_->body(bytes.substr(0, taken));
}

// Reads the body to its end and has the answer made; stops early where it turns out wrong.
Task<bool> Connection::receive_body() {
  std::size_t taken = 0;
  feed(unread().substr(taken_), taken);
  taken_ += taken;
  if (expects_continue_ && taken == 0 && !body_->complete()) {
    const bool sent = co_await send_continue();
    if (!sent) co_return false;
    if (record_) record_->said_continue();
  }
  expects_continue_ = false;  // from here on the body comes
  while (!body_->complete() && !body_->error()) {
    const std::size_t room = body_->http_chunked()
                                 ? worker_.scratch.size()
                                 : std::min<std::uint64_t>(worker_.scratch.size(), body_->wire_remaining());
    const IoResult read = stream_.try_read(worker_.scratch.data(), room);
    if (read.error != StreamError::none) co_return false;
    if (read.blocked != 0) {
      const Socket::Wake wake = co_await stream_.wait(read.blocked, now() + idle_deadline);
      if (wake != Socket::Wake::ready) co_return false;
      continue;
    }
    feed({worker_.scratch.data(), read.bytes}, taken);
    overread_.assign(worker_.scratch.data() + taken, read.bytes - taken);
  }
  worker_.context.set_time(std::chrono::floor<std::chrono::seconds>(wall_now()).time_since_epoch().count());
  if (const auto wrong = body_->verify()) {
    answer_.error(*wrong, request_.path);
    if (body_->broken()) answer_.close_after();
  } else {
    Exchange asked = exchange();
    handler_->finish(asked, *body_);
  }
  handler_.reset();
  co_return true;
}

// Whether the answer is decided while the body is still on its way. A client that waits for 100 (Continue)
// and gets a final answer sends none, and the next bytes are the next request; unless it lost patience
// before.
void Connection::peek_for_body() {
  body_coming_ = body_ && !body_->complete() && !body_->broken();
  if (!body_coming_) return;
  body_->abandon(errors::incomplete_body);
  if (expects_continue_ && end_ == begin_ + taken_) {
    if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
    const IoResult read = stream_.try_read(buffer_.data() + end_, buffer_.size() - end_);
    end_ += read.bytes;
    if (read.bytes == 0) body_coming_ = false;
  }
}

// Takes the rest of a body that nobody wants, so that the connection stays usable.
Task<bool> Connection::drain_body() {
  std::size_t taken = 0;
  feed(unread().substr(taken_), taken);
  taken_ += taken;
  while (!body_->complete() && !body_->broken()) {
    const bool chunked = body_->http_chunked();
    const IoResult read = chunked ? stream_.try_read(worker_.scratch.data(), worker_.scratch.size())
                                  : stream_.try_discard(body_->wire_remaining());
    if (read.error != StreamError::none) co_return false;
    if (read.blocked != 0) {
      const Socket::Wake wake = co_await stream_.wait(read.blocked, now() + idle_deadline);
      if (wake != Socket::Wake::ready) co_return false;
      continue;
    }
    if (chunked) {
      feed({worker_.scratch.data(), read.bytes}, taken);
      overread_.assign(worker_.scratch.data() + taken, read.bytes - taken);
    } else {
      body_->skip(read.bytes);
    }
  }
  co_return !body_->broken();
}

// ---- from a request to an answer
// -----------------------------------------------------------------------------

void Connection::refuse_head(std::string_view problem) {
  request_.operation = Operation::unknown;
  request_.head.method = "GET";  // whatever it was, it gets a body
  fault_ = {};
  body_coming_ = false;
  taken_ = end_ - begin_;
  if (record_) record_->begin_malformed(problem);
  const bool too_large = end_ - begin_ >= http::max_head_bytes;
  answer_.error(too_large ? errors::request_header_too_large
                          : S3Error{errors::bad_request.code, errors::bad_request.status, problem});
  answer_.close_after();
  answer_.finish(false);
}

// What the request is, whether it may be, and which fault it meets. False: the answer is made.
bool Connection::admit() {
  fault_ = {};
  body_.reset();
  handler_.reset();
  const http::Headers& headers = request_.head.headers;
  request_.framing = http::request_framing(request_.head);
  const bool has_body = request_.framing.kind != http::Framing::Kind::none;
  expects_continue_ = has_body && request_.head.minor >= 1 && headers.has_token("expect", "100-continue");
  if (!request_.framing.problem.empty()) {
    if (record_) record_->begin(request_.head, {}, false);
    request_.operation = Operation::unknown;
    answer_.error({errors::bad_request.code, errors::bad_request.status, request_.framing.problem});
    answer_.close_after();
    return false;
  }
  const auto unroutable = route(request_);
  if (record_) record_->begin(request_.head, request_.framing, has_xml_body(request_.operation));
  std::optional<Refusal> refusal;
  const bool open = request_.operation == Operation::introspection;
  if (!open) refusal = worker_.authenticator.verify(request_, worker_.context.now());
  if (has_body || takes_body(request_.operation)) {
    body_.emplace(request_, worker_.authenticator.signer(), worker_.authenticator.last_signature());
  }
  if (unroutable) {
    answer_.error(*unroutable, request_.path);
    return false;
  }
  if (refusal) {
    answer_.error(refusal->error, request_.path, refusal->details);
    return false;
  }
  fault_ = worker_.shared.faults.decide(request_.operation);
  return true;
}

void Connection::respond() {
  if (fault_.is(FaultKind::status)) return fault_instead_of_handling();
  if (request_.operation == Operation::introspection) return introspect();
  if (body_ && body_->error()) {
    answer_.error(*body_->error(), request_.path);
    return;
  }
  Exchange asked = exchange();
  handler_ = handle(asked, body_ ? &*body_ : nullptr);
}

void Connection::introspect() {
  answer_.start(200);
  answer_.header("Content-Type", "application/json");
  answer_.text() = request_.path == "/-/faults" ? to_json(worker_.shared.faults.counts())
                                                : to_json(worker_.shared.stats());
}

Exchange Connection::exchange() {
  return {
      request_, answer_, worker_.shared.store, worker_.buckets, *worker_.shared.pool, worker_.shared.region};
}

// ---- writing
// -------------------------------------------------------------------------------------------------

void Connection::end_answer() {
  if (!http::keeps_alive(request_.head) || worker_.stopping) answer_.close_after();
  if (request_.head.minor == 0) answer_.keep_alive_10();
  answer_.finish(request_.is_head());
}

void Connection::count(int change) {
  const auto status_class = static_cast<std::size_t>(answer_.status() / 100);
  worker_.tallies.answers[static_cast<std::size_t>(request_.operation)][status_class].add(
      static_cast<std::uint64_t>(change));
  worker_.shared.faults.count(fault_.rule, change);
}

// What is still to be sent, as far as one call takes it. This is the one place that bodies go through.
std::span<const iovec> Connection::next_pieces() {
  std::size_t n = 0;
  std::vector<iovec>& pieces = worker_.pieces;
  const auto add = [&](const void* data, std::size_t size) { pieces[n++] = {const_cast<void*>(data), size}; };
  const std::string_view head = answer_.head_bytes();
  if (sent_ < head.size()) add(head.data() + sent_, head.size() - sent_);
  const std::uint64_t body_sent = sent_ > head.size() ? sent_ - head.size() : 0;
  const std::uint64_t left = answer_.body_length() - body_sent;
  if (left == 0) return {pieces.data(), n};
  const Object* object = answer_.object().get();
  if (object == nullptr) {
    add(answer_.text_body().data() + body_sent, left);
  } else if (!object->recognised()) {
    add(object->bytes->data.get() + answer_.body_offset() + body_sent, left);
  } else {
    for (const iovec& piece : worker_.gather.gather(*worker_.shared.pool, object->content,
                                                    answer_.body_offset() + body_sent, left)) {
      pieces[n++] = piece;
    }
  }
  return {pieces.data(), n};
}

// Counts first: whoever has the answer may ask at once for the counts.
Connection::Progress Connection::begin_answer() {
  count(1);
  sent_ = 0;
  const Progress progress = push();
  if (progress == Progress::failed) count(-1);
  return progress;
}

Connection::Progress Connection::push() {
  const std::uint64_t total = answer_.head_bytes().size() + answer_.body_length();
  while (sent_ < total) {
    const std::span<const iovec> pieces = next_pieces();
    const IoResult written = stream_.try_write(pieces);
    if (written.error != StreamError::none) return Progress::failed;
    if (written.blocked != 0) {
      blocked_ = written.blocked;
      return Progress::blocked;
    }
    sent_ += written.bytes;
  }
  return Progress::done;
}

Task<bool> Connection::push_all() {
  for (;;) {
    const Socket::Wake wake = co_await stream_.wait(blocked_, now() + idle_deadline);
    const Progress progress = wake == Socket::Wake::ready ? push() : Progress::failed;
    if (progress == Progress::failed) count(-1);
    if (progress != Progress::blocked) co_return progress == Progress::done;
  }
}

Task<bool> Connection::send_continue() {
  std::string_view rest = "HTTP/1.1 100 Continue\r\n\r\n";
  while (!rest.empty()) {
    const iovec piece{const_cast<char*>(rest.data()), rest.size()};
    const IoResult written = stream_.try_write({&piece, 1});
    if (written.error != StreamError::none) co_return false;
    if (written.blocked != 0) {
      const Socket::Wake wake = co_await stream_.wait(written.blocked, now() + idle_deadline);
      if (wake != Socket::Wake::ready) co_return false;
    }
    rest.remove_prefix(written.bytes);
  }
  co_return true;
}

Task<void> Connection::linger() {
  ::shutdown(stream_.fd(), SHUT_WR);
  const TimePoint deadline = now() + linger_deadline;
  while (now() < deadline && !worker_.stopping) {
    const IoResult read = stream_.try_discard(worker_.scratch.size());
    if (read.error != StreamError::none) co_return;
    if (read.blocked == 0) continue;
    const Socket::Wake wake = co_await stream_.wait(read.blocked, deadline);
    if (wake != Socket::Wake::ready) co_return;
  }
}

}  // namespace s3lt::server
