#include "measure/client_use.h"

#include <algorithm>
#include <utility>

namespace s3lt {

void ThreadUse::add(const ThreadUse& other) {
  wall += other.wall;
  cpu += other.cpu;
  run_queue += other.run_queue;
  loaded += other.loaded;
  busy += other.busy;
  busy_cpu += other.busy_cpu;
  busy_run_queue += other.busy_run_queue;
  saturated += other.saturated;
  operations += other.operations;
  saturated_operations += other.saturated_operations;
}

double ThreadUse::saturated_part() const {
  const double by_time = loaded > 0 ? saturated / loaded : 0;
  const double by_operations =
      operations > 0 ? static_cast<double>(saturated_operations) / static_cast<double>(operations) : 0;
  return std::max(by_time, by_operations);
}

void HostUse::add(const HostUse& other) {
  used += other.used;
  stolen += other.stolen;
  idle += other.idle;
}

void SocketUse::add(const SocketUse& other) {
  clients += other.clients;
  waiting += other.waiting;
  asked += other.asked;
  sending += other.sending;
  congested += other.congested;
  busy_us += other.busy_us;
  window_limited_us += other.window_limited_us;
  buffer_limited_us += other.buffer_limited_us;
  segments_sent += other.segments_sent;
  retransmitted += other.retransmitted;
  segments_received += other.segments_received;
  out_of_order += other.out_of_order;
  for (const auto& [address, rtt] : other.least_rtt_us) {
    const auto known = least_rtt_us.try_emplace(address, rtt).first;
    known->second = std::min(known->second, rtt);
  }
}

void LinkUse::add(const LinkUse& other) {
  bytes_per_second = std::max(bytes_per_second, other.bytes_per_second);
  seconds += other.seconds;
  full_seconds += other.full_seconds;
  received += other.received;
  sent += other.sent;
}

void PathUse::add(const PathUse& other) {
  queue.add(other.queue);
  probes += other.probes;
  lost_probes += other.lost_probes;
  for (const auto& [name, link] : other.links) links[name].add(link);
}

void ClientUse::add(const ClientUse& other) {
  loop_lag.add(other.loop_lag);
  for (const auto& [name, thread] : other.threads) threads[name].add(thread);
  host.add(other.host);
  sockets.add(other.sockets);
  path.add(other.path);
}

void ClientUse::weigh() {
  // Whoever is robbed of a CPU by a hypervisor while computing does not see it; the machine does, and each
  // thread has its part. (Whoever waits in the run queue meanwhile does see it.)
  const double given = 1 - std::min(host.stolen_share(), 0.99);
  for (auto& [name, thread] : threads) {
    const double busy = std::min(thread.wall, thread.cpu / given + thread.run_queue);
    const bool saturated = thread.wall > 0 && busy >= saturated_share * thread.wall;
    if (thread.loaded <= 0 && !saturated) continue;
    thread.loaded = thread.wall;
    thread.busy = busy;
    thread.busy_cpu = thread.cpu;
    thread.busy_run_queue = thread.run_queue;
    if (!saturated) continue;
    thread.saturated = thread.wall;
    thread.saturated_operations = thread.operations;
  }
}

const ThreadUse* ClientUse::busiest() const {
  const auto strain = [](const ThreadUse& thread) {
    return std::pair(thread.was_the_limit(), thread.saturated_part() + thread.busy_share());
  };
  const ThreadUse* most = nullptr;
  for (const auto& [name, thread] : threads) {
    if (most == nullptr || strain(thread) > strain(*most)) most = &thread;
  }
  return most;
}

}  // namespace s3lt
