#include "cli/limits.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "base/units.h"
#include "report/amounts.h"

namespace s3lt {
namespace {

// Measured with 8,000 clients: 16.5 KiB of each, connection, buffers and coroutine together, and a session of
// OpenSSL on top.
constexpr std::uint64_t bytes_of_a_connection = 20 << 10, bytes_of_a_tls_session = 56 << 10;
// Program, libraries, threads, histograms and key catalog.
constexpr std::uint64_t bytes_of_the_rest = 32 << 20;
// What s3pool was seen to use beyond the bodies: half as much again, up to some 400 MiB; and this client.
constexpr std::uint64_t most_beside_bodies = 512 * MiB, bytes_beside_s3pool = 64 * MiB;
// Of s3pool's descriptors, those that are no connection.
constexpr std::uint64_t descriptors_beside_s3pool = 64;

// The clients of one pattern or more, at so many of each (0: as they are).
std::uint64_t memory_of_s3pool(const std::vector<BodiesUnderWay>& bodies, std::uint64_t clients_each) {
  std::uint64_t sum = 0, clients = 0, largest = 0;
  for (const BodiesUnderWay& b : bodies) {
    const std::uint64_t n = clients_each > 0 ? clients_each : b.clients;
    sum += n * b.largest;
    clients += n;
    largest = std::max(largest, b.largest);
  }
  // It copies a body once it is whole, on one of its threads, of which it has one a core: so many are there
  // twice.
  const std::uint64_t copies =
      std::min<std::uint64_t>(clients, std::max(1u, std::thread::hardware_concurrency())) * largest;
  return sum + std::max(copies, std::min(sum / 2, most_beside_bodies)) + bytes_beside_s3pool;
}

struct Room {
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  std::string_view of;  // whose it is
};

void narrow(Room& room, std::optional<std::uint64_t> bytes, std::string_view of) {
  if (bytes && *bytes < room.bytes) room = {*bytes, of};
}

// The number in a file that holds nothing else; nothing for "max" and where there is no file.
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  if (file >> number) return number;
  return std::nullopt;
}

// The number behind a name in lines of "name: number kB" or "name number".
std::optional<std::uint64_t> named_number(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    return std::strtoull(line.c_str() + name.size(), nullptr, 10);
  }
  return std::nullopt;
}

// What is left of one memory cgroup. Its page cache can be taken back.
std::optional<std::uint64_t> left_of_group(const std::string& directory, const std::string& limit_file,
                                           const std::string& usage_file, std::string_view cache_name) {
  const auto limit = number_in(directory + limit_file), usage = number_in(directory + usage_file);
  if (!limit || !usage) return std::nullopt;
  const std::uint64_t cache = named_number(directory + "memory.stat", cache_name).value_or(0);
  const std::uint64_t used = *usage - std::min(*usage, cache);
  return *limit - std::min(*limit, used);
}

// Every group from the process's own up to the root, of cgroups v2 and v1.
void narrow_by_cgroups(Room& room) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const bool v2 = line.starts_with("0::"), v1 = line.find(":memory:") != line.npos;
    if (!v1 && !v2) continue;
    std::filesystem::path group = line.substr(v2 ? 3 : line.find(":memory:") + 8);
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    for (bool top = false; !top; group = group.parent_path()) {
      top = !group.has_relative_path();
      const std::string directory = root + (top ? "" : group.string()) + "/";
      const auto left = v2 ? left_of_group(directory, "memory.max", "memory.current", "inactive_file ")
                           : left_of_group(directory, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                           "total_inactive_file ");
      narrow(room, left, "of this container's or service's memory limit (cgroup)");
    }
  }
}

Room memory_left() {
  Room room;
  if (const auto available = named_number("/proc/meminfo", "MemAvailable:"))
    narrow(room, *available << 10, "on this machine");
  narrow_by_cgroups(room);
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const std::uint64_t used =
        number_in("/proc/self/statm").value_or(0) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    narrow(room, limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, used), "of ulimit -v");
  }
  return room;
}

}  // namespace

Result<std::uint64_t> raise_descriptor_limit(const RunNeeds& needs) {
  // Besides connections: the loops' own, files of the run, libraries.
  const std::uint64_t others = needs.threads * 4 + 64, wanted = needs.kept + others;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return 0;
  const rlim_t hard = limit.rlim_max;
  limit.rlim_cur = std::min<rlim_t>(hard, wanted);
  const bool raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
  if (raised && limit.rlim_cur >= wanted) return 0;
  if (raised && limit.rlim_cur >= needs.busy + others) {
    const std::uint64_t most = limit.rlim_cur - others;
    log_warning(fmt::format(
        "{} clients keep {} connections to {}, and the limit of {} file descriptors has room for {}: those "
        "that were idle longest are closed and made anew, at the storage's expense too; raise it (ulimit -n "
        "{} as root, or LimitNOFILE= of the service)",
        format_count(needs.clients), format_count(needs.kept), counted(needs.endpoints, "endpoint"),
        format_count(hard), format_count(most), wanted));
    return most;
  }
  std::string parts;
  if (needs.busy > needs.clients)
    parts = fmt::format(" and {} connections for parts", format_count(needs.busy));
  return usage_error(
      fmt::format("{} clients{} need {} file descriptors, and at most {} are allowed; raise the limit "
                  "(ulimit -n {} as root, or LimitNOFILE= of the service) or lower --concurrency",
                  format_count(needs.clients), parts, format_count(needs.busy + others), format_count(hard),
                  needs.busy + others));
}

Result<void> check_memory(const RunNeeds& needs, std::uint64_t most_connections) {
  const std::uint64_t each = bytes_of_a_connection + (needs.tls ? bytes_of_a_tls_session : 0);
  const std::uint64_t connections = most_connections > 0 ? most_connections : needs.kept;
  const std::uint64_t needed = connections * each + needs.pool_bytes + bytes_of_the_rest;
  const Room room = memory_left();
  if (needed <= room.bytes) return {};
  return usage_error(
      fmt::format("{} clients with {} endpoint(s) and {} of content need about {} of memory, and {} are left "
                  "{}; lower --concurrency or --size, or make more memory available",
                  format_count(needs.clients), needs.endpoints, format_size(needs.pool_bytes),
                  format_size(needed), format_size(room.bytes), room.of));
}

Result<void> check_memory_of_s3pool(const std::vector<BodiesUnderWay>& bodies) {
  const std::uint64_t needed = memory_of_s3pool(bodies, 0);
  const Room room = memory_left();
  if (needed <= room.bytes) return {};
  std::uint64_t clients = 0, largest = 0, fitting = 0, too_many = 0;
  for (const BodiesUnderWay& b : bodies) {
    clients += b.clients;
    largest = std::max(largest, b.largest);
    too_many = std::max(too_many, b.clients + 1);
  }
  while (fitting + 1 < too_many) {
    const std::uint64_t middle = fitting + (too_many - fitting) / 2;
    (memory_of_s3pool(bodies, middle) <= room.bytes ? fitting : too_many) = middle;
  }
  const std::string remedy =
      fitting > 0 ? fmt::format("use --concurrency {}", fitting) : std::string("use a smaller --size");
  return usage_error(fmt::format(
      "s3pool keeps whole bodies in memory, and copies them: {} clients with objects of up to {} need "
      "{}, and {} are left {}; {}, or --force to run all the same",
      format_count(clients), format_size(largest), format_size(needed), format_size(room.bytes), room.of,
      remedy));
}

Result<void> check_descriptors_of_s3pool(std::uint64_t clients) {
  const std::uint64_t needed = 2 * clients + descriptors_beside_s3pool;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max >= needed) return {};
  const std::uint64_t fitting =
      (limit.rlim_max - std::min<std::uint64_t>(limit.rlim_max, descriptors_beside_s3pool)) / 2;
  return usage_error(fmt::format(
      "s3pool needs {} file descriptors for {} clients, and at most {} are allowed; raise the limit "
      "(ulimit -n {} as root, or LimitNOFILE= of the service), or use {} clients or fewer, or --force "
      "to run all the same",
      format_count(needed), format_count(clients), format_count(limit.rlim_max), needed,
      format_count(fitting)));
}

void end_when_out_of_memory() {
  std::set_new_handler([] {
    constexpr std::string_view sentence =
        "s3loadtest: out of memory; lower --concurrency or --size, or make more memory available\n";
    // Nothing here may ask for memory.
    if (::write(STDERR_FILENO, sentence.data(), sentence.size()) < 0) _exit(3);
    _exit(3);
  });
}

}  // namespace s3lt
