#include "http/chunked.h"

#include <algorithm>

#include "base/encoding.h"

namespace s3lt::http {
namespace {

constexpr std::size_t max_line = 16 * 1024;

}  // namespace

void ChunkedDecoder::skip(std::uint64_t n) {
  remaining_ -= n;
  if (remaining_ == 0) state_ = State::data_cr;
}

ChunkedDecoder::Step ChunkedDecoder::step(std::string_view input) {
  std::size_t at = 0;
  const auto fail = [&] { return Step{Status::malformed, at, {}}; };
  while (at < input.size()) {
    const char c = input[at];
    switch (state_) {
      case State::size:
        if (const int digit = hex_digit(c); digit >= 0) {
          if (++digits_ > 15) return fail();
          remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
        } else if (digits_ == 0) {
          return fail();
        } else if (c == ';' || c == ' ' || c == '\t') {
          state_ = State::extension;
          digits_ = 0;
        } else if (c == '\r') {
          state_ = State::size_lf;
        } else {
          return fail();
        }
        ++at;
        break;
      case State::extension:
        if (++digits_ > static_cast<int>(max_line)) return fail();
        if (c == '\r') state_ = State::size_lf;
        ++at;
        break;
      case State::size_lf:
        if (c != '\n') return fail();
        digits_ = 0;
        state_ = remaining_ == 0 ? State::trailer : State::data;
        ++at;
        break;
      case State::data: {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
        skip(n);
        return {Status::need_more, at + n, input.substr(at, n)};
      }
      case State::data_cr:
        if (c != '\r') return fail();
        state_ = State::data_lf;
        ++at;
        break;
      case State::data_lf:
        if (c != '\n') return fail();
        state_ = State::size;
        ++at;
        break;
      case State::trailer:
        ++at;
        if (c != '\n') {
          if (line_.size() + trailers_.size() >= max_line) return fail();
          line_ += c;
          break;
        }
        if (line_.empty() || line_.back() != '\r') return fail();
        line_.pop_back();
        if (line_.empty()) {
          state_ = State::done;
          return {Status::done, at, {}};
        }
        trailers_.append(line_).append("\n");
        line_.clear();
        break;
      case State::done:
        return {Status::done, at, {}};
    }
  }
  return {state_ == State::done ? Status::done : Status::need_more, at, {}};
}

}  // namespace s3lt::http
