#include "net/tcp_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "net/handshake_probe.h"
#include "net/loop_run.h"

namespace s3lt {
namespace {

// A listening socket whose program takes nothing: the kernel answers alone.
struct Sleeper {
  Sleeper() : fd(::socket(AF_INET, SOCK_STREAM, 0)) {
    EXPECT_EQ(::bind(fd, to.address(), sizeof(sockaddr_in)), 0);
    EXPECT_EQ(::listen(fd, 8), 0);
    socklen_t size = sizeof(sockaddr_in);
    EXPECT_EQ(::getsockname(fd, to.address(), &size), 0);
  }
  ~Sleeper() { ::close(fd); }
  struct Local : Address {
    Local() : Address(resolve("127.0.0.1", 0).value().front()) {}
    sockaddr* address() { return reinterpret_cast<sockaddr*>(storage); }
  };
  Local to;
  int fd;
};

int connected_to(Sleeper& sleeper) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::connect(fd, sleeper.to.address(), sleeper.to.size), 0);
  return fd;
}

TEST(TcpState, CountsWhatIsStuckInASocketWhosePeerDoesNotRead) {
  Sleeper sleeper;
  const int fd = connected_to(sleeper);
  const auto before = tcp_state(fd);
  ASSERT_TRUE(before);
  EXPECT_GT(before->least_rtt_us, 0U);
  EXPECT_EQ(before->unsent, 0U);
  ASSERT_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  const std::vector<char> bytes(1 << 20);
  while (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
  }
  // The kernel counts in ticks of a few milliseconds.
  const TimePoint until = now() + std::chrono::seconds(5);
  auto state = tcp_state(fd);
  while (state->window_limited_us == 0 && now() < until) state = tcp_state(fd);
  EXPECT_GT(state->unsent, 0U);
  EXPECT_GT(state->segments_sent, 0U);
  EXPECT_GT(state->window_limited_us, 0U) << "the peer's window is the limit";
  EXPECT_GE(state->busy_us, state->window_limited_us);
  EXPECT_EQ(state->cookie, before->cookie);
  EXPECT_EQ(peer_of(fd), sleeper.to.text());
  ::close(fd);
}

TEST(TcpState, IsNoneOfWhatIsNoConnection) {
  Sleeper sleeper;
  EXPECT_FALSE(tcp_state(sleeper.fd)) << "it listens";
  EXPECT_FALSE(tcp_state(-1));
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  EXPECT_FALSE(tcp_state(pair[0]));
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST(TcpState, TellsSocketsApartThatHadTheSameDescriptor) {
  Sleeper sleeper;
  const int first = connected_to(sleeper);
  const auto of_first = tcp_state(first);
  ::close(first);
  const int second = connected_to(sleeper);
  EXPECT_EQ(second, first) << "the lowest free number";
  EXPECT_NE(tcp_state(second)->cookie, of_first->cookie);
  ::close(second);
}

TEST(HandshakeProbe, TakesTheKernelsTimeAndNeedsNobodyWhoAccepts) {
  Sleeper sleeper;
  const HandshakeProbe probe(sleeper.to);
  const TimePoint until = now() + std::chrono::seconds(5);
  while (!probe.round_trip() && now() < until) {
  }
  ASSERT_TRUE(probe.round_trip());
  EXPECT_GT(*probe.round_trip(), 0);
  EXPECT_LT(*probe.round_trip(), 5'000'000);
}

TEST(HandshakeProbe, HasNoAnswerWhereNobodyListens) {
  Address nobody;
  {
    const Sleeper gone;
    nobody = gone.to;
  }
  const HandshakeProbe probe(nobody);
  EXPECT_FALSE(probe.round_trip());
}

Task<void> wait_for_bytes(Stream& stream) {
  const Socket::Wake wake = co_await stream.wait(Socket::readable);
  EXPECT_EQ(wake, Socket::Wake::cancelled);
}

Task<void> look_at_waiters(Loop& loop, std::vector<Stream>& streams) {
  EXPECT_EQ(loop.waiting(4).count, 0U);
  for (std::size_t i = 0; i < streams.size() / 2; ++i) spawn(wait_for_bytes(streams[i]));
  const Loop::Waiting waiting = loop.waiting(4);
  EXPECT_EQ(waiting.count, streams.size() / 2);
  EXPECT_EQ(waiting.some.size(), 2U) << "every fourth of 16, half of which wait";
  for (const Loop::WaitingSocket& socket : waiting.some) {
    EXPECT_EQ(socket.interest, unsigned{Socket::readable});
    EXPECT_GE(socket.fd, 0);
  }
  const Loop::Waiting again = loop.waiting(4);
  EXPECT_EQ(again.some.front().fd, waiting.some.front().fd) << "the same ones";
  EXPECT_EQ(loop.waiting(100).some.size(), streams.size() / 2);
  for (Stream& stream : streams) stream.cancel();
  Timer timer(loop);
  co_await timer.until(now() + std::chrono::milliseconds(10));
  EXPECT_EQ(loop.waiting(4).count, 0U);
}

TEST(LoopWaiting, CountsTheSocketsThatAreWaitedForAndShowsSomeOfThem) {
  Loop loop;
  std::vector<Stream> streams;
  std::vector<int> peers;
  for (int i = 0; i < 16; ++i) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    streams.emplace_back(loop, pair[0]);
    peers.push_back(pair[1]);
  }
  run_to_end(loop, look_at_waiters(loop, streams));
  for (const int peer : peers) ::close(peer);
}

}  // namespace
}  // namespace s3lt
