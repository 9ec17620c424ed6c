// Heads of HTTP/1.1 messages (RFC 9112): parsing without copying, and how the body is framed.
// Views point into the caller's buffer. Pure functions, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace s3lt::http {

inline constexpr std::size_t max_head_bytes = 64 * 1024;
inline constexpr std::size_t max_headers = 100;

struct Header {
  std::string_view name, value;  // value without surrounding white space
};

bool iequals(std::string_view a, std::string_view b);  // ASCII case-insensitive

class Headers {
 public:
  void clear() { count_ = 0; }
  bool add(Header h) {
    if (count_ == max_headers) return false;
    items_[count_++] = h;
    return true;
  }
  std::span<const Header> all() const { return {items_.data(), count_}; }
  // The first value of that name (any case); a view with a null data() where there is none.
  std::string_view find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).data() != nullptr; }
  // Whether a comma-separated list of that name has this token (any case): Connection: close.
  bool has_token(std::string_view name, std::string_view token) const;

 private:
  std::array<Header, max_headers> items_;
  std::size_t count_ = 0;
};

struct ResponseHead {
  int minor = 1;  // HTTP/1.minor
  int status = 0;
  std::string_view reason;
  Headers headers;
};

struct RequestHead {
  int minor = 1;
  std::string_view method, target;
  Headers headers;
};

enum class HeadStatus { complete, incomplete, malformed };

struct HeadParse {
  HeadStatus status = HeadStatus::incomplete;
  std::size_t size = 0;           // of the head with its empty line, when complete
  std::string_view problem = {};  // when malformed: what is wrong
};

// Parse a head at the start of `buffer`. Obsolete line folding, control characters in names and heads above
// max_head_bytes are malformed; a bare LF is accepted as a line end in responses only.
HeadParse parse_response_head(std::string_view buffer, ResponseHead& out);
HeadParse parse_request_head(std::string_view buffer, RequestHead& out);

struct Framing {
  enum class Kind { none, length, chunked, until_close } kind = Kind::none;
  std::uint64_t length = 0;
  std::string_view problem = {};  // not empty: the message cannot be framed (RFC 9112, 6.3)
};
Framing response_framing(const ResponseHead& head, std::string_view request_method);
Framing request_framing(const RequestHead& head);

// Whether the connection may carry another message after this one.
bool keeps_alive(const ResponseHead& head);
bool keeps_alive(const RequestHead& head);

}  // namespace s3lt::http
