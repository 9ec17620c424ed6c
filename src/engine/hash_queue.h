// Whose turn it is to hash a piece of a body. Hashing is most of what a client with signed payloads costs,
// and a thread has one core: bodies in step with each other would all be late, and everything else on the
// thread with them. So one piece is hashed between two looks at the sockets: the patterns take turns, and
// within a pattern the body with the least left and the one that came first do, so that short ones pass long
// ones and long ones still get there. Belongs to one thread.
#pragma once

#include <coroutine>
#include <cstdint>
#include <vector>

#include "net/loop.h"

namespace s3lt {

class HashQueue {
 public:
  HashQueue(Loop& loop, std::size_t patterns) : loop_(loop), by_age_(patterns) {}
  HashQueue(const HashQueue&) = delete;

  // A body's place in the order of arrival.
  std::uint64_t arrive() { return arrived_++; }

  // co_await queue.turn(...): when the next piece of this body may be hashed. `pattern` counts from 0.
  struct Turn {
    HashQueue& queue;
    std::size_t pattern;
    std::uint64_t arrival, left;  // left: bytes
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) {
      queue.waiting_.push_back({pattern, arrival, left, h});
      queue.serve_soon();
    }
    void await_resume() const {}
  };
  Turn turn(std::size_t pattern, std::uint64_t arrival, std::uint64_t left) {
    return {*this, pattern, arrival, left};
  }

 private:
  struct Waiting {
    std::size_t pattern;
    std::uint64_t arrival, left;
    std::coroutine_handle<> who;
  };
  void serve_soon();
  void serve();
  std::vector<Waiting>::iterator next();

  Loop& loop_;
  std::vector<bool> by_age_;  // by pattern: its next turn is that of the oldest body, not of the shortest
  std::vector<Waiting> waiting_;
  std::uint64_t arrived_ = 0;
  std::size_t last_pattern_ = 0;
  bool serving_ = false;  // serve() is due
};

}  // namespace s3lt
