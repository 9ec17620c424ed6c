// What the server did, as GET /-/stats and GET /-/faults tell it. A Tally belongs to one thread; others may
// read it at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "server/faults.h"
#include "server/request.h"

namespace s3lt::server {

// A counter with one writer.
class Tally {
 public:
  void add(std::uint64_t n) { value_.store(get() + n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Of one thread.
struct Tallies {
  // Answers that went out whole, by operation and hundreds of the status.
  std::array<std::array<Tally, 6>, operation_count> answers;
  Tally accepted, closed;  // connections
};

// Of the whole server.
struct ServerStats {
  std::array<std::array<std::uint64_t, 6>, operation_count> answers{};
  std::uint64_t connections = 0, accepted = 0;             // open now, in all
  std::uint64_t objects = 0, recognised = 0, uploads = 0;  // uploads: multipart, unfinished
  std::uint64_t bytes_kept = 0, capacity = 0;

  std::uint64_t count(Operation o, int status_class) const {
    return answers[static_cast<std::size_t>(o)][static_cast<std::size_t>(status_class)];
  }
  void add(const Tallies& tallies);
};

std::string to_json(const ServerStats& stats);
std::string to_json(const std::vector<FaultPlan::Count>& faults);

}  // namespace s3lt::server
