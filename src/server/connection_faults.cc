// The faults of a connection, at the points where they act: before a request is handled, instead of handling
// it, in the answer that was made, while its bytes go out, and behind it.
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "server/connection.h"

namespace s3lt::server {
namespace {

constexpr std::size_t piece = 64 * 1024;  // of a body that a fault touches
constexpr Duration drip = std::chrono::milliseconds(5), flush_look = std::chrono::milliseconds(1);
// A peer that takes nothing for so long does not hear of the reset behind it either.
constexpr Duration flush_deadline = std::chrono::seconds(10);
constexpr unsigned most_candidates = 16;

// Whether two objects of one size show different bytes there. The stamps of a block are enough to tell, in
// `shared` the one at the end; where blocks may be common, some more are looked at.
bool differ(const ContentPool& pool, const Object& a, const Object& b, std::uint64_t offset,
            std::uint64_t length) {
  constexpr std::uint64_t most_pieces = 64;
  std::array<std::byte, 2 * block_size> left, right;
  const auto differ_at = [&](std::uint64_t begin) {
    const std::size_t n = std::min<std::uint64_t>(offset + length - begin, left.size());
    const auto copy = [&](const Object& object, std::byte* out) {
      if (object.recognised()) return copy_content(pool, object.content, begin, {out, n});
      std::memcpy(out, object.bytes->data.get() + begin, n);
    };
    copy(a, left.data());
    copy(b, right.data());
    return std::memcmp(left.data(), right.data(), n) != 0;
  };
  if (differ_at(offset + length - std::min<std::uint64_t>(length, left.size()))) return true;
  const std::uint64_t looked_at = std::min(length, most_pieces * left.size());
  for (std::uint64_t at = 0; at < looked_at; at += left.size()) {
    if (differ_at(offset + at)) return true;
  }
  return false;
}

}  // namespace

// ---- before the request is handled

Task<bool> Connection::nap(TimePoint until) {
  if (cancelled_) co_return false;
  if (!delay_) delay_ = std::make_unique<Timer>(worker_.loop);
  const bool passed = co_await delay_->until(until);
  co_return passed && !cancelled_;
}

Task<bool> Connection::fault_before_handling() {
  const FaultRule& rule = *fault_.rule;
  const bool answers = rule.then == FaultRule::Then::answer;
  if (rule.kind == FaultKind::delay || (rule.kind == FaultKind::silent && answers)) {
    const bool passed = co_await nap(now() + worker_.shared.faults.time(fault_));
    co_return passed;
  }
  if (rule.kind == FaultKind::silent) {
    const bool ended = co_await keep_silent();
    if (!ended) co_return false;
    worker_.shared.faults.count(&rule);
    if (rule.then == FaultRule::Then::reset) {
      stream_.reset_hard();
    } else {
      co_await linger();
    }
    co_return false;
  }
  if (rule.kind == FaultKind::reset) {
    worker_.shared.faults.count(&rule);
    stream_.reset_hard();
    co_return false;
  }
  co_return true;
}

// Takes what comes, and waits: for its time, or until the client gives up. False: this server ends.
Task<bool> Connection::keep_silent() {
  const Duration time = worker_.shared.faults.time(fault_);
  const TimePoint end = time == Duration::zero() ? Socket::no_deadline : now() + time;
  for (;;) {
    const IoResult read = stream_.try_discard(worker_.scratch.size());
    if (read.error != StreamError::none || now() >= end) co_return true;
    if (read.blocked == 0) continue;
    const Socket::Wake wake = co_await stream_.wait(read.blocked, end);
    if (wake == Socket::Wake::cancelled) co_return false;
  }
}

// ---- instead of handling it

void Connection::fault_instead_of_handling() {
  const FaultRule& rule = *fault_.rule;
  S3Error error = error_of_status(rule.status);
  if (!rule.code.empty() && rule.code != error.code)
    error = {rule.code, rule.status, "A fault, as asked for"};
  answer_.error(error, request_.path);
  if (rule.retry_after) answer_.header("Retry-After", std::to_string(*rule.retry_after));
}

// ---- in the answer that was made

// A fault that cannot be done to this answer is none, and is not counted.
void Connection::fault_in_answer() {
  const bool success = answer_.status() == 200 || answer_.status() == 206;
  bool done = true;
  switch (fault_.rule->kind) {
    case FaultKind::missing:
      done = success && answer_.object();
      if (done) answer_.error(errors::no_such_key, request_.path);
      break;
    case FaultKind::stale:
      done = success && show_former();
      break;
    case FaultKind::swap:
      done = success && swap_body();
      break;
    case FaultKind::close:
      answer_.close_after();
      break;
    case FaultKind::truncate:
    case FaultKind::reset_in_body:
    case FaultKind::slow:
    case FaultKind::flip:
    case FaultKind::length:
      done = success && plan_delivery();
      break;
    default:
      break;
  }
  if (!done) fault_ = {};
}

bool Connection::show_former() {
  const auto& bucket = worker_.buckets.find(request_.bucket);
  if (!bucket || !answer_.object()) return false;
  ObjectPtr former = bucket->find_former(request_.key, request_.key_hash);
  if (!former) return false;
  Exchange asked = exchange();
  show_object(asked, std::move(former));
  return true;
}

bool Connection::swap_body() {
  const auto& bucket = worker_.buckets.find(request_.bucket);
  const ObjectPtr object = answer_.object();
  const std::uint64_t offset = answer_.body_offset(), length = answer_.body_length();
  if (!bucket || !object || length == 0) return false;
  // Of a few bytes only, as a range may ask for, many objects have the same.
  unsigned candidates = 0;
  ObjectPtr other = bucket->find_alike(*object, [&](const Object& o) {
    return ++candidates > most_candidates || differ(*worker_.shared.pool, *object, o, offset, length);
  });
  if (!other || candidates > most_candidates) return false;
  answer_.object_body(std::move(other), offset, length);
  return true;
}

// Says how the answer has to go out; false: the fault cannot be done to it.
bool Connection::plan_delivery() {
  const FaultRule& rule = *fault_.rule;
  const std::uint64_t length = answer_.object() ? answer_.body_length() : answer_.text_body().size();
  const Place middle{.share = 0.5};
  Delivery plan{.body = length};
  bool possible = length > 0;
  switch (rule.kind) {
    case FaultKind::truncate:
    case FaultKind::reset_in_body:
      plan.end = rule.kind == FaultKind::truncate ? Delivery::End::close : Delivery::End::reset;
      plan.body = rule.at.value_or(middle).in(length);
      possible = plan.body < length;
      break;
    case FaultKind::slow:
      plan.rate = rule.rate;
      break;
    case FaultKind::flip:
      possible = plan.flip_bits(rule, length, worker_.shared.faults.random(fault_));
      break;
    case FaultKind::length:
      possible = answer_.object() && (rule.more > 0 || length >= static_cast<std::uint64_t>(-rule.more));
      plan.body = length + static_cast<std::uint64_t>(rule.more);
      if (possible) answer_.set_body_length(plan.body);
      break;
    default:
      break;
  }
  if (possible) delivery_ = std::make_unique<Delivery>(std::move(plan));
  return possible;
}

// ---- while it goes out

// Puts bytes of the body into the thread's scratch, as they go out; says how many.
std::size_t Connection::spoiled_bytes(const Delivery& plan, std::uint64_t offset, std::uint64_t length) {
  char* const out = worker_.scratch.data();
  const std::size_t n = std::min<std::uint64_t>(length, piece);
  const Object* object = answer_.object().get();
  if (object == nullptr) {
    std::memcpy(out, answer_.text_body().data() + offset, n);
  } else {
    const std::uint64_t from = answer_.body_offset() + offset;
    const std::size_t real = std::min<std::uint64_t>(n, from < object->size() ? object->size() - from : 0);
    if (!object->recognised()) {
      std::memcpy(out, object->bytes->data.get() + from, real);
    } else {
      copy_content(*worker_.shared.pool, object->content, from, std::as_writable_bytes(std::span(out, real)));
    }
    std::memset(out + real, 0, n - real);  // behind the object's end
  }
  for (const Delivery::Flip& flip : plan.flips) {
    if (flip.offset >= offset && flip.offset < offset + n)
      out[flip.offset - offset] ^= static_cast<char>(flip.mask);
  }
  return n;
}

// False: the connection ends here. What goes out whole is counted before its last bytes, anything else when
// it is out as far as it goes.
Task<bool> Connection::deliver_with_fault() {
  const std::unique_ptr<Delivery> plan = std::move(delivery_);
  const std::string_view head = answer_.head_bytes();
  const std::uint64_t body = request_.is_head() ? 0 : plan->body, total = head.size() + body;
  const TimePoint begun = now();
  bool counted = false;
  for (std::uint64_t sent = 0; sent < total;) {
    iovec out{const_cast<char*>(head.data() + sent),
              head.size() - std::min<std::uint64_t>(sent, head.size())};
    if (sent >= head.size()) {
      std::uint64_t most = total - sent;
      if (plan->rate > 0) {
        const double due = std::min(plan->rate * to_seconds(now() - begun), 1e18);
        const auto more = static_cast<std::int64_t>(due) - static_cast<std::int64_t>(sent - head.size());
        if (more <= 0) {
          const bool in_time = co_await nap(now() + std::max(drip, seconds(1 / plan->rate)));
          if (!in_time) break;
          continue;
        }
        most = std::min(most, static_cast<std::uint64_t>(more));
      }
      out = {worker_.scratch.data(), spoiled_bytes(*plan, sent - head.size(), most)};
    }
    if (plan->end == Delivery::End::whole && !counted && sent + out.iov_len == total) {
      count(1);
      counted = true;
    }
    const IoResult written = stream_.try_write({&out, 1});
    if (written.error != StreamError::none) break;
    sent += written.bytes;
    if (sent == total) {
      if (plan->end == Delivery::End::whole) co_return true;
      worker_.shared.faults.count(fault_.rule);
      if (plan->end == Delivery::End::reset) {
        co_await reset_behind_sent();
      } else {
        co_await linger();
      }
      co_return false;
    }
    if (written.blocked == 0) continue;
    const Socket::Wake wake = co_await stream_.wait(written.blocked, now() + idle_deadline);
    if (wake != Socket::Wake::ready) break;
  }
  if (counted) count(-1);
  co_return false;
}

// ---- behind the answer

Task<bool> Connection::fault_after_answer() {
  if (fault_.is(FaultKind::close_unsaid)) {
    co_await linger();
    co_return false;
  }
  if (fault_.is(FaultKind::reset_after)) {
    co_await reset_behind_sent();
    co_return false;
  }
  co_return true;
}

// A reset throws away what the system still holds to be sent: so that it stands behind all that was said,
// wait until it is on its way.
Task<void> Connection::reset_behind_sent() {
  const TimePoint until = now() + flush_deadline;
  int unsent = 0;
  while (::ioctl(stream_.fd(), SIOCOUTQNSD, &unsent) == 0 && unsent > 0 && now() < until) {
    const bool in_time = co_await nap(now() + flush_look);
    if (!in_time) co_return;
  }
  stream_.reset_hard();
}

}  // namespace s3lt::server
