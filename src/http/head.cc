#include "http/head.h"

#include <charconv>
#include <cstring>
#include <optional>

namespace s3lt::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// RFC 9110, 5.6.2: the characters of a token.
constexpr std::array<bool, 256> token_chars = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    table[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
  for (const unsigned char c : std::string_view("!#$%&'*+-.^_`|~")) table[c] = true;
  return table;
}();

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!token_chars[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

HeadParse malformed(std::string_view problem) {
  return {HeadStatus::malformed, 0, problem};
}

// Takes the next line off `rest`, without its end; nothing where there is no whole line yet.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == rest.npos) return std::nullopt;
  std::string_view line = rest.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  rest.remove_prefix(end + 1);
  return line;
}

HeadParse incomplete(std::string_view buffer) {
  if (buffer.size() >= max_head_bytes) return malformed("a head of more than 64 KiB");
  return {};
}

bool has_bare_line_feed(std::string_view head) {
  for (std::size_t i = head.find('\n'); i != head.npos; i = head.find('\n', i + 1)) {
    if (i == 0 || head[i - 1] != '\r') return true;
  }
  return false;
}

// Header lines up to the empty one.
HeadParse parse_headers(std::string_view buffer, std::string_view rest, Headers& out) {
  out.clear();
  for (;;) {
    const auto line = take_line(rest);
    if (!line) return incomplete(buffer);
    if (line->empty()) {
      const std::size_t size = static_cast<std::size_t>(rest.data() - buffer.data());
      if (size > max_head_bytes) return malformed("a head of more than 64 KiB");
      return {HeadStatus::complete, size};
    }
    const std::size_t colon = line->find(':');
    if (colon == line->npos || colon == 0) return malformed("a header line without a name");
    const std::string_view field = line->substr(0, colon);
    if (!is_token(field)) return malformed("a header name with a character that no name has");
    const std::string_view value = trim(line->substr(colon + 1));
    if (value.find('\0') != value.npos || value.find('\r') != value.npos) {
      return malformed("a header value with a control character");
    }
    if (!out.add({field, value})) return malformed("more than 100 headers");
  }
}

// "HTTP/1.x" -> x, or -1.
int parse_version(std::string_view text) {
  if (text.size() != 8 || !text.starts_with("HTTP/1.") || text[7] < '0' || text[7] > '9') return -1;
  return text[7] - '0';
}

// Content-Length: digits; a list of equal values counts once (RFC 9110, 8.6).
std::optional<std::uint64_t> parse_length(const Headers& headers) {
  std::optional<std::uint64_t> length;
  for (const Header& h : headers.all()) {
    if (!iequals(h.name, "content-length")) continue;
    std::string_view rest = h.value;
    for (bool more = true; more;) {
      const std::size_t comma = rest.find(',');
      const std::string_view item = trim(rest.substr(0, comma));
      std::uint64_t n = 0;
      const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), n);
      if (item.empty() || error != std::errc() || end != item.data() + item.size()) return std::nullopt;
      if (length && *length != n) return std::nullopt;
      length = n;
      more = comma != rest.npos;
      if (more) rest.remove_prefix(comma + 1);
    }
  }
  return length;
}

bool last_coding_is_chunked(const Headers& headers) {
  std::string_view value;
  for (const Header& h : headers.all()) {
    if (iequals(h.name, "transfer-encoding")) value = h.value;
  }
  const std::size_t comma = value.rfind(',');
  return iequals(trim(comma == value.npos ? value : value.substr(comma + 1)), "chunked");
}

// What else was done to the bytes we could not undo.
bool only_coding_is_chunked(const Headers& headers) {
  int codings = 0;
  for (const Header& h : headers.all()) codings += iequals(h.name, "transfer-encoding") ? 1 : 0;
  return codings == 1 && iequals(headers.find("transfer-encoding"), "chunked");
}

}  // namespace

bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view Headers::find(std::string_view wanted) const {
  for (const Header& h : all()) {
    // An empty value must not look like none: its view points into the buffer.
    if (iequals(h.name, wanted)) return h.value.data() ? h.value : std::string_view("");
  }
  return {};
}

bool Headers::has_token(std::string_view wanted, std::string_view token) const {
  for (const Header& h : all()) {
    if (!iequals(h.name, wanted)) continue;
    std::string_view rest = h.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (iequals(trim(rest.substr(0, comma)), token)) return true;
      rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return false;
}

HeadParse parse_response_head(std::string_view buffer, ResponseHead& out) {
  std::string_view rest = buffer;
  const auto line = take_line(rest);
  if (!line) {
    // Garbage is refused as soon as it can be told.
    const std::string_view start = "HTTP/1.";
    if (buffer.substr(0, start.size()) != start.substr(0, buffer.size()))
      return malformed("not an HTTP/1.1 answer");
    return incomplete(buffer);
  }
  out.minor = parse_version(line->substr(0, 8));
  if (out.minor < 0 || line->size() < 12 || (*line)[8] != ' ') return malformed("not an HTTP/1.1 answer");
  const auto [end, error] = std::from_chars(line->data() + 9, line->data() + 12, out.status);
  if (error != std::errc() || end != line->data() + 12 || out.status < 100)
    return malformed("no status in the answer");
  if (line->size() > 12 && (*line)[12] != ' ') return malformed("no status in the answer");
  out.reason = line->size() > 13 ? line->substr(13) : std::string_view();
  return parse_headers(buffer, rest, out.headers);
}

HeadParse parse_request_head(std::string_view buffer, RequestHead& out) {
  // A client may leave an empty line before a request (RFC 9112, 2.2).
  std::string_view rest = buffer;
  while (rest.starts_with("\r\n")) rest.remove_prefix(2);
  const auto line = take_line(rest);
  if (!line) return incomplete(buffer);
  const std::size_t first = line->find(' '), last = line->rfind(' ');
  if (first == line->npos || last == first) return malformed("no request line");
  out.method = line->substr(0, first);
  out.target = line->substr(first + 1, last - first - 1);
  out.minor = parse_version(line->substr(last + 1));
  if (out.method.empty() || out.target.empty() || out.minor < 0) return malformed("no HTTP/1.1 request line");
  if (!is_token(out.method)) return malformed("no HTTP/1.1 request line");
  for (const char c : out.target) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 127)
      return malformed("a request target with a space or control character");
  }
  const HeadParse parsed = parse_headers(buffer, rest, out.headers);
  if (parsed.status == HeadStatus::complete && has_bare_line_feed(buffer.substr(0, parsed.size))) {
    return malformed("a line that ends without a carriage return");
  }
  return parsed;
}

Framing response_framing(const ResponseHead& head, std::string_view request_method) {
  if (request_method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (head.headers.has("transfer-encoding")) {
    return {last_coding_is_chunked(head.headers) ? Framing::Kind::chunked : Framing::Kind::until_close};
  }
  if (!head.headers.has("content-length")) return {Framing::Kind::until_close};
  const auto length = parse_length(head.headers);
  if (!length) return {.problem = "a Content-Length that is not one number"};
  return {*length == 0 ? Framing::Kind::none : Framing::Kind::length, *length};
}

Framing request_framing(const RequestHead& head) {
  if (head.headers.has("transfer-encoding")) {
    if (!only_coding_is_chunked(head.headers)) return {.problem = "a Transfer-Encoding other than chunked"};
    if (head.minor == 0) return {.problem = "a Transfer-Encoding in HTTP/1.0"};
    // Both together is how requests are smuggled (RFC 9112, 6.1).
    if (head.headers.has("content-length")) return {.problem = "both Content-Length and Transfer-Encoding"};
    return {Framing::Kind::chunked};
  }
  if (!head.headers.has("content-length")) return {};
  const auto length = parse_length(head.headers);
  if (!length) return {.problem = "a Content-Length that is not one number"};
  return {*length == 0 ? Framing::Kind::none : Framing::Kind::length, *length};
}

bool keeps_alive(const ResponseHead& head) {
  if (head.headers.has_token("connection", "close")) return false;
  return head.minor >= 1 || head.headers.has_token("connection", "keep-alive");
}

bool keeps_alive(const RequestHead& head) {
  if (head.headers.has_token("connection", "close")) return false;
  return head.minor >= 1 || head.headers.has_token("connection", "keep-alive");
}

}  // namespace s3lt::http
