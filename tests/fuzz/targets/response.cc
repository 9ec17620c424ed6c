// The client's reader of answers: the same answer wherever it is cut, within its limits.
#include <algorithm>

#include "fuzz/target.h"
#include "http/response_reader.h"

namespace s3lt::fuzz {
namespace {

using http::ResponseReader;
using State = ResponseReader::State;

struct Seen {
  State state;
  std::string problem, body, headers;
  int status = 0;
  unsigned interim = 0;
  std::uint64_t body_bytes = 0;
  std::size_t taken = 0;  // of the input, up to the state's end
  bool keeps_alive = false;
};

Seen read(std::string_view text, std::string_view method, bool keep, Cuts cuts) {
  ResponseReader reader;
  reader.begin(method, keep);
  std::size_t taken = 0;
  for (std::string_view rest = text; !rest.empty() && reader.reading();) {
    std::string_view piece = cuts.next(rest);
    while (!piece.empty() && reader.reading()) {
      std::size_t n = std::min<std::uint64_t>(reader.unseen(), piece.size());
      if (n != 0) {
        reader.skipped(n);
      } else {
        const std::span<char> room = reader.room();
        require(!room.empty(), "there is room while it reads");
        n = std::min(room.size(), piece.size());
        std::copy_n(piece.data(), n, room.data());
        reader.received(n);
      }
      taken += n;
      piece.remove_prefix(n);
    }
  }
  reader.ended();
  Seen seen{.state = reader.state(),
            .problem = std::string(reader.problem()),
            .body = reader.body(),
            .headers = {},
            .interim = reader.interim_answers(),
            .body_bytes = reader.body_bytes(),
            .taken = taken};
  require(seen.problem.empty() == (seen.state != State::malformed), "what is malformed says why");
  require(seen.state != State::done || reader.head() != nullptr, "what is done has a head");
  require(reader.body_bytes() <= taken, "a body is no longer than what came");
  if (const http::ResponseHead* head = reader.head()) {
    seen.status = head->status;
    require(head->status >= 200 && head->status <= 999, "a final status");
    seen.headers = head->reason;
    for (const http::Header& h : head->headers.all()) {
      require(!h.name.empty(), "headers have names");
      seen.headers.append("\n").append(h.name).append(":").append(h.value);
    }
    seen.keeps_alive = http::keeps_alive(*head);
    require(!reader.reusable() || (seen.keeps_alive && seen.state == State::done),
            "only whole answers are reused");
  }
  return seen;
}

// A body of any bytes, cut into chunks, comes out as it was.
void round_trip(std::string_view body, Cuts cuts) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string coded = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::string_view rest = body; !rest.empty();) {
    const std::string_view chunk = cuts.next(rest);
    for (int shift = 28; shift >= 0; shift -= 4) coded += hex[chunk.size() >> shift & 15];
    coded.append(";x=\"y\"\r\n").append(chunk).append("\r\n");
  }
  coded += "0\r\nTrailer: t\r\n\r\n";
  const Seen seen = read(coded, "GET", true, cuts);
  require(seen.state == State::done && seen.body == body && seen.taken == coded.size(),
          "a chunked body round trip");
}

}  // namespace

void response(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t flags = input.byte(), seed = input.byte();
  const std::string_view text = input.text(), method = (flags & 1) != 0 ? "HEAD" : "GET";
  const bool keep = (flags & 2) != 0;

  const Seen whole = read(text, method, keep, Cuts(0)), cut = read(text, method, keep, Cuts(seed));
  require(whole.state == cut.state && whole.problem == cut.problem && whole.status == cut.status &&
              whole.interim == cut.interim && whole.headers == cut.headers,
          "an answer is the same wherever it is cut");
  require(whole.body == cut.body && whole.body_bytes == cut.body_bytes,
          "a body is the same wherever it is cut");
  require(cut.taken <= text.size() &&
              (cut.state == State::done || cut.state == State::malformed || cut.taken == text.size()),
          "what is not at its end takes all that comes");
  if (whole.status >= 300)
    require(whole.body_bytes <= ResponseReader::max_error_body + text.size(), "a bounded error");
  const Seen other = read(text, method, !keep, Cuts(seed));
  require(other.state == whole.state && other.body_bytes == whole.body_bytes,
          "keeping a body changes nothing else");
  if (keep && whole.status < 300 && whole.state != State::malformed)
    require(whole.body.size() == whole.body_bytes, "what is kept is whole");
  round_trip(text, Cuts(seed));
}

}  // namespace s3lt::fuzz
