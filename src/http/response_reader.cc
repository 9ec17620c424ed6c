#include "http/response_reader.h"

#include <algorithm>
#include <cstring>

namespace s3lt::http {

void ResponseReader::begin(std::string_view method, bool keep_body, BodySink* sink) {
  if (!buffer_ || capacity_ > buffer_size) {
    buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
    capacity_ = buffer_size;
  }
  state_ = State::head;
  problem_ = {};
  bodiless_method_ = method == "HEAD";
  keep_ = keep_body;
  sink_ = sink;
  continued_ = has_head_ = cut_ = head_kept_ = false;
  interim_answers_ = 0;
  interim_bytes_ = 0;
  begin_ = end_ = 0;
  body_wire_ = body_bytes_ = 0;
  body_.clear();
}

void ResponseReader::fail(std::string_view problem) {
  state_ = State::malformed;
  problem_ = problem;
}

std::span<char> ResponseReader::room() {
  // The head's views point into what the body is about to overwrite.
  if (has_head_ && !head_kept_) keep_head();
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == capacity_) {
    if (begin_ > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    } else {
      // A long head: its parser bounds it.
      auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
      std::memcpy(larger.get(), buffer_.get(), end_);
      buffer_ = std::move(larger);
      capacity_ *= 2;
    }
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void ResponseReader::received(std::size_t n) {
  end_ += n;
  while (state_ == State::head && begin_ != end_) {
    if (!read_head()) return;
  }
  if (state_ == State::body) read_body();
}

// Reads an interim or the final head; false where it is not whole yet.
bool ResponseReader::read_head() {
  const HeadParse parsed = parse_response_head({buffer_.get() + begin_, end_ - begin_}, head_);
  if (parsed.status == HeadStatus::incomplete) return false;
  if (parsed.status == HeadStatus::malformed) {
    fail(parsed.problem);
    return true;
  }
  head_begin_ = begin_;
  head_end_ = begin_ += parsed.size;
  if (head_.status < 200) {
    ++interim_answers_;
    interim_bytes_ += parsed.size;
    continued_ |= head_.status == 100;
    if (head_.status == 101) fail("it switched to another protocol unasked");
    if (interim_bytes_ > max_interim_bytes) fail("1xx answers without end");
    return true;
  }
  framing_ = response_framing(head_, bodiless_method_ ? "HEAD" : "GET");
  if (!framing_.problem.empty()) {
    fail(framing_.problem);
    return true;
  }
  has_head_ = true;
  state_ = framing_.kind == Framing::Kind::none ? State::done : State::body;
  left_ = framing_.length;
  if (framing_.kind == Framing::Kind::chunked) chunked_ = {};
  return true;
}

void ResponseReader::read_body() {
  const std::size_t before = begin_;
  switch (framing_.kind) {
    case Framing::Kind::length: {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, end_ - begin_));
      take({buffer_.get() + begin_, n});
      begin_ += n;
      left_ -= n;
      if (left_ == 0 && reading()) state_ = State::done;
      break;
    }
    case Framing::Kind::until_close:
      take({buffer_.get() + begin_, end_ - begin_});
      begin_ = end_;
      break;
    case Framing::Kind::chunked:
      while (begin_ != end_ && reading()) {
        const ChunkedDecoder::Step step = chunked_.step({buffer_.get() + begin_, end_ - begin_});
        begin_ += step.consumed;
        if (!step.data.empty()) take(step.data);
        if (step.status == ChunkedDecoder::Status::done) state_ = State::done;
        if (step.status == ChunkedDecoder::Status::malformed)
          fail("a chunked body that breaks its own coding");
      }
      break;
    case Framing::Kind::none:
      break;
  }
  body_wire_ += begin_ - before;
  if (state_ == State::body && head_.status >= 300 && body_wire_ > max_error_body) {
    cut_ = true;
    state_ = State::done;
  }
}

void ResponseReader::take(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (head_.status >= 300) {
    if (body_.size() < max_error_kept) body_.append(bytes.substr(0, max_error_kept - body_.size()));
    return;
  }
  if (sink_ != nullptr && !bytes.empty()) sink_->take(std::as_bytes(std::span(bytes)));
  if (keep_) {
    if (bytes.size() > max_kept_body - body_.size()) return fail("a document of more than 16 MiB");
    body_.append(bytes);
  }
}

// How many of the stream's next bytes are nothing but body that need not be kept.
std::uint64_t ResponseReader::plain_run() const {
  if (state_ != State::body || begin_ != end_ || looked_at()) return 0;
  if (framing_.kind == Framing::Kind::until_close) return UINT64_MAX;
  if (framing_.kind == Framing::Kind::length) return left_;
  // Small chunks are cheaper to read many at a time.
  return chunked_.remaining() >= buffer_size ? chunked_.remaining() : 0;
}

std::uint64_t ResponseReader::unseen() const {
  return sink_ != nullptr ? std::min(plain_run(), sink_->skippable()) : plain_run();
}

std::uint64_t ResponseReader::to_show() const {
  return sink_ != nullptr ? std::min(plain_run(), sink_->wanted()) : 0;
}

void ResponseReader::shown(std::span<const char> bytes) {
  if (!bytes.empty()) sink_->take(std::as_bytes(bytes));
  advance(bytes.size());
}

void ResponseReader::skipped(std::uint64_t n) {
  if (sink_ != nullptr) sink_->skip(n);
  advance(n);
}

void ResponseReader::advance(std::uint64_t n) {
  body_bytes_ += n;
  if (framing_.kind == Framing::Kind::chunked) chunked_.skip(n);
  if (framing_.kind != Framing::Kind::length) return;
  left_ -= n;
  if (left_ == 0) state_ = State::done;
}

bool ResponseReader::ended() {
  if (state_ != State::body || framing_.kind != Framing::Kind::until_close) return false;
  state_ = State::done;
  return true;
}

bool ResponseReader::reusable() const {
  // Bytes behind the answer belong to no request of ours.
  if (state_ != State::done || cut_ || begin_ != end_ || !keeps_alive(head_)) return false;
  if (framing_.kind == Framing::Kind::until_close) return false;
  // RFC 9112, 6.1 and 6.3: of such an answer it is not sure where it ends.
  const bool doubtful =
      framing_.kind == Framing::Kind::chunked && (head_.minor == 0 || head_.headers.has("content-length"));
  return !doubtful;
}

void ResponseReader::keep_head() {
  const char* old = buffer_.get() + head_begin_;
  head_text_.assign(old, head_end_ - head_begin_);
  const auto moved = [&](std::string_view view) {
    return view.empty() ? std::string_view("")
                        : std::string_view(head_text_.data() + (view.data() - old), view.size());
  };
  Headers kept;
  for (const Header& h : head_.headers.all()) kept.add({moved(h.name), moved(h.value)});
  head_.headers = kept;
  head_.reason = moved(head_.reason);
  head_kept_ = true;
}

}  // namespace s3lt::http
