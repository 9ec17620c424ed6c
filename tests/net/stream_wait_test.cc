// The loop tells of changes, not of states: what a call left behind must still be told.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "net/loop_run.h"
#include "net/stream.h"

namespace s3lt {
namespace {

// A stream of the loop's, and its peer's plain descriptor.
struct Ends {
  explicit Ends(Loop& loop) {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream = Stream(loop, fds[0]);
    peer = fds[1];
  }
  ~Ends() { ::close(peer); }
  Stream stream;
  int peer;
};

TimePoint soon() {
  return now() + std::chrono::milliseconds(200);
}

Task<void> read_in_pieces(Ends& ends, std::string& got) {
  char piece[4];
  while (got.size() < 10) {
    const Socket::Wake wake = co_await ends.stream.wait(Socket::readable, soon());
    EXPECT_EQ(wake, Socket::Wake::ready) << "after \"" << got << '"';
    if (wake != Socket::Wake::ready) co_return;
    const IoResult io = ends.stream.try_read(piece, sizeof piece);
    got.append(piece, io.bytes);
  }
}

TEST(StreamWait, TellsOfBytesThatAReadLeftBehind) {
  Loop loop;
  Ends ends(loop);
  ASSERT_EQ(::send(ends.peer, "0123456789", 10, 0), 10);
  std::string got;
  run_to_end(loop, read_in_pieces(ends, got));
  EXPECT_EQ(got, "0123456789");
}

Task<void> read_to_end(Ends& ends, StreamError& error) {
  char buffer[64];
  for (int i = 0; i < 3 && error == StreamError::none; ++i) {
    const Socket::Wake wake = co_await ends.stream.wait(Socket::readable, soon());
    EXPECT_EQ(wake, Socket::Wake::ready);
    if (wake != Socket::Wake::ready) co_return;
    error = ends.stream.try_read(buffer, sizeof buffer).error;
  }
}

TEST(StreamWait, TellsOfAnEndThatCameWithTheLastBytes) {
  Loop loop;
  Ends ends(loop);
  ASSERT_EQ(::send(ends.peer, "last", 4, 0), 4);
  ASSERT_EQ(::shutdown(ends.peer, SHUT_WR), 0);
  StreamError error = StreamError::none;
  run_to_end(loop, read_to_end(ends, error));
  EXPECT_EQ(error, StreamError::closed);
}

Task<void> fill(Ends& ends, unsigned& wakes, Socket::Wake& last) {
  static char bytes[64 * 1024];
  const iovec piece{bytes, sizeof bytes};
  const TimePoint deadline = soon();
  do {
    while (ends.stream.try_write({&piece, 1}).blocked == 0) {
    }
    last = co_await ends.stream.wait(Socket::writable, deadline);
    ++wakes;
  } while (last == Socket::Wake::ready && wakes < 100);
}

TEST(StreamWait, AHalfClosedPeerThatDoesNotReadIsNoReasonToTryAgain) {
  Loop loop;
  Ends ends(loop);
  ASSERT_EQ(::shutdown(ends.peer, SHUT_WR), 0);
  unsigned wakes = 0;
  Socket::Wake last = Socket::Wake::ready;
  run_to_end(loop, fill(ends, wakes, last));
  EXPECT_EQ(last, Socket::Wake::timed_out);
  EXPECT_LE(wakes, 3U);
}

}  // namespace
}  // namespace s3lt
