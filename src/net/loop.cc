#include "net/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <system_error>
#include <vector>

namespace s3lt {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// How many sockets one look at the set tells of, and how many looks come before timers have their turn.
constexpr int most_events = 128, most_looks = 8;
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

int make_epoll() {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

}  // namespace

// The sockets stand in an epoll set of the loop's own, edge-triggered, each added once; Asio waits for the
// set. An async_wait of each socket would cost an epoll_ctl and a trip through Asio's queues every time: here
// all that is ready at once shares one.
struct Loop::Impl {
  Impl() { arm(); }

  // One thread runs it; others only post. So the reactor needs no locks, the queue does.
  asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::posix::stream_descriptor set{context, make_epoll()};
  std::vector<std::unique_ptr<Ticker>> tickers;
  std::vector<Socket::State*> sockets;  // all open ones, for their deadlines
  bool dispatching = false;
  std::vector<Socket::State*> released;  // while dispatching: events at hand may still name them

  void arm() {
    set.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code error) {
      if (error) return;
      dispatch();
      arm();
    });
  }
  void dispatch();
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

// Lives until its owner closed it and nothing under way names it.
struct Socket::State {
  State(Loop::Impl& l, int d) : loop(l), fd(d) {
    index = loop.sockets.size();
    loop.sockets.push_back(this);
  }
  ~State() { unlist(); }

  Loop::Impl& loop;
  const int fd;
  std::size_t index = 0;  // in loop.sockets
  int references = 1;
  unsigned ready = 0;     // what is ready as far as we know: told by the set, or left by the last try
  unsigned lasting = 0;   // of `ready`: tries will not block any more, the peer ended or the socket is broken
  unsigned interest = 0;  // what `waiter` waits for
  unsigned woken_for = 0;
  std::coroutine_handle<> waiter;
  TimePoint deadline = no_deadline;
  Wake wake = Wake::ready;
  bool in_set = false;
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
    if (--references > 0) return;
    if (loop.dispatching) {
      loop.released.push_back(this);
    } else {
      delete this;
    }
  }
  // Whether something of `wanted` is ready; then it counts as used up, but for what cannot go away.
  bool take(unsigned wanted) {
    const unsigned found = ready & wanted;
    if (found == 0) return false;
    woken_for = found;
    ready &= ~found | lasting;
    return true;
  }
  void add_to_set();
  void happened(std::uint32_t events);
};

namespace {

// Keeps a socket's state.
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

void Socket::State::add_to_set() {
  in_set = true;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = this}};
  const int added = ::epoll_ctl(loop.set.native_handle(), EPOLL_CTL_ADD, fd, &event);
  // Out of kernel memory: without its wait the socket fails by its deadline, or by what the next try says.
  if (added != 0) ready = readable | writable;
}

void Socket::State::happened(std::uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) lasting = readable | writable;
  if ((events & EPOLLRDHUP) != 0) lasting |= readable;
  if ((events & EPOLLIN) != 0) ready |= readable;
  if ((events & EPOLLOUT) != 0) ready |= writable;
  ready |= lasting;
  if (waiter && take(interest)) resume(Wake::ready);
}

void Loop::Impl::dispatch() {
  epoll_event events[most_events];
  dispatching = true;
  for (int look = 0; look < most_looks && !context.stopped(); ++look) {
    const int n = ::epoll_wait(set.native_handle(), events, most_events, 0);
    if (n <= 0) break;
    for (int i = 0; i < n; ++i) {
      auto* state = static_cast<Socket::State*>(events[i].data.ptr);
      if (state->listed) state->happened(events[i].events);
    }
    for (Socket::State* state : released) delete state;
    released.clear();
  }
  dispatching = false;
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

Loop::Waiting Loop::waiting(std::size_t most) const {
  Waiting found;
  const std::vector<Socket::State*>& sockets = impl_->sockets;
  const std::size_t step = std::max<std::size_t>(1, (sockets.size() + most - 1) / most);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    if (!sockets[i]->waiter) continue;
    ++found.count;
    if (i % step == 0) found.some.push_back({sockets[i]->fd, sockets[i]->interest});
  }
  return found;
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
  return state_->fd;
}
unsigned Socket::ready_for() const {
  return state_->woken_for;
}

bool Socket::may_be(unsigned interest) const {
  return !state_->in_set || (state_->ready & interest) != 0;
}

void Socket::tried(unsigned left, unsigned used_up) {
  state_->ready = (state_->ready & ~used_up) | left | state_->lasting;
}

void Socket::close() {
  if (state_ == nullptr) return;
  State* state = std::exchange(state_, nullptr);
  state->unlist();
  ::close(state->fd);  // leaves the set with it
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
  if (!state->take(interest)) return false;
  state->wake = Wake::ready;
  return true;
}

void Socket::Awaiter::await_suspend(std::coroutine_handle<> h) {
  state->waiter = h;
  state->interest = interest;
  state->deadline = deadline;
  if (!state->in_set) state->add_to_set();
}

Socket::Wake Socket::Awaiter::await_resume() {
  return state->wake;
}

}  // namespace s3lt
