#include "net/loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

namespace s3lt {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// How often the deadlines of waiting sockets are looked at.
constexpr auto deadline_tick = std::chrono::milliseconds(50);

struct Ticker {
  asio::steady_timer timer;
  Duration period;
  std::function<void()> tick;

  void arm() {
    timer.expires_after(period);
    timer.async_wait([this](error_code error) {
      if (error) return;
      tick();
      arm();
    });
  }
};

}  // namespace

struct Loop::Impl {
  // One thread runs it; others only post. So the reactor needs no locks, the queue does.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::vector<std::unique_ptr<Ticker>> tickers;
  std::vector<Socket::State*> sockets;  // all open ones, for their deadlines
  void check_deadlines();
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
  every(deadline_tick, [this] { impl_->check_deadlines(); });
  impl_->context.run();
}
void Loop::stop() {
  impl_->context.stop();
}
void Loop::post(std::function<void()> work) {
  asio::post(impl_->context, std::move(work));
}

void Loop::every(Duration period, std::function<void()> tick) {
  impl_->tickers.push_back(
      std::make_unique<Ticker>(asio::steady_timer(impl_->context), period, std::move(tick)));
  impl_->tickers.back()->arm();
}

struct Timer::Impl {
  asio::steady_timer timer;
  bool cancelled = false;
};

Timer::Timer(Loop& loop) : impl_(std::make_unique<Impl>(asio::steady_timer(loop.impl().context))) {}
Timer::~Timer() = default;

Timer::Awaiter Timer::until(TimePoint when) {
  impl_->cancelled = false;
  return {*this, when};
}
void Timer::cancel() {
  impl_->timer.cancel();
}
void Timer::start(TimePoint when, std::coroutine_handle<> h) {
  impl_->timer.expires_at(when);
  impl_->timer.async_wait([impl = impl_.get(), h](error_code error) {
    impl->cancelled = static_cast<bool>(error);
    h.resume();
  });
}
bool Timer::was_cancelled() const {
  return impl_->cancelled;
}

// Lives until its owner closed it and the last pending wait was delivered. A wait for readability that
// nobody needs any more stays pending and only notes that the socket is readable: cancelling it would cost
// more than it does.
struct Socket::State {
  State(Loop::Impl& l, int fd) : loop(l), descriptor(l.context, fd) {
    index = loop.sockets.size();
    loop.sockets.push_back(this);
  }
  ~State() { unlist(); }

  Loop::Impl& loop;
  asio::posix::stream_descriptor descriptor;
  std::size_t index = 0;  // in loop.sockets
  int references = 1;
  unsigned pending = 0;   // waits that Asio holds
  unsigned ready = 0;     // what came ready while nobody waited for it
  unsigned interest = 0;  // what `waiter` waits for
  unsigned woken_for = 0;
  std::coroutine_handle<> waiter;
  TimePoint deadline = no_deadline;
  Wake wake = Wake::ready;
  bool cancelled = false;
  bool listed = true;

  void unlist() {
    if (!listed) return;
    listed = false;
    loop.sockets[index] = loop.sockets.back();
    loop.sockets[index]->index = index;
    loop.sockets.pop_back();
  }
  void resume(Wake why) {
    wake = why;
    deadline = no_deadline;
    std::exchange(waiter, {}).resume();
  }
  void release() {
    if (--references == 0) delete this;
  }
  void start(unsigned bit);
  void fired(unsigned bit, bool aborted) {
    pending &= ~bit;
    if (aborted || !listed) return;
    if (waiter && (interest & bit) != 0) {
      woken_for = bit | (ready & interest);
      ready &= ~interest;
      resume(Wake::ready);
    } else {
      ready |= bit;
    }
  }
};

namespace {

// Keeps a socket's state while Asio holds a wait of it.
struct Reference {
  explicit Reference(Socket::State* s) : state(s) { ++state->references; }
  Reference(Reference&& other) noexcept : state(std::exchange(other.state, nullptr)) {}
  Reference(const Reference& other) : state(other.state) { ++state->references; }
  ~Reference() {
    if (state != nullptr) state->release();
  }
  Socket::State* state;
};

}  // namespace

void Socket::State::start(unsigned bit) {
  pending |= bit;
  const auto kind =
      bit == readable ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
  descriptor.async_wait(kind, [reference = Reference(this), bit](error_code error) {
    reference.state->fired(bit, error == asio::error::operation_aborted);
  });
}

void Loop::Impl::check_deadlines() {
  const TimePoint t = now();
  std::vector<Reference> late;
  for (Socket::State* s : sockets) {
    if (s->waiter && s->deadline <= t) late.emplace_back(s);
  }
  for (const Reference& r : late) {
    // An earlier one may have woken or closed this one.
    if (r.state->listed && r.state->waiter && r.state->deadline <= t)
      r.state->resume(Socket::Wake::timed_out);
  }
}

Socket::Socket(Loop& loop, int fd) : state_(new State(loop.impl(), fd)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::exchange(other.state_, nullptr);
  }
  return *this;
}

int Socket::fd() const {
  return state_->descriptor.native_handle();
}
unsigned Socket::ready_for() const {
  return state_->woken_for;
}

void Socket::close() {
  if (state_ == nullptr) return;
  State* state = std::exchange(state_, nullptr);
  state->unlist();
  error_code ignored;
  state->descriptor.close(ignored);
  state->release();
}

void Socket::cancel() {
  if (state_ == nullptr || state_->cancelled) return;
  state_->cancelled = true;
  if (!state_->waiter) return;
  // Not from here: whoever cancels must not find itself inside the coroutine it cancels.
  asio::post(state_->loop.context, [reference = Reference(state_)] {
    if (reference.state->listed && reference.state->waiter) reference.state->resume(Wake::cancelled);
  });
}

bool Socket::Awaiter::await_ready() {
  if (state->cancelled) {
    state->wake = Wake::cancelled;
    return true;
  }
  if ((state->ready & interest) == 0) return false;
  state->woken_for = state->ready & interest;
  state->ready &= ~interest;
  state->wake = Wake::ready;
  return true;
}

void Socket::Awaiter::await_suspend(std::coroutine_handle<> h) {
  state->waiter = h;
  state->interest = interest;
  state->deadline = deadline;
  for (const unsigned bit : {readable, writable}) {
    if ((interest & bit) != 0 && (state->pending & bit) == 0) state->start(bit);
  }
}

Socket::Wake Socket::Awaiter::await_resume() {
  return state->wake;
}

}  // namespace s3lt
