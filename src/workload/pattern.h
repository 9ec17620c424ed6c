// A pattern: what a kind of user of the storage does, as data. Patterns are small TOML files
// (docs/patterns.md); the built-in ones are compiled in. Plain values, immutable once loaded.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/vocabulary.h"
#include "schedule/arrivals.h"
#include "schedule/phases.h"

namespace s3lt {

// What S3 takes in one PUT (S3 User Guide, "Uploading objects"): 5 GiB.
inline constexpr std::uint64_t largest_put = std::uint64_t(5) << 30;
// What it keeps as one object, written in parts: 5 TiB.
inline constexpr std::uint64_t largest_object = std::uint64_t(5) << 40;

struct SizeClass {
  std::string label;  // "1KB": in keys, statistics and reports
  std::uint64_t bytes = 0;
  double weight = 1;  // relative to the others
};

// Shares of the operations, by OperationKind; they add up to 1.
using Mix = std::array<double, operation_kinds>;

// Which keys LIST and DELETE-BATCH go through.
enum class ListScope : std::uint8_t {
  worker,  // this worker's: `{prefix}{worker}/`
  prefix,  // all workers'
};

// How an open loop's operations come: the rate of all clients together.
struct OpenLoopSpec {
  RateCourse course;
  ArrivalKind kind = ArrivalKind::constant;
  std::uint64_t max_backlog = 10'000;  // that wait for a free client; further ones are not sent
};

struct Pattern {
  std::string name;        // [a-z0-9_-]+
  std::string summary;     // one line for people
  std::string definition;  // all other fields of its file as JSON, in the order of their names
  Mix mix{};
  std::vector<Mix> burst_mixes;  // each burst of the schedule draws one of them; none: `mix`
  std::vector<SizeClass> sizes;
  std::vector<std::string> keys_from;  // the patterns whose keys it reads; none: its own
  Schedule schedule;
  std::optional<OpenLoopSpec> open_loop;  // none: each client begins the next operation when it may
  double pace = 0;                        // operations a second of each client outside of bursts; 0: unpaced
  double client_speed = 0;                // body bytes a second of each client, each way; 0: unlimited
  Duration least_delay{}, most_delay{};   // added before each operation, drawn anew
  ListScope list_scope = ListScope::worker;
  unsigned list_page = 1000;    // keys a LIST page, and at most a DELETE-BATCH
  double clients_per_core = 8;  // default number of clients, if `clients` is 0
  std::uint64_t clients = 0;    // default number of clients in all

  double share(OperationKind kind) const { return mix[static_cast<std::size_t>(kind)]; }
  // Whether it ever does this.
  bool does(OperationKind kind) const {
    const auto in = [kind](const Mix& m) { return m[static_cast<std::size_t>(kind)] > 0; };
    return in(mix) || std::any_of(burst_mixes.begin(), burst_mixes.end(), in);
  }
  // Whether it makes objects: also where it only reads, but no other pattern's keys.
  bool writes() const { return !sizes.empty() && (keys_from.empty() || does(OperationKind::put)); }
  // Its clients delete batch by batch, one listing together.
  bool sweeps() const { return does(OperationKind::delete_batch); }
};

// A built-in pattern; the error names the nearest one.
Result<Pattern> builtin_pattern(std::string_view name);
std::vector<std::string_view> builtin_pattern_names();
// Those that `all` runs, in the order in which people list them; the others are extras.
std::vector<std::string_view> all_pattern_names();
// The TOML text of a built-in pattern, with its comments; empty where there is none.
std::string_view builtin_pattern_text(std::string_view name);

// The patterns of a TOML text; errors name `file`, line and the nearest valid name.
Result<std::vector<Pattern>> parse_patterns(std::string_view toml, std::string_view file);

}  // namespace s3lt
