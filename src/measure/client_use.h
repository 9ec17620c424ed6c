// What the client itself was up to while it measured: its threads, its loops, its sockets, its machine and
// its way to the storage. Whether a run's figures are the storage's or the client's is judged from this
// (results/verdict.h). Everything merges by adding, over time, threads and hosts. Not thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "measure/histogram.h"

namespace s3lt {

// A load thread of a fleet.
struct ThreadName {
  unsigned worker = 0, thread = 0;
  auto operator<=>(const ThreadName&) const = default;
};

// A thread that was busy for so much of a second had no time to spare: whatever came then stood in a queue of
// the client's. (A queue with one server that is busy for 85% of the time takes more than six times as long
// as an idle one.)
inline constexpr double saturated_share = 0.85;

// What a load thread did with its time, in seconds. The intervals that count as loaded are those in which
// anything was counted, or the thread was saturated.
struct ThreadUse {
  double wall = 0;       // of its intervals
  double cpu = 0;        // user and system
  double run_queue = 0;  // ready to run, but no CPU did
  double loaded = 0;     // wall of the loaded intervals
  double busy = 0;       // in those: on a CPU, waiting for one, or robbed of it by a hypervisor
  double busy_cpu = 0, busy_run_queue = 0;  // of `busy`
  double saturated = 0;          // wall of loaded intervals that were busy for saturated_share or more
  std::uint64_t operations = 0;  // that ended
  std::uint64_t saturated_operations = 0;  // of these, in saturated intervals
  void add(const ThreadUse& other);
  // Share of the loaded time; 0 where there was none.
  double busy_share() const { return loaded > 0 ? busy / loaded : 0; }
  // How much of the load met a saturated thread: by time or, where most operations come in bursts, by
  // operations.
  double saturated_part() const;
  // Whether it was the limit of what its clients could do: half of its load met it saturated, or it was as
  // busy on average.
  bool was_the_limit() const { return saturated_part() >= 0.5 || busy_share() >= saturated_share; }
};

// CPU seconds of the whole machine (/proc/stat).
struct HostUse {
  double used = 0;    // by anything
  double stolen = 0;  // asked for, but the hypervisor gave it to others
  double idle = 0;
  void add(const HostUse& other);
  // Of the CPU time that was asked for, how much was not given.
  double stolen_share() const { return used + stolen > 0 ? stolen / (used + stolen) : 0; }
};

// What connections were at, looked at once a second: all are counted, some are asked (TCP_INFO).
struct SocketUse {
  std::uint64_t clients = 0;    // summed over the looks; each can have one request under way
  std::uint64_t waiting = 0;    // requests under way that waited for the storage or the network
  std::uint64_t asked = 0;      // of the waiting ones
  std::uint64_t sending = 0;    // of the asked: with bytes to send that are not sent yet
  std::uint64_t congested = 0;  // of the sending: though the storage's window and our buffer had room
  // Of the asked ones since they were last asked. Microseconds in which data was on its way out, and of
  // those, in which the storage's window or our own buffer was the limit.
  std::uint64_t busy_us = 0, window_limited_us = 0, buffer_limited_us = 0;
  std::uint64_t segments_sent = 0, retransmitted = 0, segments_received = 0, out_of_order = 0;
  std::map<std::string, std::int64_t> least_rtt_us;  // by address of the storage
  void add(const SocketUse& other);
};

// A network interface over which the storage is reached and whose speed is known.
struct LinkUse {
  double bytes_per_second = 0;  // each way
  double seconds = 0,
         full_seconds = 0;  // of load; and those in which it carried 90% or more of its speed one way
  std::uint64_t received = 0, sent = 0;  // bytes, by anybody
  void add(const LinkUse& other);
};
inline constexpr double full_link_share = 0.9;

struct PathUse {
  // Round trips of handshakes with the storage's machines, made about once a second while data moves, beyond
  // the least round trip ever seen: what queues on the way add. Microseconds.
  Histogram queue;
  std::uint64_t probes = 0;  // such handshakes begun: connections that the storage saw besides the load's
  std::uint64_t lost_probes = 0;         // no answer within 3 s
  std::map<std::string, LinkUse> links;  // by name
  void add(const PathUse& other);
};

struct ClientUse {
  Histogram loop_lag;  // microseconds by which timers, due 50 times a second on every thread, came late
  std::map<ThreadName, ThreadUse> threads;
  HostUse host;
  SocketUse sockets;
  PathUse path;
  void add(const ClientUse& other);
  // Of one second of one host, once all is in it: says which threads were loaded, and how busy.
  void weigh();
  // The thread with the least time to spare; null where there is none.
  const ThreadUse* busiest() const;
};

}  // namespace s3lt
