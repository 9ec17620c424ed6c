// The chunked transfer coding (RFC 9112, 7.1), with extensions and trailers, split anywhere.
// One decoder decodes one body; not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace s3lt::http {

class ChunkedDecoder {
 public:
  enum class Status { need_more, done, malformed };
  struct Step {
    Status status = Status::need_more;
    std::size_t consumed = 0;  // of the input: framing and data
    std::string_view data;     // body bytes among them (at most one run a step); points into the input
  };
  // Call again with the rest of the input until it is consumed, done or malformed.
  Step step(std::string_view input);
  // After done: trailer lines, "name: value" each ended by '\n'.
  const std::string& trailers() const { return trailers_; }
  // Bytes of the current chunk still to come: that many may be taken from the stream unseen, see skip().
  std::uint64_t remaining() const { return state_ == State::data ? remaining_ : 0; }
  void skip(std::uint64_t n);  // n <= remaining()

 private:
  enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer, done };
  State state_ = State::size;
  std::uint64_t remaining_ = 0;
  int digits_ = 0;
  std::string line_, trailers_;
};

}  // namespace s3lt::http
