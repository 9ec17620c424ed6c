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
  if (tried.state != State::suspect) return;
  ++figures_.probes;
  ++tried.figures.probes;
}

void EndpointHealth::recover(Address& address, TimePoint t) {
  address.state = State::fine;
  address.tried = false;
  address.backoff = {};
  if (address.since) address.figures.suspect += t - *std::exchange(address.since, std::nullopt);
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
  if (!address.since) {
    address.since = was_unknown ? began : t;
    ++address.figures.suspicions;
  }
  if (suspect_since_) return;
  if (!std::ranges::all_of(addresses_, [](const Address& a) { return a.state == State::suspect; })) return;
  // Nobody else went there while the first one found out.
  suspect_since_ = was_unknown ? began : t;
  ++figures_.suspicions;
}

EndpointHealth::Figures EndpointHealth::take(Figures& figures, std::optional<TimePoint>& since, TimePoint t) {
  if (since) figures.suspect += t - *std::exchange(since, t);
  return std::exchange(figures, {});
}

EndpointHealth::Figures EndpointHealth::take(TimePoint t) {
  return take(figures_, suspect_since_, t);
}

EndpointHealth::Figures EndpointHealth::take_of(std::size_t address, TimePoint t) {
  return take(addresses_[address].figures, addresses_[address].since, t);
}

}  // namespace s3lt
