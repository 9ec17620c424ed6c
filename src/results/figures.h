// The figures of a pattern, put together from the cells of a snapshot: an operation's are the merge of
// its sizes'. What the summary, the series and every report start from. Pure functions, thread-safe.
#pragma once

#include <array>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "measure/snapshot.h"

namespace s3lt {

// The order in which operations are shown everywhere; what stands outside the mix comes last.
inline constexpr std::array<OperationKind, operation_kinds> shown_order = {
    OperationKind::get,          OperationKind::put,  OperationKind::head, OperationKind::del,
    OperationKind::delete_batch, OperationKind::list, OperationKind::part, OperationKind::trim};

struct OperationFigures {
  OperationKind operation{};
  Cell all;
  std::vector<std::pair<std::string, Cell>> sizes;  // by label, the smallest first; none where it has no size
};

// The operations of a pattern that have cells, in shown_order.
std::vector<OperationFigures> operation_figures(const Snapshot& snapshot, std::string_view pattern);

// The patterns with cells or keys: those named in `order` first, in that order, then the others by name.
std::vector<std::string> pattern_names(const Snapshot& snapshot, std::span<const std::string> order = {});

// What a pattern did in all. A PART is a request of a PUT and counts there; a TRIM is no operation of
// the pattern, but its errors are told.
struct PatternFigures {
  std::uint64_t in_time = 0, bytes_in_time = 0;  // of operations and bytes_moved: what rates are made of
  std::uint64_t operations = 0, bytes = 0, bytes_moved = 0, errors = 0, not_found = 0, cancelled = 0;
  std::uint64_t checked = 0;                         // reads whose bytes were checked
  std::array<std::uint64_t, corruptions> corrupt{};  // those that were not the object, by kind
  std::uint64_t all_corrupt() const {
    return std::accumulate(corrupt.begin(), corrupt.end(), std::uint64_t(0));
  }
};
PatternFigures pattern_figures(const Snapshot& snapshot, std::string_view pattern);

// Operations of all patterns for the client's cost: all but PARTs, since a TRIM costs the client, too.
std::uint64_t operations_done(const Snapshot& snapshot);

}  // namespace s3lt
