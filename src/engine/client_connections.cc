#include "engine/client_connections.h"

#include <fmt/format.h>

#include <algorithm>

namespace s3lt {

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

ClientConnections::ClientConnections(LoadThread& thread, const PatternShare& share, std::uint64_t index)
    : thread_(thread),
      speed_(share.pattern.client_speed),
      one_endpoint_(thread.plan().profile->traits(false).one_endpoint),
      kept_(thread.plan().profile->traits(false).kept_connections),
      next_endpoint_(index),
      next_address_(thread.plan().endpoints.size(), static_cast<std::uint32_t>(index)) {
  const std::size_t endpoints = thread.plan().endpoints.size();
  first_.reserve(endpoints);
  for (std::size_t i = 0; i < endpoints; ++i) first_.emplace_back(thread.loop(), i).http = make();
}

HttpConnection ClientConnections::make() const {
  HttpConnection connection(thread_.loop());
  connection.set_stall_deadline(thread_.plan().stall);
  if (speed_ > 0) connection.be_slow(speed_);
  return connection;
}

std::size_t ClientConnections::next_endpoint() {
  const std::size_t count = first_.size();
  if (one_endpoint_) return next_endpoint_ % count;
  if (count > 1) {
    const TimePoint t = now();
    for (std::size_t tried = 0; tried < count; ++tried) {
      const std::size_t endpoint = next_endpoint_++ % count;
      if (!thread_.is_suspect(endpoint, t)) return endpoint;
    }
  }
  return next_endpoint_++ % count;
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
  const Address& address =
      endpoint.addresses[next_address_[connection.endpoint] % endpoint.addresses.size()];
  IdleConnections& idle = thread_.idle_connections();
  if (idle.limited() && idle.make_room(connection)) thread_.recorder().idle_closed();
  Opened opened{.begun = now(), .problem = {}};
  opened.error = co_await connection.http.connect(
      address, endpoint.tls ? thread_.plan().tls.get() : nullptr, endpoint.host);
  opened.done = now();
  if (opened.error != StreamError::none) {
    ++next_address_[connection.endpoint];
    opened.problem = fmt::format("{}: {}", address.text(), connection.http.problem());
    if (opened.error != StreamError::cancelled) thread_.connect_failed(connection.endpoint);
    co_return opened;
  }
  thread_.connect_succeeded(connection.endpoint);
  thread_.recorder().connection();
  if (endpoint.tls)
    thread_.recorder().handshake(to_micros(opened.done - connection.http.connected_at()),
                                 connection.http.stream().tls_resumed());
  co_return opened;
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
