#include "net/http_connection.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>

#include "net/loop_run.h"
#include "net/scripted_server.h"

namespace s3lt {
namespace {

using std::chrono::milliseconds;
constexpr std::uint64_t mebibyte = 1 << 20;

// `size` bytes of 'b', in pieces.
class Letters final : public BodySource {
 public:
  explicit Letters(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    for (piece_count_ = 0; piece_count_ < pieces_.size() && offset < size_; ++piece_count_) {
      const std::uint64_t n = std::min<std::uint64_t>(text_.size(), size_ - offset);
      pieces_[piece_count_] = {text_.data(), n};
      offset += n;
    }
    return {pieces_.data(), piece_count_};
  }

 private:
  std::uint64_t size_;
  std::string text_ = std::string(5000, 'b');
  std::array<iovec, 16> pieces_;
  std::size_t piece_count_ = 0;
};

struct Moved final : TransferObserver {
  std::uint64_t bytes = 0;
  void moved(std::uint64_t n) override { bytes += n; }
};

struct Asked {
  std::string method = "GET";
  std::uint64_t body = 0;  // 0: none
  bool expect_continue = false;
  bool keep_body = true;
  double limit = 0;  // bytes a second; 0: none
};

// What an exchange gave, kept beyond the next one.
struct Got {
  ExchangeResult result;
  std::string body, reason, problem, etag;
  std::uint64_t moved = 0;
  bool open_after = false, reconnected = false;
};

Task<void> exchange_all(Loop& loop, std::uint16_t port, const std::vector<Asked>& asked,
                        std::vector<Got>& got) {
  HttpConnection connection(loop);
  const auto addresses = resolve("127.0.0.1", port);
  for (const Asked& a : asked) {
    Got g;
    if (!connection.is_open()) {
      const StreamError error = co_await connection.connect(addresses->front(), nullptr, "127.0.0.1");
      EXPECT_EQ(error, StreamError::none) << connection.problem();
      g.reconnected = true;
    }
    Letters letters(a.body);
    Moved moved;
    TokenBucket bucket(a.limit, a.limit / 10);
    std::string head = a.method + " /b/k HTTP/1.1\r\nHost: h\r\n";
    if (a.expect_continue) head += "Expect: 100-continue\r\n";
    if (a.body != 0) head += "Content-Length: " + std::to_string(a.body) + "\r\n";
    head += "\r\n";
    const ExchangeRequest request{.method = a.method,
                                  .head = head,
                                  .body = a.body != 0 ? &letters : nullptr,
                                  .expect_continue = a.expect_continue,
                                  .keep_body = a.keep_body,
                                  .observer = &moved,
                                  .limiter = a.limit > 0 ? &bucket : nullptr};
    g.result = co_await connection.exchange(request);
    g.body = g.result.body;
    g.problem = g.result.problem;
    if (g.result.head != nullptr) {
      g.reason = g.result.head->reason;
      g.etag = g.result.head->headers.find("etag");
    }
    g.moved = moved.bytes;
    g.open_after = connection.is_open();
    got.push_back(std::move(g));
  }
}

std::vector<Got> exchanges(const ScriptedServer& server, const std::vector<Asked>& asked) {
  Loop loop;
  std::vector<Got> got;
  run_to_end(loop, exchange_all(loop, server.port(), asked, got));
  got.resize(asked.size());
  return got;
}

// Every request of a connection gets this answer.
ScriptedServer::Script always(std::string answer) {
  return [answer](ScriptedPeer& peer, int) {
    while (!peer.read_head().empty()) {
      if (!peer.write(answer)) return;
    }
  };
}

// The first request of a connection gets this answer, which ends with the connection.
ScriptedServer::Script once(std::string answer) {
  return [answer](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.write(answer);
  };
}

TEST(NetHttp, ReadsBodiesByTheirLengthAndKeepsTheConnection) {
  ScriptedServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: x\r\n\r\nhello"));
  const auto got = exchanges(server, {{}, {}, {.keep_body = false}});
  for (const Got& g : got) {
    EXPECT_EQ(g.result.error, StreamError::none) << g.problem;
    EXPECT_EQ(g.result.status, 200);
    EXPECT_EQ(g.result.body_bytes, 5u);
    EXPECT_EQ(g.moved, 5u);
    EXPECT_EQ(g.etag, "x");
    EXPECT_TRUE(g.open_after);
    EXPECT_FALSE(g.result.truncated || g.result.malformed || g.result.interim);
    EXPECT_LE(g.result.first_byte_sent, g.result.first_byte_received);
    EXPECT_LE(g.result.first_byte_received, g.result.end);
  }
  EXPECT_EQ(got[0].body, "hello");
  EXPECT_EQ(got[1].body, "hello");
  EXPECT_EQ(got[2].body, "");
  EXPECT_EQ(server.accepted(), 1);
}

TEST(NetHttp, ReadsChunkedBodiesWithTrailers) {
  ScriptedServer server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: y\r\n\r\n"
             "3;x=1\r\nabc\r\n4\r\ndefg\r\n0\r\nt: v\r\n\r\n"));
  const auto got = exchanges(server, {{}, {.keep_body = false}, {}});
  for (const Got& g : got) {
    EXPECT_EQ(g.result.status, 200);
    EXPECT_EQ(g.result.body_bytes, 7u);
    EXPECT_EQ(g.etag, "y");
  }
  EXPECT_EQ(got[2].body, "abcdefg");
  EXPECT_EQ(server.accepted(), 1);
}

TEST(NetHttp, ReadsLargeBodiesInEitherCoding) {
  const std::string body(3 * mebibyte + 17, 'z');
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 70'000) {
    const std::string piece = body.substr(at, 70'000);
    chunked += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  chunked += "0\r\n\r\n";
  const std::string plain = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
  for (const std::string& answer : {plain, chunked}) {
    ScriptedServer server(always(answer));
    for (const Got& g :
         exchanges(server, {{.keep_body = false}, {.keep_body = true}, {.keep_body = false}})) {
      EXPECT_EQ(g.result.body_bytes, body.size());
      EXPECT_EQ(g.moved, body.size());
      EXPECT_TRUE(g.open_after);
    }
    EXPECT_EQ(server.accepted(), 1);
  }
}

TEST(NetHttp, ReadsAnswersThatComeByteByByte) {
  for (const std::string answer :
       {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: x\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: x\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: "
        "v\r\n\r\n"}) {
    ScriptedServer server([&](ScriptedPeer& peer, int) {
      while (!peer.read_head().empty()) peer.write_bytewise(answer);
    });
    for (const Got& g : exchanges(server, {{}, {}, {.keep_body = false}, {}})) {
      EXPECT_EQ(g.result.status, 200) << g.problem;
      EXPECT_EQ(g.result.body_bytes, 5u);
      EXPECT_EQ(g.etag, "x");
      EXPECT_TRUE(g.open_after);
    }
    EXPECT_EQ(server.accepted(), 1);
  }
}

TEST(NetHttp, SkipsInterimAnswersAndTimesTheFinalOne) {
  std::atomic<bool> interim_seen = false;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
    interim_seen = !peer.hears_something_within(150);  // time between it and the final answer
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.await_close();
  });
  const Got g = exchanges(server, {{}})[0];
  EXPECT_TRUE(interim_seen);
  EXPECT_EQ(g.result.status, 200);
  EXPECT_EQ(g.body, "ok");
  EXPECT_TRUE(g.result.interim);
  EXPECT_GE(g.result.first_byte_received - g.result.first_byte_sent, milliseconds(140));
}

TEST(NetHttp, BodilessAnswersEndWithTheirHead) {
  ScriptedServer head(always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  for (const Got& g : exchanges(head, {{.method = "HEAD"}, {.method = "HEAD"}})) {
    EXPECT_EQ(g.result.status, 200);
    EXPECT_EQ(g.result.body_bytes, 0u);
  }
  EXPECT_EQ(head.accepted(), 1);
  ScriptedServer no_content(always("HTTP/1.1 204 No Content\r\n\r\n"));
  for (const Got& g : exchanges(no_content, {{.method = "DELETE"}, {.method = "DELETE"}}))
    EXPECT_EQ(g.result.status, 204);
  EXPECT_EQ(no_content.accepted(), 1);
}

TEST(NetHttp, ConnectionCloseAndHttp10EndTheConnection) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                             "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 200 OK\r\n\r\nok",
                             "HTTP/1.1 200 OK\r\n\r\nok"}) {
    ScriptedServer server(once(answer));
    for (const Got& g : exchanges(server, {{}, {.keep_body = false}})) {
      EXPECT_EQ(g.result.status, 200) << answer;
      EXPECT_EQ(g.result.error, StreamError::none) << answer;
      EXPECT_EQ(g.result.body_bytes, 2u) << answer;
      EXPECT_FALSE(g.result.truncated) << answer;
      EXPECT_FALSE(g.open_after) << answer;
    }
    EXPECT_EQ(server.accepted(), 2);
  }
}

TEST(NetHttp, BytesBehindAnAnswerAreNotTheNextOne) {
  ScriptedServer server(
      once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n"));
  const auto got = exchanges(server, {{}, {}});
  for (const Got& g : got) {
    EXPECT_EQ(g.result.status, 200);
    EXPECT_EQ(g.body, "ok");
    EXPECT_FALSE(g.open_after);
  }
}

TEST(NetHttp, SendsTheBodyWhenToldToContinue) {
  std::atomic<bool> waited = false;
  std::atomic<std::uint64_t> received = 0;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    EXPECT_NE(peer.read_head().find("Expect: 100-continue"), std::string::npos);
    waited = !peer.hears_something_within(200);
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    received = peer.read_body(mebibyte);
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.await_close();
  });
  const Got g = exchanges(server, {{.method = "PUT", .body = mebibyte, .expect_continue = true}})[0];
  EXPECT_EQ(g.result.status, 200) << g.problem;
  EXPECT_TRUE(g.result.interim);
  EXPECT_TRUE(waited);
  EXPECT_GE(g.result.let_go - g.result.first_byte_sent, milliseconds(200));
  EXPECT_GE(g.result.request_sent, g.result.let_go);
  EXPECT_EQ(received, mebibyte);
  EXPECT_EQ(g.moved, mebibyte);
  EXPECT_TRUE(g.open_after);
}

TEST(NetHttp, AFinalAnswerInsteadOfContinueSavesTheBody) {
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_FALSE(peer.read_head().empty());
      peer.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nfour");
    }
    // Nothing of either body came.
    EXPECT_EQ(peer.read_body(1), 0u);
  });
  const Asked put{.method = "PUT", .body = mebibyte, .expect_continue = true};
  for (const Got& g : exchanges(server, {put, put})) {
    EXPECT_EQ(g.result.status, 403);
    EXPECT_EQ(g.body, "four");
    EXPECT_EQ(g.moved, 0u);
    EXPECT_TRUE(g.open_after);
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST(NetHttp, SendsTheBodyAnywayAfterASecondWithoutContinue) {
  std::atomic<std::uint64_t> received = 0;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_head();
    received = peer.read_body(1000);
    // A late 100 is skipped.
    peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer.await_close();
  });
  const Got g = exchanges(server, {{.method = "PUT", .body = 1000, .expect_continue = true}})[0];
  EXPECT_EQ(g.result.status, 200);
  EXPECT_EQ(received, 1000u);
  EXPECT_GE(g.result.let_go - g.result.first_byte_sent, milliseconds(1000));
  EXPECT_LT(g.result.end - g.result.first_byte_sent, milliseconds(3000));
}

TEST(NetHttp, AnEarlyAnswerEndsTheSendingOfTheBody) {
  std::promise<void> noticed;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.read_body(mebibyte);
    peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
    // Not closed and not read either: the client must notice by itself.
    noticed.get_future().wait_for(std::chrono::seconds(10));
  });
  const Got g = exchanges(server, {{.method = "PUT", .body = 100 * mebibyte}})[0];
  noticed.set_value();
  EXPECT_EQ(g.result.status, 413) << g.problem;
  EXPECT_EQ(g.body, "big");
  EXPECT_GE(g.moved, mebibyte);
  EXPECT_LT(g.moved, 100 * mebibyte);
  EXPECT_FALSE(g.open_after);
}

TEST(NetHttp, SaysWhatAServerAnsweredBeforeItClosedInTheMiddleOfABody) {
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    peer.read_body(50 * mebibyte);  // then closed with the other half unread
  });
  const Got g = exchanges(server, {{.method = "PUT", .body = 100 * mebibyte}})[0];
  EXPECT_EQ(g.result.status, 403) << g.problem;
  EXPECT_EQ(g.body, "no");
}

TEST(NetHttp, KeepsReasonAndHeadersOfErrorsWhoseBodyComesLater) {
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 503 Please Come Back Later\r\nETag: e\r\nContent-Length: 400\r\n\r\n");
    peer.hears_something_within(50);
    peer.write(std::string(400, '#'));
    peer.await_close();
  });
  const Got g = exchanges(server, {{.keep_body = false}})[0];
  EXPECT_EQ(g.result.status, 503);
  EXPECT_EQ(g.reason, "Please Come Back Later");
  EXPECT_EQ(g.etag, "e");
  EXPECT_EQ(g.body, std::string(400, '#'));
  EXPECT_EQ(g.moved, 0u) << "an error document is no payload";
}

TEST(NetHttp, SaysThatAnAnswerIsNoHttp) {
  for (const char* garbage :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    ScriptedServer server(once(garbage));
    const Got g = exchanges(server, {{}})[0];
    EXPECT_TRUE(g.result.malformed) << garbage;
    EXPECT_FALSE(g.problem.empty()) << garbage;
    EXPECT_FALSE(g.open_after) << garbage;
  }
}

TEST(NetHttp, BoundsTheHeadOfAnAnswer) {
  ScriptedServer server(once("HTTP/1.1 200 OK\r\nA: " + std::string(200'000, 'x')));
  const Got g = exchanges(server, {{}})[0];
  EXPECT_TRUE(g.result.malformed);
}

TEST(NetHttp, TakesAHeadLargerThanItsBuffer) {
  ScriptedServer server(always("HTTP/1.1 200 OK\r\nA: " + std::string(50'000, 'x') +
                               "\r\nETag: e\r\nContent-Length: 2\r\n\r\nok"));
  for (const Got& g : exchanges(server, {{}, {.keep_body = false}, {}})) {
    EXPECT_EQ(g.result.status, 200) << g.problem;
    EXPECT_EQ(g.etag, "e");
    EXPECT_EQ(g.result.body_bytes, 2u);
  }
}

TEST(NetHttp, SaysThatABodyWasCutShort) {
  for (const bool reset : {false, true}) {
    for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhello"}) {
      for (const bool keep : {false, true}) {
        ScriptedServer server([&](ScriptedPeer& peer, int) {
          peer.read_head();
          peer.write(answer);
          if (!reset) return;
          peer.hears_something_within(50);  // what was sent may arrive before the reset drops it
          peer.reset();
        });
        const Got g = exchanges(server, {{.keep_body = keep}})[0];
        EXPECT_TRUE(g.result.truncated) << answer << reset;
        EXPECT_EQ(g.result.error, reset ? StreamError::reset : StreamError::closed) << answer;
        EXPECT_EQ(g.result.body_bytes, 5u);
        EXPECT_FALSE(g.open_after);
      }
    }
  }
}

TEST(NetHttp, SaysThatAConnectionEndedBeforeAnyAnswer) {
  for (const bool reset : {false, true}) {
    ScriptedServer server([&](ScriptedPeer& peer, int) {
      peer.read_head();
      if (reset) peer.reset();
    });
    const Got g = exchanges(server, {{}})[0];
    EXPECT_EQ(g.result.error, reset ? StreamError::reset : StreamError::closed);
    EXPECT_FALSE(g.result.answered);
    EXPECT_EQ(g.result.status, 0);
    EXPECT_FALSE(g.open_after);
    EXPECT_FALSE(g.problem.empty());
  }
}

TEST(NetHttp, SaysThatAnIdleConnectionWasClosedWithoutAByteOfAnswer) {
  ScriptedServer server(once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  const auto got = exchanges(server, {{}, {}, {}});
  EXPECT_EQ(got[0].result.status, 200);
  EXPECT_TRUE(got[0].open_after);
  EXPECT_EQ(got[1].result.status, 0);
  EXPECT_FALSE(got[1].result.answered);
  EXPECT_TRUE(got[1].result.error == StreamError::closed || got[1].result.error == StreamError::reset);
  EXPECT_TRUE(got[2].reconnected);
  EXPECT_EQ(got[2].result.status, 200);
}

Task<void> exchange_once(HttpConnection& connection, std::uint16_t port, bool limited,
                         ExchangeResult& result) {
  const auto addresses = resolve("127.0.0.1", port);
  const StreamError error = co_await connection.connect(addresses->front(), nullptr, "127.0.0.1");
  EXPECT_EQ(error, StreamError::none);
  TokenBucket bucket(1, 1);
  bucket.ready_at(now());
  bucket.spend(1'000'000);  // days of debt
  const ExchangeRequest request{
      .method = "GET", .head = "GET / HTTP/1.1\r\n\r\n", .limiter = limited ? &bucket : nullptr};
  result = co_await connection.exchange(request);
}

TEST(NetHttp, ACancelledExchangeEndsWhateverItWaitsFor) {
  for (const bool limited : {false, true}) {
    ScriptedServer server([](ScriptedPeer& peer, int) { peer.await_close(); });
    Loop loop;
    ExchangeResult result;
    {
      HttpConnection connection(loop);
      const TimePoint start = now();
      // Again and again, for the first may come while it still connects.
      loop.every(milliseconds(50), [&] {
        if (now() - start > milliseconds(100)) connection.cancel();
      });
      run_to_end(loop, exchange_once(connection, server.port(), limited, result));
      EXPECT_FALSE(connection.is_open());
    }
    EXPECT_EQ(result.error, StreamError::cancelled);
    EXPECT_EQ(result.problem, "cut by the end of the run");
  }
}

TEST(NetHttp, HoldsALimitInBothDirections) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      if (head.starts_with("PUT")) {
        peer.read_body(mebibyte);
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      } else {
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + std::string(mebibyte, 'x'));
      }
    }
  });
  const double rate = 1.5 * mebibyte;
  const auto got = exchanges(server, {{.method = "PUT", .body = mebibyte, .limit = rate},
                                      {.keep_body = false, .limit = rate},
                                      {.keep_body = true, .limit = rate}});
  for (const Got& g : got) {
    EXPECT_EQ(g.result.status, 200) << g.problem;
    EXPECT_EQ(g.moved, mebibyte);
    // A burst of a tenth of a second, and the last piece's debt falls to the next exchange.
    const double took = to_seconds(g.result.end - g.result.first_byte_sent);
    EXPECT_GT(took, 0.4);
    EXPECT_LT(took, 2);
  }
}

// A timer that is due when the run is cut does not hear of it: whatever waits afterwards must.
TEST(NetHttp, WaitsForNoLimitOnceItIsCancelled) {
  ScriptedServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  Loop loop;
  run_to_end(loop, [](Loop& l, std::uint16_t port) -> Task<void> {
    HttpConnection connection(l);
    const auto addresses = resolve("127.0.0.1", port);
    const StreamError failed = co_await connection.connect(addresses->front(), nullptr, "127.0.0.1");
    EXPECT_EQ(failed, StreamError::none);
    TokenBucket bucket(1, 1);
    bucket.spend(3600);  // an hour in debt
    connection.cancel();
    const ExchangeRequest request{.method = "GET", .head = "GET / HTTP/1.1\r\n\r\n", .limiter = &bucket};
    const ExchangeResult result = co_await connection.exchange(request);
    EXPECT_EQ(result.error, StreamError::cancelled);
  }(loop, server.port()));
}

// ---- what comes on a connection that nobody uses
// -----------------------------------------------------------

struct Kept {
  std::atomic<bool> first_done = false;
  Got first, second;
  int accepted = 0;
};

// One exchange, then `meanwhile` on the server's side, then one more when the client has let time pass.
Task<void> exchange_after_idling(Loop& loop, std::uint16_t port, const std::atomic<bool>& go_on, Kept& kept) {
  HttpConnection connection(loop);
  const auto addresses = resolve("127.0.0.1", port);
  const ExchangeRequest request{.method = "GET", .head = "GET / HTTP/1.1\r\n\r\n", .keep_body = true};
  for (Got* got : {&kept.first, &kept.second}) {
    if (!connection.is_open()) {
      const StreamError error = co_await connection.connect(addresses->front(), nullptr, "127.0.0.1");
      EXPECT_EQ(error, StreamError::none);
    }
    got->result = co_await connection.exchange(request);
    got->body = got->result.body;
    got->problem = got->result.problem;
    got->open_after = connection.is_open();
    if (got == &kept.second) break;
    kept.first_done = true;
    kept.first_done.notify_all();
    Timer timer(loop);
    for (int i = 0; i < 1000 && !go_on; ++i) co_await timer.until(now() + milliseconds(5));
    co_await timer.until(now() + milliseconds(20));
  }
}

TEST(NetHttp, DropsAConnectionOnWhichSomethingCameWhileItWasIdle) {
  for (const std::string late :
       {"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "x", ""}) {
    std::atomic<bool> go_on = false, asked_again = false;
    Kept kept;
    ScriptedServer server([&](ScriptedPeer& peer, int number) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      if (number > 0) return;
      kept.first_done.wait(false);
      peer.write(late);
      if (late.empty()) peer.end();
      go_on = true;
      asked_again = !peer.read_head().empty();
    });
    Loop loop;
    run_to_end(loop, exchange_after_idling(loop, server.port(), go_on, kept));
    EXPECT_EQ(kept.first.result.status, 200);
    EXPECT_TRUE(kept.first.open_after);
    // Like a connection that the server closed: nothing was answered, so the request may be sent again.
    EXPECT_EQ(kept.second.result.error, StreamError::closed) << late;
    EXPECT_FALSE(kept.second.result.answered) << late;
    EXPECT_FALSE(kept.second.result.malformed) << late;
    EXPECT_EQ(kept.second.result.status, 0) << late;
    EXPECT_FALSE(kept.second.open_after) << late;
    EXPECT_FALSE(asked_again) << "a request that was not sent cannot have been done: " << late;
  }
}

TEST(NetHttp, KeepsAConnectionThatWasOnlyIdle) {
  std::atomic<bool> go_on = true;
  ScriptedServer server(always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  Loop loop;
  Kept kept;
  run_to_end(loop, exchange_after_idling(loop, server.port(), go_on, kept));
  EXPECT_EQ(kept.second.result.status, 200) << kept.second.problem;
  EXPECT_EQ(server.accepted(), 1);
}

// ---- answers in pieces
// ---------------------------------------------------------------------------------------

TEST(NetHttp, GivesTheSameResultWhereverAnAnswerIsCut) {
  struct Row {
    std::string method, answer, body;
    int status;
    bool open_after;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"GET", "HTTP/1.1 200 OK\r\nETag: e\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, true},
           {"GET",
            "HTTP/1.1 200 OK\r\nETag: e\r\nTransfer-Encoding: "
            "chunked\r\n\r\n2;x\r\nhe\r\n3\r\nllo\r\n0\r\nT: v\r\n\r\n",
            "hello", 200, true},
           {"GET",
            "HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 404 No\r\nETag: e\r\nContent-Length: 4\r\n\r\nnone",
            "none", 404, true},
           {"GET", "HTTP/1.0 200 OK\r\nETag: e\r\n\r\nhello", "hello", 200, false},
           {"HEAD", "HTTP/1.1 200 OK\r\nETag: e\r\nContent-Length: 5\r\n\r\n", "", 200, true},
           {"DELETE", "HTTP/1.1 204 No Content\r\nETag: e\r\n\r\n", "", 204, true},
       }) {
    // Each connection cuts its answers one byte further than the one before.
    std::atomic<std::size_t> cut = 1;
    ScriptedServer server([&](ScriptedPeer& peer, int) {
      while (!peer.read_head().empty()) {
        const std::size_t at = cut++;
        peer.write(row.answer.substr(0, at));
        // Nothing tells when the client has read it: a moment is enough nearly always, and for every cut the
        // result must be the same whether or not it was seen as one.
        peer.hears_something_within(1);
        peer.write(row.answer.substr(at));
        if (!row.open_after) return;
      }
    });
    const std::vector<Asked> asked(row.answer.size() - 1, Asked{.method = row.method});
    for (const Got& g : exchanges(server, asked)) {
      EXPECT_EQ(g.result.error, StreamError::none) << row.answer << g.problem;
      EXPECT_EQ(g.result.status, row.status) << row.answer;
      EXPECT_EQ(g.body, row.body) << row.answer;
      EXPECT_EQ(g.etag, "e") << row.answer;
      EXPECT_EQ(g.open_after, row.open_after) << row.answer;
    }
    EXPECT_EQ(server.accepted(), row.open_after ? 1 : static_cast<int>(asked.size()));
  }
}

TEST(NetHttp, EndsWhereInterimAnswersDoNot) {
  for (const bool expect : {false, true}) {
    ScriptedServer server([](ScriptedPeer& peer, int) {
      peer.read_head();
      std::string many;
      for (int i = 0; i < 1000; ++i) many += "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
      for (int i = 0; i < 10'000 && peer.write(many); ++i) {
      }
    });
    const Got g =
        exchanges(server, {{.method = "PUT", .body = expect ? 1000u : 0u, .expect_continue = expect}})[0];
    EXPECT_TRUE(g.result.malformed);
    EXPECT_EQ(g.problem, "1xx answers without end");
    EXPECT_FALSE(g.open_after);
  }
}

TEST(NetHttp, JudgesAnErrorWhoseDocumentDoesNotEndByItsStatus) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 503 Slow Down\r\n\r\n");
    const std::string piece(100'000, '#');
    for (int i = 0; i < 10'000 && peer.write(piece); ++i) {
    }
  });
  const Got g = exchanges(server, {{.keep_body = false}})[0];
  EXPECT_EQ(g.result.status, 503);
  EXPECT_EQ(g.result.error, StreamError::none);
  EXPECT_EQ(g.reason, "Slow Down");
  EXPECT_FALSE(g.open_after);
}

TEST(NetHttp, TimesTheFinalAnswerAlsoBehindAnInterimOneInPieces) {
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    peer.read_head();
    peer.write("HTTP/1.1 102 Pro");
    peer.hears_something_within(150);
    peer.write("cessing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.await_close();
  });
  const Got g = exchanges(server, {{}})[0];
  EXPECT_EQ(g.result.status, 200);
  EXPECT_GE(g.result.first_byte_received - g.result.first_byte_sent, milliseconds(140));
}

TEST(NetHttp, HoldsALimitInAChunkedAnswer) {
  const std::string body(mebibyte, 'x');
  ScriptedServer server(
      always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" + body + "\r\n0\r\n\r\n"));
  for (const bool keep : {false, true}) {
    const Got g = exchanges(server, {{.keep_body = keep, .limit = 2.0 * mebibyte}})[0];
    EXPECT_EQ(g.result.status, 200) << g.problem;
    EXPECT_EQ(g.moved, mebibyte);
    EXPECT_GT(to_seconds(g.result.end - g.result.first_byte_sent), 0.3);
    EXPECT_TRUE(g.open_after);
  }
}

}  // namespace
}  // namespace s3lt
