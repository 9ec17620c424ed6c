#include "engine/client.h"

#include <algorithm>

#include "base/encoding.h"

namespace s3lt {
namespace {

// In a row, before a client's writes wait for room.
constexpr unsigned most_refused_trims = 4;

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

void Client::cut() {
  timer_.cancel();
  performer_.cut();
}

Task<void> Client::run() {
  if (share_.pattern.sweeps()) {
    co_await sweep();
  } else {
    co_await work();
  }
}

Task<void> Client::work() {
  for (;;) {
    const bool turn = co_await await_turn();
    if (!turn) break;
    if (!thread_.take_operation()) {
      if (share_.open_loop) share_.open_loop->give_back();
      break;
    }
    std::optional<Step> step = next();
    if (!step) {
      ++share_.keys.no_key;
      thread_.give_back_operation();
      if (share_.open_loop) {
        share_.open_loop->drop();
      } else {
        co_await await_keys();
      }
      continue;
    }
    const bool may_go = co_await make_way(*step);
    if (!may_go) {
      thread_.give_back_operation();
      if (share_.open_loop) share_.open_loop->drop();
      continue;
    }
    step->intended = intended_;
    const Outcome outcome = co_await perform(*step);
    if (outcome == Outcome::cancelled) break;
    if (share_.space.catalog.has_excess()) co_await trim();
    Duration away = performer_.take_pause();
    if (step->kind == OperationKind::list && outcome != Outcome::ok)
      away = std::max(away, list_backoff_.failed(filling_.uniform()));
    if (away > Duration::zero()) co_await pause(now() + away);
  }
}

Task<void> Client::prefill() {
  performer_.set_recording(false);
  while (share_.prefill_left > 0 && !thread_.stopping()) {
    --share_.prefill_left;
    const auto size_class = static_cast<std::uint32_t>(share_.sizes.at(filling_.uniform()));
    const Step step = put_step(size_class, filling_.next(), false);
    const Outcome outcome = co_await perform(step);
    if (outcome != Outcome::ok) break;
    if (share_.space.catalog.has_excess()) co_await trim();
  }
  performer_.set_recording(true);
}

Step Client::put_step(std::uint32_t size_class, std::uint64_t suffix, bool seeded) {
  const KeyId id{size_class, static_cast<std::uint32_t>(suffix), unix_micros(wall_now())};
  return {.kind = OperationKind::put,
          .size_class = size_class,
          .seeded = seeded,
          .space = &share_.space,
          .entry = {id, 0}};
}

// What to do; nothing where there is no key to read and the pattern writes none.
std::optional<Step> Client::next() {
  const Pattern& pattern = share_.pattern;
  const auto kind = static_cast<OperationKind>(mix_->at(choices_.uniform()));
  const double size_drawn = choices_.uniform();
  const std::uint64_t suffix = choices_.next() >> 32;
  Random picking(choices_.next());
  if (kind == OperationKind::list) {
    return Step{.kind = kind, .prefix = share_.list_prefix, .token = token_};
  }
  auto size_class = static_cast<std::uint32_t>(share_.sizes.at(size_drawn));
  if (kind == OperationKind::put) return put_step(size_class, suffix, false);
  if (!pattern.keys_from.empty()) {
    if (const auto filled = share_.source.any_size(picking)) size_class = *filled;
  }
  const auto found = share_.source.pick(size_class, picking);
  if (!found) return pattern.writes() ? std::optional(put_step(size_class, suffix, true)) : std::nullopt;
  key_wait_ = {};
  if (kind == OperationKind::del && found->space->catalog.remove(found->entry)) {
    thread_.note(KeyFate::deleted, *found->space, found->entry.id);
  }
  return Step{.kind = kind,
              .size_class = size_class,
              .ours = !found->space->given,
              .space = found->space,
              .entry = found->entry};
}

Task<Outcome> Client::perform(const Step& step) {
  const Performed done = co_await performer_.perform(step);
  settle(step, done);
  co_return done.outcome;
}

// What the end of an operation means for its key, or for the listing.
void Client::settle(const Step& step, const Performed& done) {
  const bool ok = done.outcome == Outcome::ok;
  switch (step.kind) {
    case OperationKind::put:
      if (ok) {
        step.space->catalog.written(step.entry.id);
        thread_.note(KeyFate::written, *step.space, step.entry.id);
        ++share_.keys.written;
        write_backoff_.succeeded();
      } else if (done.may_exist) {
        uncertain(step);
      }
      if (done.outcome == Outcome::full) hold_writes();
      break;
    case OperationKind::get:
    case OperationKind::head:
      if (done.outcome == Outcome::missing && step.space->catalog.remove(step.entry)) uncertain(step);
      // Another process deleted it and has not said so yet, or cannot any more.
      if (done.outcome == Outcome::not_found && step.space->catalog.remove(step.entry)) {
        thread_.note(KeyFate::deleted, *step.space, step.entry.id);
      }
      break;
    case OperationKind::del:
    case OperationKind::trim:
      if (ok || done.outcome == Outcome::not_found) {
        ++(step.kind == OperationKind::trim ? share_.keys.trimmed : share_.keys.deleted);
      } else {
        uncertain(step);
      }
      break;
    case OperationKind::delete_batch:
      if (!done.answered) break;
      share_.keys.deleted += performer_.deletion().deleted;
      share_.keys.refused += performer_.deletion().refused.size();
      break;
    case OperationKind::list:
      if (!ok) break;
      list_backoff_.succeeded();
      token_ = performer_.page().truncated ? performer_.page().next_token : std::string();
      if (token_.empty() && share_.pattern.schedule.kind == Schedule::Kind::cycle)
        pass_done_in_ = phase_.number;
      break;
    case OperationKind::part:
      break;
  }
}

void Client::uncertain(const Step& step) {
  step.space->catalog.uncertain(step.entry.id);
  thread_.note(KeyFate::uncertain, *step.space, step.entry.id);
}

Task<void> Client::trim() {
  // Also at the end of the run, so that it leaves no more than it may.
  while (!thread_.cut()) {
    const auto id = share_.space.catalog.take_excess();
    if (!id) co_return;
    thread_.note(KeyFate::deleted, share_.space, *id);
    const Step step{
        .kind = OperationKind::trim, .size_class = id->size_class, .space = &share_.space, .entry = {*id, 0}};
    const Outcome outcome = co_await perform(step);
    if (outcome == Outcome::ok || outcome == Outcome::not_found) {
      refused_trims_ = 0;
      continue;
    }
    // A storage that refuses every delete keeps its objects: with more writes they would be more than the
    // limits allow. A single failure is none of that.
    if (++refused_trims_ >= most_refused_trims) hold_writes();
    co_return;
  }
}

}  // namespace s3lt
