#include "results/certainty.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "results/figures.h"

namespace s3lt {
namespace {

// What is called a drift: by the test, and large enough to matter.
constexpr double significant = 0.01, material = 0.05;
// A test that would have missed a change of this size says nothing of sameness.
constexpr double blind = 0.5;
// Of what does less a second, seconds without any are chance.
constexpr double least_rate_to_stop = 20;

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

// What the tests of a pattern came to.
struct Tests {
  unsigned number = 0;
  bool all_done = true;
  std::optional<Drift> most;
  double visible = 0;  // the least change that would have shown in each of them
  std::string hidden;  // what would have shown the least
};

void look_for_drift(const std::vector<double>& series, std::string what, bool is_rate, Tests& tests) {
  const auto found = largest_shift(series, significant / tests.number);
  if (!found) {
    tests.all_done = false;
    return;
  }
  if (found->visible > tests.visible) {
    tests.visible = found->visible;
    tests.hidden = what;
  }
  if (found->p_value >= significant / tests.number || std::abs(found->change) < material) return;
  if (!tests.most || std::abs(found->change) > std::abs(tests.most->shift.change))
    tests.most = Drift{std::move(what), is_rate, *found};
}

// The seconds in which the pattern stood still, of a pattern that does much in others.
Steadiness stops_of(const RunCourse& course, const std::string& pattern) {
  Steadiness out;
  double rate = 0, usual = 0;  // of the first
  for (const StandStill& stop : course.stand_stills(pattern)) {
    if (stop.usual < least_rate_to_stop) continue;
    // It began within the second before, where that lacks some.
    const double missing = std::clamp(1 - stop.before / stop.usual, 0.0, 1.0);
    if (out.stops.empty()) {
      rate = stop.rate;
      usual = stop.usual;
    }
    const double from = to_seconds(stop.from) - (missing < 0.1 ? 0 : missing);
    // And it ended within the second after, where something took as long: it had begun as the stand-still
    // did.
    const double to = std::clamp(from + to_seconds(stop.longest), to_seconds(stop.to),
                                 std::max(to_seconds(stop.to), to_seconds(stop.latest_end)));
    out.stops.push_back({from, to});
  }
  if (out.stops.empty()) return out;
  out.found = Steadiness::Found::drifting;
  const auto& [from, to] = out.stops.front();
  out.why = fmt::format(
      "stood still from {:.1f}s to {:.1f}s: {} where {:.0f}/s are {}", from, to,
      rate > 0 ? fmt::format("{:.1f} operations a second ended", rate) : std::string("no operation ended"),
      usual, course.is_open(pattern) ? "due" : "usual");
  if (out.stops.size() > 1) out.why += fmt::format(" (the first of {} times)", out.stops.size());
  return out;
}

// Rate and response time of each operation in the mix; a share of the 1% for each test (Bonferroni).
Steadiness steadiness_of(const RunCourse& course, const std::string& pattern) {
  std::vector<std::pair<OperationKind, const BatchedSeries*>> operations;
  for (const auto& [key, series] : course.operations()) {
    if (key.first == pattern && is_in_mix(key.second)) operations.emplace_back(key.second, &series);
  }
  Tests tests{.number = 2 * static_cast<unsigned>(operations.size()), .all_done = !operations.empty()};
  for (const auto& [operation, series] : operations) {
    look_for_drift(series->rates(&Batch::count), fmt::format("the rate of {}", name(operation)), true, tests);
    look_for_drift(response_means(*series), fmt::format("the mean response time of {}", name(operation)),
                   false, tests);
  }
  Steadiness out = stops_of(course, pattern);
  if (!out.stops.empty()) return out;
  const std::optional<Drift>& most = tests.most;
  if (!most && !tests.all_done) {
    out.why =
        "too short for a test, or it moves too slowly for its length: chance and change look the same in it";
    return out;
  }
  if (!most && tests.visible > blind) {
    out.why =
        fmt::format("no drift found, but {} varies so much that only a change of {:.0f}% would have shown",
                    tests.hidden, 100 * tests.visible);
    return out;
  }
  if (!most) {
    out.found = Steadiness::Found::steady;
    out.why =
        fmt::format("no drift found, where a change of rate or response time by {:.0f}% would have shown",
                    std::ceil(100 * std::max(material, tests.visible)));
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
      // What was due is known all the same.
      if (total.arrivals.contains(pattern)) steadiness = stops_of(course, pattern);
      if (steadiness.stops.empty()) steadiness.why = known->second;
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
                      static_cast<double>(response.count()) * (100 - percentile) / 100 < least_beyond;
      }
    }
  }
  return out;
}

}  // namespace s3lt
