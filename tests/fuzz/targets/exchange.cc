// A whole HttpConnection over a (local) socket, with a server that sends any bytes: the exchange ends, says
// the same as the reader would of these bytes, and closes the connection where nothing more can be asked on
// it.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "fuzz/target.h"
#include "http/response_reader.h"
#include "net/http_connection.h"

namespace s3lt::fuzz {
namespace {

using State = http::ResponseReader::State;

// A listening socket of the abstract name space: no port to run out of.
struct Listening {
  Address address;
  int fd;
  Listening() : fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    // An empty name makes the system choose one.
    require(::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(sa_family_t)) == 0, "bind");
    socklen_t size = sizeof name;
    getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
    std::memcpy(address.storage, &name, size);
    address.size = size;
    require(::listen(fd, 16) == 0, "listen");
  }
  ~Listening() { ::close(fd); }
};

class TextBody final : public BodySource {
 public:
  std::uint64_t size() const override { return text_.size(); }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    piece_ = {text_.data() + offset, text_.size() - offset};
    return {&piece_, 1};
  }

 private:
  std::string text_ = std::string(1000, 'b');
  iovec piece_{};
};

struct Outcome {
  ExchangeResult result;
  std::string body, headers;
  bool open = false, connected = false;
  int sides = 2;  // that are still at it
};

struct Play {
  std::string_view method, text;
  bool put = false, expect = false, until_end = true;
  Cuts cuts;
};

// The client's side; the server's moves are made where it waits anyway.
Task<void> ask(Loop& loop, HttpConnection& connection, const Address& address, const Play& play,
               Outcome& out) {
  const StreamError failed = co_await connection.connect(address, nullptr, "");
  out.connected = failed == StreamError::none;
  if (out.connected) {
    TextBody body;
    const ExchangeRequest request{.method = play.method,
                                  .head = "PUT / HTTP/1.1\r\n\r\n",
                                  .body = play.put ? &body : nullptr,
                                  .expect_continue = play.expect,
                                  .keep_body = true};
    out.result = co_await connection.exchange(request);
    out.body = out.result.body;
    if (out.result.head != nullptr) {
      for (const http::Header& h : out.result.head->headers.all())
        out.headers.append(h.name).append(":").append(h.value).append("\n");
    }
    out.open = connection.is_open();
    connection.close();
  }
  if (--out.sides == 0) loop.stop();
}

Task<void> answer(Loop& loop, int listener, Play& play) {
  int fd = -1;
  for (int i = 0; i < 1000 && fd < 0; ++i) {
    fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    co_await loop.yield();
  }
  if (fd < 0) co_return;
  for (std::string_view rest = play.text; !rest.empty();) {
    const std::string_view piece = play.cuts.next(rest);
    if (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(piece.size())) break;
    // So that it may be read before the next one comes.
    for (int i = 0; i < 3; ++i) co_await loop.yield();
  }
  ::shutdown(fd, SHUT_WR);
  // Closed with bytes unread it would be a reset, which may overtake the answer.
  char taken[4096];
  for (int i = 0; i < 20'000; ++i) {
    const ssize_t n = ::recv(fd, taken, sizeof taken, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) break;
    co_await loop.yield();
  }
  ::close(fd);
}

Task<void> answer_and_end(Loop& loop, int listener, Play& play, Outcome& out) {
  co_await answer(loop, listener, play);
  if (--out.sides == 0) loop.stop();
}

}  // namespace

void exchange(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t flags = input.byte(), seed = input.byte();
  const std::string_view text = input.text().substr(0, 8192);
  static constexpr std::string_view methods[] = {"GET", "HEAD", "PUT", "PUT"};
  Play play{.method = methods[flags & 3],
            .text = text,
            .put = (flags & 3) >= 2,
            .expect = (flags & 3) == 3,
            .cuts = Cuts(seed)};

  static const Listening listening;
  Outcome out;
  {
    Loop loop;
    HttpConnection connection(loop);
    loop.post([&] {
      spawn(ask(loop, connection, listening.address, play, out));
      spawn(answer_and_end(loop, listening.fd, play, out));
    });
    loop.run();
  }
  require(out.connected, "connected");
  const ExchangeResult& got = out.result;

  // A 101 or a final head in it ends the wait for 100 as well, so that the reader alone tells what comes of
  // it.
  http::ResponseReader reader;
  reader.begin(play.method, true);
  for (std::string_view rest = text; !rest.empty() && reader.reading();) {
    const std::span<char> room = reader.room();
    const std::size_t n = std::min(room.size(), rest.size());
    std::copy_n(rest.data(), n, room.data());
    reader.received(n);
    rest.remove_prefix(n);
  }
  const State before_end = reader.state();
  reader.ended();
  require(got.malformed == (reader.state() == State::malformed), "malformed");
  require(got.problem.empty() == (got.error == StreamError::none && !got.malformed), "a problem has words");
  require(got.status == (reader.head() == nullptr ? 0 : reader.head()->status), "status");
  require(got.body_bytes == reader.body_bytes() && out.body == reader.body(), "body");
  require(got.interim == (reader.interim_answers() > 0), "interim");
  require(got.truncated == (before_end == State::body && reader.state() == State::body), "truncated");
  require((got.error == StreamError::none) == !reader.reading(), "ends as the answer does");
  std::string headers;
  if (reader.head() != nullptr) {
    for (const http::Header& h : reader.head()->headers.all())
      headers.append(h.name).append(":").append(h.value).append("\n");
  }
  require(headers == out.headers, "headers");
  if (out.open) {
    require(got.error == StreamError::none && !got.malformed && reader.state() == State::done,
            "kept only when whole");
    require(http::keeps_alive(*reader.head()), "kept only where the server keeps it");
  }
}

}  // namespace s3lt::fuzz
