#include "engine/path_watch.h"

#include <algorithm>
#include <utility>

#include "measure/cpu_times.h"

namespace s3lt {
namespace {

constexpr auto probe_deadline = std::chrono::seconds(3);

std::uint64_t bytes_moved(const Snapshot& second) {
  std::uint64_t bytes = 0;
  for (const auto& [key, cell] : second.cells) {
    if (key.operation != OperationKind::part) bytes += cell.counters.bytes_moved;
  }
  return bytes;
}

}  // namespace

PathWatch::PathWatch(const std::vector<ResolvedEndpoint>& endpoints) : read_at_(now()), host_(host_times()) {
  for (const ResolvedEndpoint& endpoint : endpoints) {
    const Address& address = endpoint.addresses.front();
    targets_.push_back({address, address.text()});
    auto link = Link::open(interface_to(address));
    const auto is_it = [&](const Watched& watched) { return watched.link.name() == link->name(); };
    if (!link || std::ranges::any_of(links_, is_it)) continue;
    const auto carried = link->read();
    links_.push_back({std::move(*link), carried});
  }
}

void PathWatch::finish(Snapshot& second, TimePoint t) {
  ClientUse& use = second.client.use;
  const std::uint64_t bytes = bytes_moved(second);
  read_host(use);
  read_links(use, bytes > 0, t);
  for (const auto& [address, rtt] : use.sockets.least_rtt_us) {
    const auto known = least_rtt_.try_emplace(address, rtt).first;
    known->second = std::min(known->second, rtt);
  }
  probe(use, bytes >= bytes_worth_a_probe, t);
  use.weigh();
}

void PathWatch::read_host(ClientUse& use) {
  const auto times = host_times();
  if (times && host_) {
    use.host.used = times->used - host_->used;
    use.host.stolen = times->stolen - host_->stolen;
    use.host.idle = times->idle - host_->idle;
  }
  host_ = times;
}

void PathWatch::read_links(ClientUse& use, bool loaded, TimePoint t) {
  const double elapsed = to_seconds(t - read_at_);
  read_at_ = t;
  for (Watched& watched : links_) {
    const auto carried = watched.link.read();
    const auto before = std::exchange(watched.before, carried);
    if (!loaded || !carried || !before || elapsed <= 0) continue;
    LinkUse& link = use.path.links[watched.link.name()];
    link.bytes_per_second = watched.link.bytes_per_second();
    link.received = carried->received - before->received;
    link.sent = carried->sent - before->sent;
    link.seconds = elapsed;
    const double most = static_cast<double>(std::max(link.received, link.sent)) / elapsed;
    if (most >= full_link_share * link.bytes_per_second) link.full_seconds = elapsed;
  }
}

// One at a time, each to the next address that connections of the load have shown the usual way to.
void PathWatch::probe(ClientUse& use, bool worth_it, TimePoint t) {
  if (probe_) {
    const auto round_trip = probe_->round_trip();
    if (round_trip) {
      std::int64_t& least = least_rtt_.at(targets_[target_].text);
      least = std::min(least, *round_trip);
      use.path.queue.record(*round_trip - least);
    } else if (t - probed_at_ < probe_deadline) {
      return;
    } else {
      ++use.path.lost_probes;
    }
    probe_.reset();
  }
  if (!worth_it) return;
  for (std::size_t tried = 0; tried < targets_.size(); ++tried) {
    target_ = next_target_++ % targets_.size();
    if (!least_rtt_.contains(targets_[target_].text)) continue;
    probe_ = std::make_unique<HandshakeProbe>(targets_[target_].address);
    ++use.path.probes;
    probed_at_ = t;
    return;
  }
}

}  // namespace s3lt
