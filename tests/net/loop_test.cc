#include "net/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "net/loop_run.h"
#include "net/stream.h"

namespace s3lt {
namespace {

using std::chrono::milliseconds;

// Both ends of a stream of bytes; the first is the loop's, the second plain.
struct Pair {
  explicit Pair(Loop& loop) {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ours = Socket(loop, fds[0]);
    theirs = fds[1];
  }
  ~Pair() { ::close(theirs); }
  Socket ours;
  int theirs;
};

Task<void> wait_until(Timer& timer, TimePoint when, bool& came) {
  came = co_await timer.until(when);
}

TEST(LoopTimer, ComesNotBeforeItsTimeAndSoonAfter) {
  Loop loop;
  Timer timer(loop);
  bool came = false;
  const TimePoint start = now();
  run_to_end(loop, wait_until(timer, start + milliseconds(30), came));
  EXPECT_TRUE(came);
  EXPECT_GE(now() - start, milliseconds(30));
  EXPECT_LT(now() - start, std::chrono::seconds(5));
}

TEST(LoopTimer, APastTimeDoesNotWait) {
  Loop loop;
  Timer timer(loop);
  bool came = false;
  run_to_end(loop, wait_until(timer, now() - milliseconds(1), came), std::chrono::seconds(5));
  EXPECT_TRUE(came);
}

TEST(LoopTimer, SaysThatItWasCancelled) {
  Loop loop;
  Timer timer(loop);
  bool came = true;
  loop.post([&loop, &timer] { loop.post([&loop, &timer] { loop.post([&timer] { timer.cancel(); }); }); });
  const TimePoint start = now();
  run_to_end(loop, wait_until(timer, start + std::chrono::hours(1), came));
  EXPECT_FALSE(came);
}

Task<void> wait_for(Socket& socket, unsigned interest, TimePoint deadline, Socket::Wake& wake) {
  wake = co_await socket.wait(interest, deadline);
}

TEST(LoopSocket, WakesWhenBytesCome) {
  Loop loop;
  Pair pair(loop);
  Socket::Wake wake = Socket::Wake::cancelled;
  loop.every(milliseconds(10), [&] { EXPECT_GE(::send(pair.theirs, "x", 1, 0), 1); });
  run_to_end(loop, wait_for(pair.ours, Socket::readable, Socket::no_deadline, wake));
  EXPECT_EQ(wake, Socket::Wake::ready);
  EXPECT_EQ(pair.ours.ready_for(), Socket::readable);
}

TEST(LoopSocket, SaysWhichOfTwoIsReady) {
  Loop loop;
  Pair pair(loop);
  Socket::Wake wake = Socket::Wake::cancelled;
  run_to_end(loop, wait_for(pair.ours, Socket::readable | Socket::writable, Socket::no_deadline, wake));
  EXPECT_EQ(wake, Socket::Wake::ready);
  EXPECT_EQ(pair.ours.ready_for(), Socket::writable);
}

TEST(LoopSocket, GivesUpAtItsDeadline) {
  Loop loop;
  Pair pair(loop);
  Socket::Wake wake = Socket::Wake::ready;
  const TimePoint start = now();
  run_to_end(loop, wait_for(pair.ours, Socket::readable, start + milliseconds(120), wake));
  EXPECT_EQ(wake, Socket::Wake::timed_out);
  EXPECT_GE(now() - start, milliseconds(120));
  EXPECT_LT(now() - start, std::chrono::seconds(5));
}

Task<void> wait_twice(Socket& socket, Socket::Wake& first, Socket::Wake& second) {
  first = co_await socket.wait(Socket::readable);
  second = co_await socket.wait(Socket::readable | Socket::writable);
}

TEST(LoopSocket, OnceCancelledEveryWaitReturnsAtOnce) {
  Loop loop;
  Pair pair(loop);
  Socket::Wake first = Socket::Wake::ready, second = Socket::Wake::ready;
  loop.every(milliseconds(10), [&] { pair.ours.cancel(); });
  run_to_end(loop, wait_twice(pair.ours, first, second));
  EXPECT_EQ(first, Socket::Wake::cancelled);
  EXPECT_EQ(second, Socket::Wake::cancelled);
}

Task<void> remember_readiness(Pair& pair, Loop& loop, std::string& got) {
  // Readability comes while only writability is waited for, and is not lost.
  Socket::Wake wake = co_await pair.ours.wait(Socket::readable | Socket::writable);
  EXPECT_EQ(pair.ours.ready_for(), Socket::writable);
  EXPECT_EQ(::send(pair.theirs, "abc", 3, 0), 3);
  for (int i = 0; i < 10; ++i) co_await loop.yield();
  wake = co_await pair.ours.wait(Socket::readable, now() + std::chrono::seconds(5));
  EXPECT_EQ(wake, Socket::Wake::ready);
  char buffer[8];
  const ssize_t n = ::recv(pair.ours.fd(), buffer, sizeof buffer, 0);
  got.assign(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
}

TEST(LoopSocket, RemembersReadinessThatNobodyWaitedFor) {
  Loop loop;
  Pair pair(loop);
  std::string got;
  run_to_end(loop, remember_readiness(pair, loop, got));
  EXPECT_EQ(got, "abc");
}

TEST(Loop, TakesWorkFromOtherThreads) {
  Loop loop;
  int done = 0;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&] { ++done; });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(done, 1000);
}

Task<void> count_turns(Loop& loop, int& mine, const int& others) {
  for (int i = 0; i < 100; ++i) {
    ++mine;
    co_await loop.yield();
    // Taking turns: nobody gets ahead by more than a round.
    EXPECT_LE(std::abs(mine - others), 1);
  }
}

Task<void> two_in_turns(Loop& loop, int& a, int& b) {
  spawn(count_turns(loop, a, b));
  co_await count_turns(loop, b, a);
}

TEST(Loop, YieldLetsTheOthersRun) {
  Loop loop;
  int a = 0, b = 0;
  run_to_end(loop, two_in_turns(loop, a, b));
  EXPECT_EQ(b, 100);
  EXPECT_GE(a, 99);
}

Task<void> connect_to(Loop& loop, const Address& address, StreamError& error, std::string& problem) {
  Stream stream;
  const ConnectOptions options{.deadline = now() + std::chrono::seconds(5)};
  error = co_await stream.connect(loop, address, options);
  problem = stream.problem();
  EXPECT_FALSE(stream.is_open());
}

TEST(StreamConnect, SaysThatNobodyListens) {
  std::uint16_t port = 0;
  {
    // A port that was free a moment ago.
    Loop loop;
    auto listener = Listener::open(loop, "127.0.0.1", 0);
    ASSERT_TRUE(listener.has_value()) << listener.error();
    port = listener->port();
  }
  Loop loop;
  StreamError error = StreamError::none;
  std::string problem;
  const auto addresses = resolve("127.0.0.1", port);
  ASSERT_TRUE(addresses.has_value());
  run_to_end(loop, connect_to(loop, addresses->front(), error, problem));
  EXPECT_EQ(error, StreamError::refused);
  EXPECT_EQ(problem, "Connection refused");
}

TEST(StreamResolve, WritesAddressesAsPeopleDo) {
  EXPECT_EQ(resolve("127.0.0.1", 9000)->front().text(), "127.0.0.1:9000");
  EXPECT_EQ(resolve("::1", 9000)->front().text(), "[::1]:9000");
}

}  // namespace
}  // namespace s3lt
