#include "results/certainty.h"

#include <fmt/format.h>

#include <cmath>

#include "base/units.h"
#include "results/figures.h"

namespace s3lt {
namespace {

// What is called a drift: by the test, and large enough to matter.
constexpr double significant = 0.01, material = 0.05;

struct Drift {
  std::string what;
  bool is_rate = false;  // else a time
  Shift shift;
};

// The mean response time of each batch; a batch without samples has none.
std::vector<double> response_means(const BatchedSeries& series) {
  std::vector<double> out;
  for (const Batch& batch : series.batches()) {
    double samples = 0;
    for (const auto& [index, n] : batch.response) samples += n;
    if (samples > 0) out.push_back(batch.response_sum / samples);
  }
  return out;
}

// Whether the series could be tested at all.
bool look_for_drift(const std::vector<double>& series, std::string what, bool is_rate, unsigned tests,
                    std::optional<Drift>& most) {
  const auto found = largest_shift(series);
  if (!found) return false;
  if (found->p_value >= significant / tests || std::abs(found->change) < material) return true;
  if (!most || std::abs(found->change) > std::abs(most->shift.change))
    most = Drift{std::move(what), is_rate, *found};
  return true;
}

// "it stood still from 15s to 17s"
std::string words_of(const Standstill& stands) {
  std::string text =
      fmt::format("it stood still from {} to {}", format_duration(seconds(std::round(stands.from))),
                  format_duration(seconds(std::round(stands.to))));
  if (stands.times > 1) {
    text += fmt::format(", and {} more time{}: for {} in all", stands.times - 1, stands.times == 2 ? "" : "s",
                        format_duration(seconds(std::round(stands.seconds))));
  }
  return text;
}

// Rate and response time of each operation in the mix; a share of the 1% for each test (Bonferroni).
Steadiness steadiness_of(const RunCourse& course, const std::string& pattern) {
  std::vector<std::pair<OperationKind, const BatchedSeries*>> operations;
  for (const auto& [key, series] : course.operations()) {
    const bool housekeeping = key.second == OperationKind::trim || key.second == OperationKind::part;
    if (key.first == pattern && !housekeeping) operations.emplace_back(key.second, &series);
  }
  bool all_tested = !operations.empty();
  std::optional<Drift> most;
  const unsigned tests = 2 * static_cast<unsigned>(operations.size());
  for (const auto& [operation, series] : operations) {
    const bool rate = look_for_drift(series->rates(&Batch::count),
                                     fmt::format("the rate of {}", name(operation)), true, tests, most);
    const bool response =
        look_for_drift(response_means(*series), fmt::format("the mean response time of {}", name(operation)),
                       false, tests, most);
    all_tested = all_tested && rate && response;
  }
  Steadiness out;
  if (const auto stands = course.standstills().find(pattern); stands != course.standstills().end()) {
    out.found = Steadiness::Found::drifting;
    out.why = words_of(stands->second);
    return out;
  }
  if (!most && !all_tested) {
    out.why =
        "too short for a test, or it moves too slowly for its length: chance and change look the same in it";
    return out;
  }
  if (!most) {
    out.found = Steadiness::Found::steady;
    out.why = "no third differs from another by more than chance";
    return out;
  }
  out.found = Steadiness::Found::drifting;
  out.change = most->shift.change;
  out.p_value = most->shift.p_value;
  static constexpr const char* thirds[] = {"first", "second", "last"};
  const auto text = [&](double value) {
    return most->is_rate ? fmt::format("{:.{}f}/s", value, value < 100 ? 1 : 0)
                         : format_latency(std::llround(value));
  };
  out.why = fmt::format("{} {} from {} in the {} third to {} in the {} (p = {:.1g})", most->what,
                        out.change < 0 ? "fell" : "rose", text(most->shift.before), thirds[most->shift.from],
                        text(most->shift.after), thirds[most->shift.to], out.p_value);
  return out;
}

}  // namespace

Certainty certainty_of(const RunCourse& course, const Snapshot& total,
                       const std::map<std::string, std::string>& changing) {
  Certainty out;
  for (const std::string& pattern : pattern_names(total)) {
    const auto known = changing.find(pattern);
    const bool changes = known != changing.end();
    Steadiness& steadiness = out.patterns[pattern];
    if (changes) {
      steadiness.why = known->second;
    } else {
      steadiness = steadiness_of(course, pattern);
    }
    for (const OperationFigures& of : operation_figures(total, pattern)) {
      const auto series = course.operations().find({pattern, of.operation});
      if (series == course.operations().end()) continue;
      OperationCertainty& sure = out.operations[series->first];
      if (!changes) sure.rate = mean_interval(series->second.rates(&Batch::count), shown_confidence);
      if (sure.rate) sure.rate->low = std::max(0.0, sure.rate->low);
      const Histogram& response = of.all.response;
      for (std::size_t i = 0; i < shown_percentiles.size(); ++i) {
        const double percentile = shown_percentiles[i].first;
        sure.percentiles[i] = series->second.percentile_interval(response, percentile, shown_confidence);
        sure.few[i] = !response.empty() &&
                      static_cast<double>(response.count()) * (1 - percentile / 100) < least_beyond;
      }
    }
  }
  return out;
}

}  // namespace s3lt
