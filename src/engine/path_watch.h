// Watches, once a second, what no load thread can see alone: the machine's CPU times, what its interfaces
// carry, and how long the way to the storage is. Used by the run's own thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/plan.h"
#include "measure/snapshot.h"
#include "net/handshake_probe.h"
#include "net/link.h"

namespace s3lt {

class PathWatch {
 public:
  // Handshakes are made only while at least so many bytes a second move: else nothing can queue.
  static constexpr std::uint64_t bytes_worth_a_probe = 1'000'000;

  explicit PathWatch(const std::vector<ResolvedEndpoint>& endpoints);
  // Adds what it saw since the last call to a second that all threads have delivered, and weighs it.
  void finish(Snapshot& second, TimePoint t);

 private:
  void read_host(ClientUse& use);
  void read_links(ClientUse& use, bool loaded, TimePoint t);
  void probe(ClientUse& use, bool worth_it, TimePoint t);

  struct Watched {
    Link link;
    std::optional<LinkCounters> before;
  };
  struct Target {
    Address address;
    std::string text;
  };
  std::vector<Watched> links_;
  std::vector<Target> targets_;
  std::size_t next_target_ = 0, target_ = 0;       // target_: of probe_
  std::map<std::string, std::int64_t> least_rtt_;  // by address, microseconds
  std::unique_ptr<HandshakeProbe> probe_;
  TimePoint probed_at_{}, read_at_{};
  std::optional<HostUse> host_;
};

}  // namespace s3lt
