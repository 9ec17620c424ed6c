#include "schedule/endpoint_health.h"

#include <algorithm>
#include <utility>

namespace s3lt {

bool EndpointHealth::takes(TimePoint t) const {
  return std::ranges::any_of(addresses_, [t](const Address& address) { return address.takes(t); });
}

bool EndpointHealth::is_first_met() const {
  return std::ranges::any_of(addresses_,
                             [](const Address& a) { return a.state == State::unknown && a.tried; });
}

std::size_t EndpointHealth::choose(std::size_t preferred, TimePoint t) const {
  const std::size_t count = addresses_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t address = (preferred + i) % count;
    if (addresses_[address].takes(t)) return address;
  }
  // One that others are just meeting is better than one that is known to be bad.
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t address = (preferred + i) % count;
    if (addresses_[address].state != State::suspect) return address;
  }
  return preferred % count;
}

bool EndpointHealth::is_hopeless(TimePoint t) const {
  return !takes(t) &&
         std::ranges::all_of(addresses_, [](const Address& a) { return a.state == State::suspect; });
}

void EndpointHealth::tries(std::size_t address, TimePoint t) {
  Address& tried = addresses_[address];
  if (tried.state == State::fine || !tried.takes(t)) return;
  tried.tried = true;
  if (tried.state == State::suspect) ++figures_.probes;
}

void EndpointHealth::recover(Address& address, TimePoint t) {
  address = {.state = State::fine, .tried = false, .until = {}, .backoff = {}};
  if (suspect_since_) figures_.suspect += t - *std::exchange(suspect_since_, std::nullopt);
}

void EndpointHealth::failed(std::size_t number, TimePoint began, TimePoint t) {
  Address& address = addresses_[number];
  address.tried = false;
  // Clients that failed together count once.
  if (address.state == State::suspect && t < address.until) return;
  const bool was_unknown = std::exchange(address.state, State::suspect) == State::unknown;
  const Duration growing = address.backoff.failed();
  address.until = t + std::clamp<Duration>(2 * (t - began), growing, longest_while);
  if (suspect_since_) return;
  if (!std::ranges::all_of(addresses_, [](const Address& a) { return a.state == State::suspect; })) return;
  // Nobody else went there while the first one found out.
  suspect_since_ = was_unknown ? began : t;
  ++figures_.suspicions;
}

EndpointHealth::Figures EndpointHealth::take(TimePoint t) {
  if (suspect_since_) figures_.suspect += t - *std::exchange(suspect_since_, t);
  return std::exchange(figures_, {});
}

}  // namespace s3lt
