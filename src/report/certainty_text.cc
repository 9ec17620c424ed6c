#include "report/certainty_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"
#include "results/figures.h"

namespace s3lt {
namespace {

// In the summary; summary.json has all.
constexpr std::size_t shown_of[] = {0, 3};  // p50, p99

std::string_view label(std::size_t percentile) {
  return shown_percentiles[percentile].first == 99.9 ? "p99.9" : shown_percentiles[percentile].second;
}

// In the order in which operations are shown.
template <class Visit>
void for_each_operation(const Certainty& certainty, std::string_view pattern, Visit visit) {
  for (const OperationKind operation : shown_order) {
    const auto found = certainty.operations.find({std::string(pattern), operation});
    if (found != certainty.operations.end() && operation != OperationKind::trim)
      visit(operation, found->second);
  }
}

std::string latency(double micros) {
  return format_latency(static_cast<std::int64_t>(micros));
}

}  // namespace

std::string interval_line(const Certainty& certainty, std::string_view pattern) {
  std::vector<std::string> operations;
  for_each_operation(certainty, pattern, [&](OperationKind operation, const OperationCertainty& sure) {
    std::vector<std::string> figures;
    if (sure.rate) figures.push_back(fmt::format("{:.1f}-{:.1f}/s", sure.rate->low, sure.rate->high));
    for (const std::size_t i : shown_of) {
      if (!sure.percentiles[i] || sure.few[i]) continue;
      figures.push_back(fmt::format("{} {}-{}", label(i), latency(sure.percentiles[i]->low),
                                    latency(sure.percentiles[i]->high)));
    }
    if (!figures.empty())
      operations.push_back(fmt::format("{} {}", name(operation), fmt::join(figures, ", ")));
  });
  if (operations.empty()) return {};
  return fmt::format("{:.0f}% sure: {}", 100 * shown_confidence, fmt::join(operations, "; "));
}

std::string few_samples_line(const RunResult& result, std::string_view pattern) {
  std::vector<std::string> operations;
  for_each_operation(result.certainty, pattern, [&](OperationKind operation, const OperationCertainty& sure) {
    std::vector<std::string> few;
    for (std::size_t i = 0; i < shown_percentiles.size(); ++i) {
      if (!sure.few[i]) continue;
      const double needed = least_beyond / (1 - shown_percentiles[i].first / 100);
      few.push_back(
          fmt::format("{} needs {}", label(i), format_count(static_cast<std::uint64_t>(needed + 0.5))));
    }
    if (few.empty()) return;
    std::uint64_t samples = 0;
    for (const OperationFigures& of : operation_figures(result.total, std::string(pattern))) {
      if (of.operation == operation) samples = of.all.response.count();
    }
    operations.push_back(
        fmt::format("{} has {}, and {}", name(operation), format_count(samples), fmt::join(few, ", ")));
  });
  if (operations.empty()) return {};
  return fmt::format("too few samples: {}; a longer run has more", fmt::join(operations, "; "));
}

std::string steadiness_line(const Certainty& certainty, std::string_view pattern) {
  const auto found = certainty.patterns.find(std::string(pattern));
  if (found == certainty.patterns.end()) return {};
  const Steadiness& steadiness = found->second;
  switch (steadiness.found) {
    case Steadiness::Found::steady:
      return fmt::format("steady: {} (t test of their means, 1%)", steadiness.why);
    case Steadiness::Found::drifting:
      if (!steadiness.stops.empty()) return "NOT STEADY: " + steadiness.why;
      return fmt::format("NOT STEADY: {}; a longer --warmup or run may tell why", steadiness.why);
    case Steadiness::Found::unknown:
      break;
  }
  return fmt::format("steadiness unknown: {}", steadiness.why);
}

}  // namespace s3lt
