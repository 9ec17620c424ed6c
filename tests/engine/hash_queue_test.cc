#include "engine/hash_queue.h"

#include <gtest/gtest.h>

#include <string>

namespace s3lt {
namespace {

// Hashes a body of so many pieces; each is a letter in `log`.
Task<void> hash(HashQueue& queue, std::size_t pattern, std::uint64_t pieces, char name, std::string& log) {
  const std::uint64_t arrival = queue.arrive();
  for (std::uint64_t left = pieces; left > 0; --left) {
    co_await queue.turn(pattern, arrival, left);
    log += name;
  }
}

std::string order(std::size_t patterns, const std::function<void(HashQueue&, std::string&)>& begin) {
  Loop loop;
  HashQueue queue(loop, patterns);
  std::string log;
  loop.post([&] { begin(queue, log); });
  loop.every(std::chrono::milliseconds(20), [&] { loop.stop(); });
  loop.run();
  return log;
}

TEST(HashQueue, TheShortestAndTheOldestBodyTakeTurns) {
  const std::string log = order(1, [](HashQueue& queue, std::string& out) {
    spawn(hash(queue, 0, 6, 'A', out));
    spawn(hash(queue, 0, 6, 'B', out));
    spawn(hash(queue, 0, 2, 'c', out));
  });
  // c is the shortest, A the oldest; then what is left of A is the least, and B waits for its end.
  EXPECT_EQ(log, "cAcAAAAABBBBBB");
}

TEST(HashQueue, PatternsTakeTurnsHoweverManyBodiesOneHas) {
  const std::string log = order(3, [](HashQueue& queue, std::string& out) {
    for (int i = 0; i < 50; ++i) spawn(hash(queue, 2, 4, 'x', out));
    spawn(hash(queue, 0, 4, 'a', out));
    spawn(hash(queue, 1, 4, 'b', out));
  });
  ASSERT_EQ(log.size(), 50u * 4 + 8);
  for (int round = 0; round < 4; ++round) {
    const std::string three = log.substr(static_cast<std::size_t>(round) * 3, 3);
    EXPECT_TRUE(three.contains('a') && three.contains('b') && three.contains('x')) << log.substr(0, 12);
  }
}

TEST(HashQueue, OthersComeInBetween) {
  Loop loop;
  HashQueue queue(loop, 1);
  std::string log;
  loop.post([&] {
    spawn(hash(queue, 0, 3, 'A', log));
    const auto other = [&loop, &log](auto self, int times) -> void {
      log += '.';
      if (times > 1) loop.post([=] { self(self, times - 1); });
    };
    other(other, 3);
  });
  loop.every(std::chrono::milliseconds(20), [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(log, ".A.A.A");
}

}  // namespace
}  // namespace s3lt
