#include "results/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "measure/batched_series.h"
#include "measure/statistics.h"
#include "results/comparison_warnings.h"
#include "results/figures.h"
#include "results/whole_files.h"

namespace s3lt {
namespace json = boost::json;
namespace {

// A smaller change is of no use to anybody, however sure it is; of error shares, one operation in a thousand.
constexpr double least_change = 0.03, least_error_change = 0.001;
// From here on rates differ where the seconds of one run lie above all of the other's.
constexpr double apart_change = 0.1;
constexpr double infinite = std::numeric_limits<double>::infinity();

constexpr std::pair<std::string_view, double> percentiles[] = {
    {"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}};
constexpr std::size_t percentile_count = std::size(percentiles);
constexpr std::size_t figures_of_an_operation = 3 + percentile_count;

using OperationKey = std::pair<std::string, OperationKind>;

// An operation, an entry a second (after a day: a minute) of the measured part.
struct OperationSeries {
  std::vector<double> in_time, bytes;  // of rates
  std::vector<double> count, errors;
  std::vector<double> timed, ok;  // those with a response time, as counted, and as the log has them
  std::array<std::vector<double>, percentile_count>
      above;  // of the ok ones, those beyond the run's percentile
  Histogram response;
  std::array<int, percentile_count> index{};  // of the run's percentile in the histogram
};

std::int64_t ms_of(Duration t) {
  return t / std::chrono::milliseconds(1);
}

struct RunSeries {
  std::vector<double> length;
  OperationCounts ended;                               // of every operation
  using Begin = std::pair<std::int64_t, std::size_t>;  // milliseconds, and the place in the lists
  std::vector<Begin> begins;                           // of each interval in the files
  std::map<OperationKey, OperationSeries> operations;

  std::optional<std::size_t> at(Duration from) const {
    const std::int64_t ms = ms_of(from);
    const auto next = std::ranges::lower_bound(begins, ms - 1, {}, &Begin::first);  // rounded on the way
    if (next == begins.end() || next->first > ms + 1) return std::nullopt;
    return next->second;
  }
};

Result<void> read_counts(const RunReader& reader, RunSeries& series) {
  const auto read = reader.for_each_interval([&](const RecordedInterval& interval) {
    if (interval.warmup) return;
    const Snapshot& figures = interval.figures;
    // The rest of the last second, and what ended after the load was stopped, go with the second before.
    const double length = to_seconds(figures.loaded());
    if (length >= least_second || series.length.empty()) {
      series.length.push_back(length);
    } else {
      series.length.back() += std::max(length, 0.0);
    }
    const std::size_t size = series.length.size();
    series.begins.emplace_back(ms_of(figures.from), size - 1);
    for (const auto& [key, cell] : figures.cells) {
      series.ended[{key.pattern, key.operation}] += cell.counters.count;
      if (!is_in_mix(key.operation)) continue;
      OperationSeries& of = series.operations[{key.pattern, key.operation}];
      for (auto* list : {&of.in_time, &of.bytes, &of.count, &of.errors, &of.timed}) list->resize(size);
      of.in_time.back() += static_cast<double>(cell.counters.in_time());
      of.bytes.back() += static_cast<double>(cell.counters.bytes_in_time());
      of.count.back() += static_cast<double>(cell.counters.count);
      of.errors.back() += static_cast<double>(cell.counters.errors);
      of.timed.back() += static_cast<double>(timed(cell.counters));
    }
  });
  for (auto& [key, of] : series.operations) {
    for (auto* list : {&of.in_time, &of.bytes, &of.count, &of.errors, &of.timed, &of.ok})
      list->resize(series.length.size());
    for (auto& list : of.above) list.resize(series.length.size());
  }
  return read;
}

// Twice: what lies above a percentile can only be counted when it is known.
Result<void> read_latencies(const RunReader& reader, RunSeries& series) {
  const auto seconds_only = [](const HistogramTag& tag) {
    return tag.scope == HistogramTag::Scope::interval && tag.figure.empty() && is_in_mix(tag.operation);
  };
  const auto each = [&](auto visit) {
    return reader.for_each_histogram(seconds_only, [&](const RecordedHistogram& line) {
      const auto at = series.at(line.from);
      const auto of = series.operations.find({std::string(line.tag.pattern), line.tag.operation});
      if (at && of != series.operations.end()) visit(of->second, *at, line.histogram);
    });
  };
  if (auto read = each([](OperationSeries& of, std::size_t at, const Histogram& histogram) {
        of.response.add(histogram);
        of.ok[at] += static_cast<double>(histogram.count());
      });
      !read)
    return read;
  for (auto& [key, of] : series.operations) {
    for (std::size_t p = 0; p < percentile_count; ++p)
      of.index[p] = Histogram::index_of(of.response.percentile(percentiles[p].second));
  }
  return each([](OperationSeries& of, std::size_t at, const Histogram& histogram) {
    if (histogram.empty()) return;
    std::uint64_t above = 0;
    int index = Histogram::index_of(histogram.max());
    for (std::size_t p = percentile_count; p-- > 0;) {
      for (; index > of.index[p]; --index) above += histogram.count_at(index);
      of.above[p][at] += static_cast<double>(above);
    }
  });
}

// Of a run that was killed, the end of one of the two files may be missing.
Result<void> check_times(const RunReader& reader, const RunSeries& series) {
  const std::size_t sure =
      series.length.size() - (reader.summary() == nullptr && !series.length.empty() ? 1 : 0);
  for (const auto& [key, of] : series.operations) {
    for (std::size_t i = 0; i < sure; ++i) {
      if (of.ok[i] == of.timed[i]) continue;
      const std::int64_t ms = std::ranges::find(series.begins, i, &RunSeries::Begin::second)->first;
      return usage_error(fmt::format(
          "{}: {:.0f} of the {:.0f} {} of {} that series.jsonl counts in the interval from {:.3f} s are in "
          "it: "
          "one of these files was cut or changed, and figures made from it would be wrong; use an undamaged "
          "copy of it",
          (reader.path() / "histograms.hlog").string(), of.ok[i], of.timed[i], name(key.second), key.first,
          static_cast<double>(ms) / 1000));
    }
  }
  return {};
}

Result<RunSeries> read_series(const RunReader& reader) {
  RunSeries series;
  if (auto read = read_counts(reader, series); !read) return std::unexpected(read.error());
  if (auto whole = check_series_whole(reader, series.ended); !whole) return std::unexpected(whole.error());
  if (auto read = read_latencies(reader, series); !read) return std::unexpected(read.error());
  if (auto whole = check_times(reader, series); !whole) return std::unexpected(whole.error());
  return series;
}

// A value and how far, on the logarithmic scale, it may be off downwards and upwards.
struct Estimate {
  double value = 0, down = 0, up = 0;
  bool few_samples = false;
};

Estimate rate_estimate(const RunSeries& series, const std::vector<double>& amounts, double confidence) {
  const double amount = std::accumulate(amounts.begin(), amounts.end(), 0.0);
  const double length = std::accumulate(series.length.begin(), series.length.end(), 0.0);
  std::vector<double> rates(amounts.size());
  for (std::size_t i = 0; i < rates.size(); ++i)
    rates[i] = series.length[i] > 0 ? amounts[i] / series.length[i] : 0;
  Estimate estimate{length > 0 ? amount / length : 0, infinite, infinite};
  const auto interval = mean_interval(rates, confidence);
  if (!interval || estimate.value <= 0) return estimate;
  if (interval->low > 0) estimate.down = std::max(0.0, std::log(estimate.value / interval->low));
  estimate.up = std::max(0.0, std::log(interval->high / estimate.value));
  return estimate;
}

// The seconds of one run lie above all of the other's: no chance, whatever made each of them vary.
bool are_apart(const RunSeries& series_a, const std::vector<double>& a, const RunSeries& series_b,
               const std::vector<double>& b) {
  constexpr std::size_t least_seconds = 8;
  const auto range = [](const RunSeries& series, const std::vector<double>& amounts) {
    Interval out{infinite, -infinite};
    for (std::size_t i = 0; i < amounts.size(); ++i) {
      if (series.length[i] <= 0) continue;
      out.low = std::min(out.low, amounts[i] / series.length[i]);
      out.high = std::max(out.high, amounts[i] / series.length[i]);
    }
    return out;
  };
  if (std::min(a.size(), b.size()) < least_seconds) return false;
  const Interval of_a = range(series_a, a), of_b = range(series_b, b);
  return of_a.high < of_b.low || of_b.high < of_a.low;
}

std::optional<Interval> share_of(const std::vector<double>& samples, const std::vector<double>& beyond,
                                 double confidence) {
  std::vector<Exceedance> stretches(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) stretches[i] = {samples[i], beyond[i]};
  return share_interval(stretches, confidence);
}

// The share of operations above the percentile has an interval; the histogram says which latencies its ends
// are.
Estimate percentile_estimate(const OperationSeries& of, std::size_t p, double confidence) {
  const auto value = static_cast<double>(of.response.percentile(percentiles[p].second));
  const auto at = [&](double above) {
    return static_cast<double>(std::max<std::int64_t>(1, of.response.percentile(100 * (1 - above))));
  };
  Estimate estimate{value, infinite, infinite};
  // The summary of a run does not trust a percentile with fewer beyond it either.
  estimate.few_samples =
      static_cast<double>(of.response.count()) * (100 - percentiles[p].second) < 100 * least_beyond;
  const auto share = share_of(of.ok, of.above[p], confidence);
  if (!share) return estimate;
  if (share->high < 1) estimate.down = std::max(0.0, std::log(value / at(share->high)));
  // Where not one operation is left above it, nobody knows how far up it goes.
  if (share->low * static_cast<double>(of.response.count()) >= 1)
    estimate.up = std::max(0.0, std::log(at(share->low) / value));
  return estimate;
}

// On the logarithmic scale the two half widths that face each other add up as independent errors do.
void judge(ComparedFigure& figure, const Estimate& a, const Estimate& b) {
  figure.a = a.value;
  figure.b = b.value;
  figure.few_samples = a.few_samples || b.few_samples;
  if (a.value <= 0 || b.value <= 0) {
    figure.change = a.value == b.value ? 0 : (b.value > 0 ? infinite : -1);
    // The other one is surely more than nothing where its interval begins above that.
    const Estimate& other = a.value > 0 ? a : b;
    figure.threshold = a.value == b.value || std::isfinite(other.down) ? least_change : infinite;
    figure.different = a.value != b.value && std::isfinite(other.down);
    return;
  }
  figure.change = b.value / a.value - 1;
  const bool grew = b.value > a.value;
  const double width = grew ? std::hypot(a.up, b.down) : std::hypot(a.down, b.up);
  const double by_chance = grew ? std::expm1(width) : -std::expm1(-width);
  figure.threshold = std::isinf(width) ? infinite : std::max(least_change, by_chance);
  figure.different = std::abs(figure.change) > figure.threshold;
}

void judge_errors(ComparedFigure& figure, const OperationSeries& a, const OperationSeries& b,
                  double confidence) {
  const auto share = [](const OperationSeries& of) {
    const double count = std::accumulate(of.count.begin(), of.count.end(), 0.0);
    return count > 0 ? std::accumulate(of.errors.begin(), of.errors.end(), 0.0) / count : 0;
  };
  figure.a = share(a);
  figure.b = share(b);
  figure.change = figure.b - figure.a;
  const auto of_a = share_of(a.count, a.errors, confidence), of_b = share_of(b.count, b.errors, confidence);
  if (!of_a || !of_b) {
    figure.threshold = infinite;
    return;
  }
  const double by_chance = figure.change > 0 ? std::hypot(of_a->high - figure.a, figure.b - of_b->low)
                                             : std::hypot(figure.a - of_a->low, of_b->high - figure.b);
  figure.threshold = std::max({least_error_change, least_change * std::max(figure.a, figure.b), by_chance});
  figure.different = std::abs(figure.change) > figure.threshold;
}

void compare_operation(Comparison& out, const OperationKey& key, const RunSeries& a, const RunSeries& b,
                       double confidence) {
  const OperationSeries& of_a = a.operations.at(key);
  const OperationSeries& of_b = b.operations.at(key);
  const auto add = [&](std::string_view name) -> ComparedFigure& {
    out.figures.push_back({.pattern = key.first, .operation = key.second, .name = std::string(name)});
    return out.figures.back();
  };
  const auto judge_rate = [&](std::string_view name, const std::vector<double>& in_a,
                              const std::vector<double>& in_b) {
    ComparedFigure& figure = add(name);
    judge(figure, rate_estimate(a, in_a, confidence), rate_estimate(b, in_b, confidence));
    if (figure.different || std::abs(figure.change) <= apart_change || !are_apart(a, in_a, b, in_b)) return;
    figure.different = true;
    figure.threshold = apart_change;
  };
  judge_rate("rate", of_a.in_time, of_b.in_time);
  const auto moves = [](const OperationSeries& of) {
    return std::ranges::any_of(of.bytes, [](double n) { return n > 0; });
  };
  if (moves(of_a) || moves(of_b)) judge_rate("throughput", of_a.bytes, of_b.bytes);
  judge_errors(add("errors"), of_a, of_b, confidence);
  if (of_a.response.empty() || of_b.response.empty()) return;
  for (std::size_t p = 0; p < percentile_count; ++p)
    judge(add(percentiles[p].first), percentile_estimate(of_a, p, confidence),
          percentile_estimate(of_b, p, confidence));
}

void compare_sizes(Comparison& out, const json::object& a, const json::object& b) {
  for (const auto& [pattern, of_a] : object_in(a, "patterns")) {
    const json::object& in_b = object_in(object_in(b, "patterns"), pattern);
    for (const OperationKind kind : shown_order) {
      if (!is_in_mix(kind) || !of_a.is_object()) continue;
      const json::object& sizes_a =
          object_in(object_in(object_in(of_a.get_object(), "operations"), name(kind)), "sizes");
      const json::object& sizes_b = object_in(object_in(object_in(in_b, "operations"), name(kind)), "sizes");
      for (const auto& [label, size] : sizes_a) {
        if (!sizes_b.contains(label) || !size.is_object()) continue;
        const json::object& times_a = object_in(size.get_object(), "response_us");
        const json::object& times_b = object_in(object_in(sizes_b, label), "response_us");
        if (number_in(times_a, "max") == 0 || number_in(times_b, "max") == 0) continue;
        out.sizes.push_back({pattern, kind, label, number_in(times_a, "p50"), number_in(times_b, "p50"),
                             number_in(times_a, "p99"), number_in(times_b, "p99")});
      }
    }
  }
}

// The labels of the sizes that an operation of any pattern had.
std::string sizes_text(const RunReader& reader) {
  std::set<std::string> labels;
  if (reader.summary() == nullptr) return {};
  for (const auto& [pattern, of] : object_in(*reader.summary(), "patterns")) {
    if (!of.is_object()) continue;
    for (const auto& [operation, figures] : object_in(of.get_object(), "operations")) {
      if (!figures.is_object()) continue;
      for (const auto& [label, size] : object_in(figures.get_object(), "sizes")) labels.insert(label);
    }
  }
  return fmt::format("{}", fmt::join(labels, ","));
}

std::string loop_text(const RunReader& reader) {
  if (reader.summary() == nullptr) return {};
  for (const auto& [pattern, of] : object_in(*reader.summary(), "patterns")) {
    if (of.is_object() && of.get_object().contains("arrivals")) return "open";
  }
  return "closed";
}

// What a pattern's file says, by the place in it: "mix.GET" is 70.
using Places = std::map<std::string, std::string>;

void add_places(Places& out, const std::string& at, const json::value& value) {
  if (!value.is_object()) {
    out[at] = value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    return;
  }
  for (const auto& [name, inner] : value.get_object())
    add_places(out, at.empty() ? std::string(name) : fmt::format("{}.{}", at, std::string_view(name)), inner);
}

// Without what a flag of both runs put in its place, which is compared by itself.
Places places_of(const json::object& definition, const json::object& settings) {
  constexpr std::pair<std::string_view, std::string_view> flags[] = {
      {"size", "sizes"}, {"rate", "arrivals"}, {"concurrency", "clients"}};
  Places out;
  add_places(out, {}, definition);
  for (const auto& [flag, section] : flags) {
    if (!settings.contains(flag)) continue;
    std::erase_if(out, [&](const auto& place) {
      return place.first == section || place.first.starts_with(std::string(section) + ".");
    });
  }
  return out;
}

// Patterns of one name that do not say the same, where both runs tell what theirs say.
template <class Differ>
void compare_definitions(const json::object& a, const json::object& b, const Differ& differ) {
  const json::object& of_b = object_in(b, "definitions");
  for (const auto& [pattern, definition] : object_in(a, "definitions")) {
    if (!of_b.contains(pattern) || !definition.is_object()) continue;
    Places in_a = places_of(definition.get_object(), object_in(a, "settings"));
    Places in_b = places_of(object_in(of_b, pattern), object_in(b, "settings"));
    std::set<std::string> all;
    for (const Places* places : {&in_a, &in_b}) {
      for (const auto& [place, value] : *places) all.insert(place);
    }
    for (const std::string& place : all)
      differ(fmt::format("{} of {}", place, std::string_view(pattern)), in_a[place], in_b[place]);
  }
}

}  // namespace

std::vector<std::string> incomparable(const RunReader& a, const RunReader& b) {
  std::vector<std::string> differences;
  const auto differ = [&](std::string_view what, const std::string& of_a, const std::string& of_b) {
    if (of_a == of_b) return;
    const auto shown = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
    differences.push_back(fmt::format("{}: {} and {}", what, shown(of_a), shown(of_b)));
  };
  for (const char* field : {"pattern", "backend"})
    differ(field, text_in(a.run(), field), text_in(b.run(), field));
  differ("time scale", fmt::format("{:g}", number_in(a.run(), "time_scale")),
         fmt::format("{:g}", number_in(b.run(), "time_scale")));
  differ("clients", fmt::format("{}", count_in(a.run(), "clients")),
         fmt::format("{}", count_in(b.run(), "clients")));
  // A run that did not end has told no sizes.
  if (a.summary() != nullptr && b.summary() != nullptr) {
    differ("sizes", sizes_text(a), sizes_text(b));
    differ("loop", loop_text(a), loop_text(b));
  }
  compare_definitions(a.run(), b.run(), differ);
  for (const char* setting :
       {"size", "rate", "arrival", "bandwidth", "content", "verify", "retries", "payload"}) {
    differ(fmt::format("--{}", setting), text_in(object_in(a.run(), "settings"), setting),
           text_in(object_in(b.run(), "settings"), setting));
  }
  return differences;
}

Result<Comparison> compare_runs(const RunToCompare& a, const RunToCompare& b) {
  const auto series_a = read_series(a.reader), series_b = read_series(b.reader);
  if (!series_a) return std::unexpected(series_a.error());
  if (!series_b) return std::unexpected(series_b.error());
  std::vector<OperationKey> both;
  for (const std::string& pattern : pattern_names(a.run.result.total, a.run.result.info.patterns)) {
    for (const OperationKind kind : shown_order) {
      const OperationKey key{pattern, kind};
      if (series_a->operations.contains(key) && series_b->operations.contains(key)) both.push_back(key);
    }
  }
  Comparison out;
  // Bonferroni: all of the intervals hold together with the confidence that was asked for.
  out.intervals = std::max<std::size_t>(1, both.size() * figures_of_an_operation);
  const double each = 1 - (1 - out.confidence) / static_cast<double>(out.intervals);
  for (const OperationKey& key : both) compare_operation(out, key, *series_a, *series_b, each);
  compare_sizes(out, summary_of(a.reader, a.run), summary_of(b.reader, b.run));
  out.arrivals = compared_arrivals(a.run.result, b.run.result);
  out.warnings = comparison_warnings(a.run.result, b.run.result, out.arrivals);
  return out;
}

}  // namespace s3lt
