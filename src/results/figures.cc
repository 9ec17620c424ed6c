#include "results/figures.h"

#include <algorithm>
#include <set>

#include "base/units.h"

namespace s3lt {
namespace {

std::uint64_t bytes_of_label(const std::string& label) {
  return parse_size(label).value_or(0);
}

}  // namespace

std::vector<OperationFigures> operation_figures(const Snapshot& snapshot, std::string_view pattern) {
  std::vector<OperationFigures> figures;
  for (const OperationKind operation : shown_order) {
    OperationFigures of{.operation = operation, .all = {}, .sizes = {}};
    bool any = false;
    const CellKey first{std::string(pattern), operation, ""};
    for (auto it = snapshot.cells.lower_bound(first); it != snapshot.cells.end(); ++it) {
      const auto& [key, cell] = *it;
      if (key.pattern != pattern || key.operation != operation) break;
      any = true;
      of.all.add(cell);
      if (!key.size.empty()) of.sizes.emplace_back(key.size, cell);
    }
    if (!any) continue;
    std::ranges::sort(of.sizes, {},
                      [](const auto& size) { return std::pair(bytes_of_label(size.first), size.first); });
    figures.push_back(std::move(of));
  }
  return figures;
}

std::vector<std::string> pattern_names(const Snapshot& snapshot, std::span<const std::string> order) {
  std::set<std::string> names;
  for (const auto& [key, cell] : snapshot.cells) names.insert(key.pattern);
  for (const auto& [pattern, keys] : snapshot.keys) names.insert(pattern);
  std::vector<std::string> ordered;
  for (const std::string& name : order) {
    if (names.erase(name) > 0) ordered.push_back(name);
  }
  ordered.insert(ordered.end(), names.begin(), names.end());
  return ordered;
}

PatternFigures pattern_figures(const Snapshot& snapshot, std::string_view pattern) {
  PatternFigures sum;
  for (const auto& [key, cell] : snapshot.cells) {
    if (key.pattern != pattern || key.operation == OperationKind::part) continue;
    const Counters& counters = cell.counters;
    sum.errors += counters.errors;
    if (key.operation == OperationKind::trim) continue;
    sum.operations += counters.count;
    sum.in_time += counters.in_time();
    sum.bytes_in_time += counters.bytes_in_time();
    sum.bytes += counters.bytes;
    sum.bytes_moved += counters.bytes_moved;
    sum.not_found += counters.not_found;
    sum.cancelled += counters.cancelled;
    sum.checked += counters.checked;
    for (std::size_t i = 0; i < corruptions; ++i) sum.corrupt[i] += counters.corrupt[i];
  }
  return sum;
}

std::uint64_t operations_done(const Snapshot& snapshot) {
  std::uint64_t sum = 0;
  for (const auto& [key, cell] : snapshot.cells) {
    if (key.operation != OperationKind::part) sum += cell.counters.count;
  }
  return sum;
}

}  // namespace s3lt
