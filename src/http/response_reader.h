// Reads answers from the bytes of a connection, split anywhere: interim answers (1xx), the final head, the
// body in whichever framing. Pure: somebody else receives, into room(). One answer at a time; not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "http/head.h"

namespace s3lt::http {

// Looks at the body of a success (2xx), in order and from its beginning, without its framing.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // How many of the bytes that come next it wants to see; what is read anyway is given to it all the same.
  virtual std::uint64_t wanted() const = 0;
  // How many of the bytes that come next may be dropped without a look: 0 while some are wanted, UINT64_MAX
  // for all that follow.
  virtual std::uint64_t skippable() const { return wanted() > 0 ? 0 : UINT64_MAX; }
  virtual void take(std::span<const std::byte> bytes) = 0;
  virtual void skip(std::uint64_t /*bytes*/) {}  // so many were dropped
};

class ResponseReader {
 public:
  // What goes beyond is malformed.
  static constexpr std::size_t max_interim_bytes = 1 << 20;  // of all interim answers before one final answer
  static constexpr std::size_t max_kept_body = 16 << 20;     // of a body that was to be kept
  // Of the body of an error (status 300 and up) so much is kept, and so much is received; then the answer
  // counts as done, and the connection is of no further use.
  static constexpr std::size_t max_error_kept = 64 * 1024, max_error_body = 1 << 20;

  // Waits for the answer to a request of this method. Everything about the one before is gone. keep_body:
  // also that of a success; that of an error always is. `sink`, where there is one, has to live until the
  // answer is read.
  void begin(std::string_view method, bool keep_body, BodySink* sink = nullptr);

  // Where the stream's next bytes go (never empty while reading), and that `n` of them have come.
  std::span<char> room();
  void received(std::size_t n);
  // So many bytes of the stream may be dropped unseen instead, and that they have been: n <= unseen().
  std::uint64_t unseen() const;
  void skipped(std::uint64_t n);
  // So many bytes of the stream may come in a buffer of the caller's instead, for the sink alone, and that
  // these have: at most to_show().
  std::uint64_t to_show() const;
  void shown(std::span<const char> bytes);
  // The stream ended in order. True where that is how the answer ends.
  bool ended();

  enum class State { head, body, done, malformed };
  State state() const { return state_; }
  bool reading() const { return state_ == State::head || state_ == State::body; }
  std::string_view problem() const { return problem_; }  // of a malformed one

  unsigned interim_answers() const { return interim_answers_; }
  bool continued() const { return continued_; }  // a 100 (Continue) was among them
  // Whether a byte of the final answer is there (or of an interim one that is not whole yet).
  bool answered() const { return state_ != State::head || begin_ != end_; }
  // The final head, null before it is there. Its views are good until begin().
  const ResponseHead* head() const { return has_head_ ? &head_ : nullptr; }
  std::uint64_t body_bytes() const { return body_bytes_; }  // received so far, without framing
  const std::string& body() const { return body_; }         // of them those that are kept
  // What is still to come of a body whose length is known; UINT64_MAX of another.
  std::uint64_t body_left() const { return framing_.kind == Framing::Kind::length ? left_ : UINT64_MAX; }
  // Whether the connection can carry another answer after this one, now done.
  bool reusable() const;

 private:
  static constexpr std::size_t buffer_size = 16 * 1024;
  bool read_head();
  void read_body();
  void take(std::string_view bytes);
  std::uint64_t plain_run() const;
  void advance(std::uint64_t n);
  bool looked_at() const { return keep_ || head_.status >= 300; }
  void keep_head();
  void fail(std::string_view problem);

  State state_ = State::done;
  std::string_view problem_;
  BodySink* sink_ = nullptr;
  bool bodiless_method_ = false, keep_ = false, continued_ = false, has_head_ = false;
  bool cut_ = false;  // left before its end
  unsigned interim_answers_ = 0;
  std::size_t interim_bytes_ = 0;

  std::unique_ptr<char[]> buffer_;  // received and not yet read: [begin_, end_)
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;

  ResponseHead head_;
  std::size_t head_begin_ = 0, head_end_ = 0;  // in the buffer
  std::string head_text_;                      // the head, where the body needs the buffer
  bool head_kept_ = false;

  Framing framing_;
  ChunkedDecoder chunked_;
  std::uint64_t left_ = 0;       // of a body with a length
  std::uint64_t body_wire_ = 0;  // of a body that is looked at, with its framing
  std::uint64_t body_bytes_ = 0;
  std::string body_;
};

}  // namespace s3lt::http
