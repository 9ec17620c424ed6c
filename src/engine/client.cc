#include "engine/client.h"

#include <algorithm>

#include "base/encoding.h"

namespace s3lt {
namespace {

std::size_t draw(const std::vector<double>& cumulative, double random) {
  const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), random * cumulative.back());
  return std::min<std::size_t>(static_cast<std::size_t>(at - cumulative.begin()), cumulative.size() - 1);
}

}  // namespace

Client::Client(LoadThread& thread, PatternShare& share, std::uint64_t index)
    : thread_(thread),
      share_(share),
      choices_(
          Random::stream(thread.plan().seed, {thread.plan().worker, hash64(share.pattern.name), index, 0})),
      filling_(
          Random::stream(thread.plan().seed, {thread.plan().worker, hash64(share.pattern.name), index, 2})),
      performer_(thread, share, index),
      timer_(thread.loop()) {}

void Client::wake() {
  if (pausing_) timer_.cancel();
}

void Client::cut() {
  timer_.cancel();
  performer_.cut();
}

Task<void> Client::run() {
  while (!thread_.stopping() && thread_.take_operation()) {
    const Step step = next();
    const Outcome outcome = co_await perform(step);
    if (outcome == Outcome::cancelled) break;
    if (share_.space.catalog.has_excess()) co_await trim();
    const Duration length = performer_.take_pause();
    if (length > Duration::zero()) co_await pause(length);
  }
}

Task<void> Client::pause(Duration length) {
  if (thread_.stopping()) co_return;
  pausing_ = true;
  co_await timer_.until(now() + length);
  pausing_ = false;
}

Task<void> Client::prefill() {
  performer_.set_recording(false);
  while (share_.prefill_left > 0 && !thread_.stopping()) {
    --share_.prefill_left;
    const auto size_class = static_cast<std::uint32_t>(draw(share_.size_steps, filling_.uniform()));
    const Step step = put_step(size_class, filling_.next(), false);
    const Outcome outcome = co_await perform(step);
    if (outcome != Outcome::ok) break;
    if (share_.space.catalog.has_excess()) co_await trim();
  }
  performer_.set_recording(true);
}

Step Client::put_step(std::uint32_t size_class, std::uint64_t suffix, bool seeded) {
  return {.kind = OperationKind::put,
          .size_class = size_class,
          .seeded = seeded,
          .id = {size_class, static_cast<std::uint32_t>(suffix), unix_micros(wall_now())},
          .entry = {}};
}

Step Client::next() {
  const auto kind = static_cast<OperationKind>(draw(share_.mix_steps, choices_.uniform()));
  const auto size_class = static_cast<std::uint32_t>(draw(share_.size_steps, choices_.uniform()));
  const std::uint64_t suffix = choices_.next() >> 32;
  Random picking(choices_.next());
  if (kind == OperationKind::put) return put_step(size_class, suffix, false);
  const auto entry = share_.space.catalog.pick(size_class, picking);
  if (!entry) return put_step(size_class, suffix, true);
  if (kind == OperationKind::del) share_.space.catalog.remove(*entry);
  return {.kind = kind, .size_class = size_class, .seeded = false, .id = entry->id, .entry = *entry};
}

Task<Outcome> Client::perform(const Step& step) {
  const Performed done = co_await performer_.perform(step);
  settle(step, done);
  co_return done.outcome;
}

// What the end of an operation means for its key.
void Client::settle(const Step& step, const Performed& done) {
  Catalog& catalog = share_.space.catalog;
  const bool ok = done.outcome == Outcome::ok;
  switch (step.kind) {
    case OperationKind::put:
      if (ok) {
        catalog.written(step.id);
        ++share_.keys.written;
      } else if (done.may_exist) {
        catalog.uncertain(step.id);
      }
      break;
    case OperationKind::get:
    case OperationKind::head:
      if (done.outcome == Outcome::missing && catalog.remove(step.entry)) catalog.uncertain(step.id);
      break;
    case OperationKind::del:
    case OperationKind::trim:
      if (ok || done.outcome == Outcome::not_found) {
        ++(step.kind == OperationKind::trim ? share_.keys.trimmed : share_.keys.deleted);
      } else {
        catalog.uncertain(step.id);
      }
      break;
    default:
      break;
  }
}

Task<void> Client::trim() {
  // Also at the end of the run, so that it leaves no more than it may.
  while (!thread_.cut()) {
    const auto id = share_.space.catalog.take_excess();
    if (!id) co_return;
    const Step step{
        .kind = OperationKind::trim, .size_class = id->size_class, .seeded = false, .id = *id, .entry = {}};
    const Outcome outcome = co_await perform(step);
    // A storage that refuses deletes keeps its objects: the next write tries again.
    if (outcome != Outcome::ok && outcome != Outcome::not_found) co_return;
  }
}

}  // namespace s3lt
