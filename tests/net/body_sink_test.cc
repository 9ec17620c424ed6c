// Who looks at a body sees all of it that was wanted, in order, however it comes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "net/http_connection.h"
#include "net/loop_run.h"
#include "net/scripted_server.h"

namespace s3lt {
namespace {

// Wants the first `want` bytes.
class Seen final : public http::BodySink {
 public:
  explicit Seen(std::uint64_t want) : want_(want) {}
  std::uint64_t wanted() const override { return want_ - std::min<std::uint64_t>(want_, bytes.size()); }
  void take(std::span<const std::byte> piece) override {
    EXPECT_FALSE(piece.empty());
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  }
  std::string bytes;

 private:
  std::uint64_t want_;
};

// Digits that tell where they stand.
std::string text_of(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += fmt::format("{:07d},", i);
  text.resize(size);
  return text;
}

struct Got {
  std::string seen;
  std::uint64_t body_bytes = 0;
  int status = 0;
  StreamError error{};
};

Task<void> exchange(Loop& loop, std::uint16_t port, std::uint64_t want, TokenBucket* limiter, int times,
                    std::vector<Got>& got) {
  HttpConnection connection(loop);
  const auto addresses = resolve("127.0.0.1", port);
  for (int i = 0; i < times; ++i) {
    if (!connection.is_open()) co_await connection.connect(addresses->front(), nullptr, "127.0.0.1");
    Seen seen(want);
    const ExchangeRequest request{
        .method = "GET", .head = "GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n", .sink = &seen, .limiter = limiter};
    const ExchangeResult result = co_await connection.exchange(request);
    got.push_back({seen.bytes, result.body_bytes, result.status, result.error});
  }
}

std::vector<Got> ask(const std::string& answer, std::uint64_t want, bool close = false,
                     TokenBucket* limiter = nullptr, bool head_alone = false) {
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    while (!peer.read_head().empty()) {
      const std::size_t body = answer.find("\r\n\r\n") + 4;
      if (head_alone) {
        peer.write(answer.substr(0, body));
        // Long enough that the client has most likely read it by itself; right either way.
        peer.hears_something_within(5);
        peer.write(answer.substr(body));
      } else if (!peer.write(answer)) {
        return;
      }
      if (close) return;
    }
  });
  Loop loop;
  std::vector<Got> got;
  run_to_end(loop, exchange(loop, server.port(), want, limiter, 3, got));
  return got;
}

TEST(NetBodySink, SeesAllThatItWantsOfABodyWithALength) {
  for (const std::size_t size : {1u, 1024u, 16'000u, 17'000u, 300'000u, 3'000'000u}) {
    const std::string text = text_of(size);
    const std::string answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", size, text);
    for (const bool head_alone : {false, true}) {
      for (const std::uint64_t want :
           {std::uint64_t{0}, std::uint64_t{4096}, std::uint64_t{1'000'000}, UINT64_MAX}) {
        const auto got = ask(answer, want, false, nullptr, head_alone);
        ASSERT_EQ(got.size(), 3u);
        for (const Got& g : got) {
          EXPECT_EQ(g.error, StreamError::none);
          EXPECT_EQ(g.body_bytes, size);
          EXPECT_GE(g.seen.size(), std::min<std::uint64_t>(want, size));
          EXPECT_EQ(g.seen, text.substr(0, g.seen.size())) << size << " " << want;
          const bool most_unseen = want > 4096 || g.seen.size() <= 20'000;
          EXPECT_TRUE(most_unseen) << g.seen.size();
        }
      }
    }
  }
}

TEST(NetBodySink, SeesChunksWithoutTheirCodingAndABodyUntilTheEnd) {
  const std::string text = text_of(100'000);
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < text.size(); at += 7001) {
    const std::string chunk = text.substr(at, 7001);
    chunked += fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk);
  }
  for (const Got& g : ask(chunked + "0\r\n\r\n", UINT64_MAX)) EXPECT_EQ(g.seen, text);
  for (const Got& g : ask("HTTP/1.0 200 OK\r\n\r\n" + text, UINT64_MAX, true)) EXPECT_EQ(g.seen, text);
}

TEST(NetBodySink, SeesTheSameUnderALimit) {
  TokenBucket limiter(2e6, 20'000);
  const std::string text = text_of(200'000);
  const auto got = ask(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", text.size(), text),
                       UINT64_MAX, false, &limiter);
  for (const Got& g : got) EXPECT_EQ(g.seen, text);
}

TEST(NetBodySink, SeesNothingOfErrorDocuments) {
  for (const Got& g : ask("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello", UINT64_MAX)) {
    EXPECT_EQ(g.status, 404);
    EXPECT_EQ(g.seen, "");
    EXPECT_EQ(g.body_bytes, 5u);
  }
}

}  // namespace
}  // namespace s3lt
