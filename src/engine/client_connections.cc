#include "engine/client_connections.h"

#include <fmt/format.h>

#include <algorithm>

namespace s3lt {
namespace {

// How long an operation waits for endpoints that others are just meeting, from a look to the next; in all
// about twice the longest.
constexpr Duration first_look = std::chrono::milliseconds(1), last_look = std::chrono::milliseconds(256);

}  // namespace

std::uint64_t busy_connections(const RunPlan& plan, const Pattern& pattern) {
  if (!pattern.writes()) return 1;
  std::uint64_t most = 1;
  for (const SizeClass& size : pattern.sizes) {
    const std::uint64_t part = plan.profile->part_size(size.bytes, plan.multipart_size);
    if (part == 0) continue;
    most = std::max(most, std::min<std::uint64_t>(parts_of(size.bytes, part),
                                                  plan.profile->traits(false).parallel_parts));
  }
  return most;
}

ClientConnections::ClientConnections(LoadThread& thread, PatternShare& share, std::uint64_t index)
    : thread_(thread),
      share_(share),
      speed_(share.pattern.client_speed),
      one_endpoint_(thread.plan().profile->traits(false).one_endpoint),
      kept_(thread.plan().profile->traits(false).kept_connections),
      index_(index) {
  const std::size_t endpoints = thread.plan().endpoints.size();
  first_.reserve(endpoints);
  for (std::size_t i = 0; i < endpoints; ++i) {
    ClientConnection& connection = first_.emplace_back(thread.loop(), i);
    connection.http = make();
    connection.address = index % thread.plan().endpoints[i].addresses.size();
  }
}

HttpConnection ClientConnections::make() const {
  HttpConnection connection(thread_.loop());
  connection.set_stall_deadline(thread_.plan().stall);
  if (speed_ > 0) connection.be_slow(speed_);
  return connection;
}

bool ClientConnections::next_endpoint(std::size_t& endpoint) {
  const std::size_t count = first_.size();
  if (one_endpoint_ || count == 1) {
    endpoint = index_ % count;
    // Of a name with several addresses one is enough.
    const EndpointHealth& health = thread_.health(endpoint);
    return health.addresses() == 1 || !health.is_first_met() || health.takes(now());
  }
  const std::uint64_t turn = share_.next_endpoint;
  const TimePoint t = now();
  for (std::size_t passed = 0; passed < count; ++passed) {
    endpoint = (turn + passed) % count;
    if (!thread_.health(endpoint).takes(t)) continue;
    share_.next_endpoint = turn + passed + 1;
    return true;
  }
  return false;
}

std::size_t ClientConnections::any_endpoint() {
  if (one_endpoint_) return index_ % first_.size();
  return share_.next_endpoint++ % first_.size();
}

// More clients than endpoints, or addresses of one, none of which has answered anybody yet: one that never
// will would hold them all.
Task<void> ClientConnections::await_endpoint(std::size_t& endpoint, Timer& timer) {
  const auto is_first_met = [this] {
    for (std::size_t i = 0; i < first_.size(); ++i) {
      if (thread_.health(i).is_first_met()) return true;
    }
    return false;
  };
  for (Duration look = first_look; look <= last_look && is_first_met(); look *= 2) {
    const bool in_time = co_await timer.until(now() + look);
    if (!in_time) break;
    if (next_endpoint(endpoint)) co_return;
  }
  endpoint = any_endpoint();
}

ClientConnection& ClientConnections::take(std::size_t endpoint, bool outlives_cut) {
  ClientConnection& connection = find(endpoint);
  connection.busy = true;
  connection.outlives_cut = outlives_cut;
  if (thread_.idle_connections().limited()) thread_.idle_connections().remove(connection);
  if (connection.was_cut) {
    connection.http = make();
    connection.was_cut = false;
  }
  return connection;
}

ClientConnection& ClientConnections::find(std::size_t endpoint) {
  ClientConnection& first = first_[endpoint];
  if (!first.busy && (further_.empty() || first.http.is_open())) return first;
  ClientConnection* closed = first.busy ? nullptr : &first;
  for (const auto& other : further_) {
    if (other->endpoint != endpoint || other->busy) continue;
    if (other->http.is_open()) return *other;
    if (closed == nullptr) closed = other.get();
  }
  if (closed != nullptr) return *closed;
  further_.push_back(std::make_unique<ClientConnection>(thread_.loop(), endpoint));
  further_.back()->http = make();
  further_.back()->address = first.address;
  return *further_.back();
}

void ClientConnections::give_back(ClientConnection& connection) {
  connection.busy = false;
  if (!further_.empty()) keep_no_more_than(kept_, connection);
  if (thread_.idle_connections().limited()) thread_.idle_connections().add(connection);
}

void ClientConnections::keep_no_more_than(std::size_t most, ClientConnection& connection) {
  const auto is_idle = [&](const ClientConnection& c) {
    return c.endpoint == connection.endpoint && !c.busy && c.http.is_open();
  };
  std::size_t idle = is_idle(first_[connection.endpoint]) ? 1 : 0;
  for (const auto& other : further_) idle += is_idle(*other) ? 1 : 0;
  if (idle > most) connection.http.close();
}

Task<ClientConnections::Opened> ClientConnections::open(ClientConnection& connection) {
  const ResolvedEndpoint& endpoint = thread_.plan().endpoints[connection.endpoint];
  EndpointHealth& health = thread_.health(connection.endpoint);
  IdleConnections& idle = thread_.idle_connections();
  if (idle.limited() && idle.make_room(connection)) thread_.recorder().idle_closed();
  Opened opened{.begun = now(), .problem = {}};
  opened.done = opened.begun;
  const TimePoint deadline = opened.begun + HttpConnection::connect_deadline;
  for (std::size_t tried = 0; tried < endpoint.addresses.size(); ++tried) {
    const TimePoint begun = opened.done;
    connection.address = health.choose(connection.address, begun);
    health.tries(connection.address, begun);
    const Address& address = endpoint.addresses[connection.address];
    opened.error = co_await connection.http.connect(
        address, endpoint.tls ? thread_.plan().tls.get() : nullptr, endpoint.host);
    opened.done = now();
    if (opened.error == StreamError::none) {
      thread_.recorder().connection();
      if (endpoint.tls)
        thread_.recorder().handshake(to_micros(opened.done - connection.http.connected_at()),
                                     connection.http.stream().tls_resumed());
      co_return opened;
    }
    opened.problem = fmt::format("{}: {}", address.text(), connection.http.problem());
    if (opened.error == StreamError::cancelled) {
      health.withdrew(connection.address);
      co_return opened;
    }
    health.failed(connection.address, begun, opened.done);
    connection.address = (connection.address + 1) % endpoint.addresses.size();
    // Past the deadline only to an address that is known to answer.
    if (health.is_hopeless(opened.done)) break;
    if (opened.done >= deadline && !health.is_fine(health.choose(connection.address, opened.done))) break;
  }
  co_return opened;
}

void ClientConnections::begins(const ClientConnection& connection) {
  EndpointHealth& health = thread_.health(connection.endpoint);
  if (!health.is_fine(connection.address)) health.tries(connection.address, now());
}

void ClientConnections::ended(const ClientConnection& connection, const Attempt& attempt) {
  EndpointHealth& health = thread_.health(connection.endpoint);
  if (attempt.status != 0) return health.answered(connection.address, attempt.end);
  switch (attempt.outcome) {
    case Outcome::reset:
    case Outcome::tls:
      return health.failed(connection.address, attempt.end, attempt.end);
    case Outcome::timeout:
      return health.failed(connection.address, attempt.begun, attempt.end);
    default:
      return health.withdrew(connection.address);
  }
}

void ClientConnections::withdrew(const ClientConnection& connection) {
  thread_.health(connection.endpoint).withdrew(connection.address);
}

void ClientConnections::cut(bool all) {
  const auto end = [&](ClientConnection& c) {
    if (!c.busy || (c.outlives_cut && !all)) return;
    c.was_cut = true;
    c.http.cancel();
  };
  for (ClientConnection& c : first_) end(c);
  for (const auto& c : further_) end(*c);
}

}  // namespace s3lt
