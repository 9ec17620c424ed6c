// One thread's event loop (a single-threaded Boost.Asio io_context over epoll), and what coroutines
// wait for on it: times and sockets. All but post() and stop() belongs to the loop's own thread.
// Only net/*.cc sees Asio: its headers take seconds to compile.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/task.h"

namespace s3lt {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;

  // Runs on the calling thread until stop() was called.
  void run();
  void stop();                            // from any thread, any number of times
  void post(std::function<void()> work);  // from any thread; allocates: not for the path of a request

  // Calls `tick` about every `period` until the loop stops.
  void every(Duration period, std::function<void()> tick);

  // Sockets that a coroutine waits for at this moment: how many there are, and some of them, spread evenly
  // over all open ones and about the same ones each time (at most `most`). Goes through all sockets: once a
  // second.
  struct WaitingSocket {
    int fd = -1;
    unsigned interest = 0;  // Socket::Interest
  };
  struct Waiting {
    std::size_t count = 0;
    std::vector<WaitingSocket> some;
  };
  Waiting waiting(std::size_t most) const;

  // co_await loop.yield(): lets everything else that is ready run first.
  struct Yield {
    Loop& loop;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> h) { loop.post(h); }
    void await_resume() const {}
  };
  Yield yield() { return {*this}; }

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A point in time that one coroutine at a time waits for, exact to the timer's resolution.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();  // nobody may be waiting
  Timer(const Timer&) = delete;

  // co_await timer.until(t): true when t has come, false when cancel() came first.
  struct Awaiter {
    Timer& timer;
    TimePoint when;
    bool await_ready() const { return when <= now(); }
    void await_suspend(std::coroutine_handle<> h) { timer.start(when, h); }
    bool await_resume() const { return !timer.was_cancelled(); }
  };
  Awaiter until(TimePoint when);
  void cancel();

 private:
  void start(TimePoint when, std::coroutine_handle<> h);
  bool was_cancelled() const;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A non-blocking file descriptor whose readiness a coroutine can wait for. Owns the descriptor.
// Reading and writing are plain system calls on fd(), each followed by tried(): wait only when they would
// block.
class Socket {
 public:
  enum Interest : unsigned { readable = 1, writable = 2 };
  enum class Wake {
    ready,      // try again
    timed_out,  // the deadline passed; checked about every 50 ms
    cancelled,  // cancel() was called; every further wait returns at once
  };
  static constexpr TimePoint no_deadline = TimePoint::max();

  Socket() = default;
  Socket(Loop& loop, int fd);  // takes the descriptor
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Socket& operator=(Socket&& other) noexcept;

  int fd() const;
  bool is_open() const { return state_ != nullptr; }
  void close();
  // Wakes the waiting coroutine, now and whenever it waits again, with Wake::cancelled.
  void cancel();
  // What a call on fd() found: `left` may still be ready (it moved all that it was asked to), `used_up` is
  // not (it would have blocked, or took all there was). A wait only tells of what came after; whoever waits
  // without having used up what was ready must say so here, or may wait for ever.
  void tried(unsigned left, unsigned used_up);
  // Whether one of `interest` may be ready, for all that the loop has seen; true also where it never looked.
  bool may_be(unsigned interest) const;
  // What the last wait that ended with Wake::ready found ready (may be more than is there: try it).
  unsigned ready_for() const;

  struct State;
  // co_await socket.wait(readable | writable, deadline) -> Wake. One coroutine at a time.
  struct Awaiter {
    State* state;
    unsigned interest;
    TimePoint deadline;
    bool await_ready();
    void await_suspend(std::coroutine_handle<> h);
    Wake await_resume();
  };
  Awaiter wait(unsigned interest, TimePoint deadline = no_deadline) { return {state_, interest, deadline}; }

 private:
  State* state_ = nullptr;
};

}  // namespace s3lt
