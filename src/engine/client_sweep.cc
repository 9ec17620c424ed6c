// Deleting what a listing brings, page by page: the clients of a pattern share one way through it.
#include <algorithm>

#include "engine/client.h"
#include "workload/key_shape.h"

namespace s3lt {

Task<void> Client::sweep() {
  Sweep& sweep = share_.sweep;
  std::vector<std::string> keys;
  for (;;) {
    const bool turn = co_await await_turn();
    if (!turn) break;
    if (!sweep.passing) {
      const bool cycles = share_.pattern.schedule.kind == Schedule::Kind::cycle;
      if (cycles && sweep.passes > 0 && sweep.cycle == phase_.number) {
        co_await pause(phase_end_);
        continue;
      }
      sweep.passing = true;
      sweep.cycle = phase_.number;
      sweep.token.clear();
      ++sweep.passes;
    }
    if (sweep.held_until != TimePoint{} && now() < sweep.held_until) {
      co_await pause(sweep.held_until);
      continue;
    }
    if (sweep.listing) {
      sweep.waiting.push_back(this);
      co_await pause(TimePoint::max());
      continue;
    }
    const bool going = co_await list_next_page(sweep, keys);
    if (!going) break;
    if (keys.empty()) continue;
    if (!thread_.take_operation()) break;
    const Outcome outcome = co_await delete_page(keys);
    if (outcome == Outcome::cancelled) break;
  }
  std::erase(sweep.waiting, this);
}

// False: the client is to end.
Task<bool> Client::list_next_page(Sweep& sweep, std::vector<std::string>& keys) {
  keys.clear();
  if (!thread_.take_operation()) co_return false;
  sweep.listing = true;
  const std::string token = sweep.token;
  const Step step{.kind = OperationKind::list, .prefix = share_.list_prefix, .token = token};
  const Outcome outcome = co_await perform(step);
  sweep.listing = false;
  if (outcome == Outcome::ok) {
    sweep.backoff.succeeded();
    sweep.held_until = {};
    ListPage& page = performer_.page();
    sweep.passing = page.truncated && !page.next_token.empty();
    sweep.token = std::move(page.next_token);
    const std::string_view prefix = thread_.plan().prefix;
    for (ListPage::Object& object : page.objects) {
      // Nothing but test objects is ever deleted.
      if (object.key.starts_with(share_.list_prefix) &&
          is_test_key(std::string_view(object.key).substr(prefix.size()))) {
        keys.push_back(std::move(object.key));
      } else {
        ++share_.keys.foreign;
      }
    }
  } else {
    // Later, by whichever client comes first. A token that the storage does not take any more leads nowhere:
    // from the beginning, where what was deleted is not met again.
    sweep.held_until = now() + sweep.backoff.failed(filling_.uniform());
    if (outcome == Outcome::client_error) sweep.token.clear();
  }
  for (Client* client : std::exchange(sweep.waiting, {})) client->wake();
  co_return outcome != Outcome::cancelled;
}

void Client::note_all(KeyFate fate, std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const auto known = thread_.keys().identify(key)) thread_.note({fate, known->first, known->second});
  }
}

Task<Outcome> Client::delete_page(std::vector<std::string>& keys) {
  // First out of everybody's reach, so that a read which finds one gone knows why.
  std::vector<std::string_view> views(keys.begin(), keys.end());
  const std::vector<std::size_t> trimmed = thread_.keys().deleted(views);
  for (std::size_t i = trimmed.size(); i-- > 0;) {
    keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(trimmed[i]));
  }
  if (keys.empty()) co_return Outcome::ok;
  views.assign(keys.begin(), keys.end());
  note_all(KeyFate::deleted, views);
  const Step step{.kind = OperationKind::delete_batch, .prefix = share_.list_prefix, .keys = keys};
  const Outcome outcome = co_await perform(step);
  // What was not deleted, or perhaps not, exists, or perhaps does.
  const auto& refused = performer_.deletion().refused;
  std::vector<std::string_view> left;
  for (const auto& key : refused) left.push_back(key.key);
  if (outcome != Outcome::ok && refused.empty()) left = views;
  thread_.keys().uncertain(left);
  note_all(KeyFate::uncertain, left);
  co_return outcome;
}

}  // namespace s3lt
