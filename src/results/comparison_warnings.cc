#include "results/comparison_warnings.h"

#include <fmt/format.h>

#include <set>

#include "base/units.h"

namespace s3lt {
namespace {

// "1,994 of 10,000 (19.94%)"
std::string not_sent_text(const ArrivalCounters& arrivals) {
  const double share = arrivals.intended > 0
                           ? static_cast<double>(arrivals.not_sent) / static_cast<double>(arrivals.intended)
                           : 0;
  return fmt::format("{} of {} ({:.2f}%)", format_count(arrivals.not_sent), format_count(arrivals.intended),
                     100 * share);
}

}  // namespace

std::vector<ComparedArrivals> compared_arrivals(const RunResult& a, const RunResult& b) {
  std::set<std::string> patterns;
  for (const RunResult* run : {&a, &b}) {
    for (const auto& [pattern, arrivals] : run->total.arrivals) patterns.insert(pattern);
  }
  std::vector<ComparedArrivals> out;
  for (const std::string& pattern : patterns) {
    const auto of = [&](const RunResult& run) {
      const auto found = run.total.arrivals.find(pattern);
      return found == run.total.arrivals.end() ? ArrivalCounters{} : found->second;
    };
    out.push_back({.pattern = pattern, .of = {of(a), of(b)}});
  }
  return out;
}

std::vector<std::string> comparison_warnings(const RunResult& a, const RunResult& b,
                                             const std::vector<ComparedArrivals>& arrivals) {
  std::vector<std::string> out;
  for (const auto& [label, run] : {std::pair{'A', &a}, std::pair{'B', &b}}) {
    if (!run->bottleneck.starts_with("client")) continue;
    out.push_back(
        fmt::format("DO NOT TRUST THE FIGURES OF {} AS THE STORAGE'S: its client's {} was the limit: {}.",
                    label, run->bottleneck == "client-cpu" ? "CPU" : "network", run->why));
  }
  for (const auto& [pattern, of] : arrivals) {
    if (of[0].not_sent == 0 && of[1].not_sent == 0) continue;
    out.push_back(
        fmt::format("Intended starts of {} that were not sent, and are in no percentile: A {}, B {}.",
                    pattern, not_sent_text(of[0]), not_sent_text(of[1])));
  }
  return out;
}

}  // namespace s3lt
