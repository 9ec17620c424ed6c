#include "report/report_data.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <tuple>

#include "report/closing_sentence.h"
#include "results/figures.h"
#include "results/whole_files.h"

namespace s3lt {
namespace json = boost::json;
namespace {

constexpr std::size_t most_bins = 600, most_columns = 150;
constexpr std::size_t most_errors = 200;
constexpr std::size_t most_spans = 1000;  // of a pattern: beyond that they are too narrow to be seen
// A row of the heat map is a sixteenth of a decade: 15% of latency.
constexpr double rows_a_decade = 16;
// Points of a percentile curve for each halving of what lies above.
constexpr int points_a_halving = 4;

// How time is cut: bins for the lines, columns of several bins for the heat maps.
struct Bins {
  double width = 1;  // seconds
  std::size_t count = 0, a_column = 1;

  explicit Bins(double length) {
    width = std::max(1.0, std::ceil(length / static_cast<double>(most_bins)));
    // After a day there is a line a minute only.
    if (width > 60) width = std::ceil(width / 60) * 60;
    // Of a rest of less than half a bin no rate can be told: it goes with the bin before.
    count = static_cast<std::size_t>(std::floor(length / width + 0.5));
    if (count == 0 && length > 0) count = 1;
    a_column = (count + most_columns - 1) / most_columns;
    if (a_column == 0) a_column = 1;
  }
  // The bin of an interval: the one in which its middle lies, since seconds begin a little late.
  std::size_t of(Duration from, Duration to) const {
    const double middle = (to_seconds(from) + std::min(to_seconds(to), to_seconds(from) + width)) / 2;
    return std::min(count - 1, static_cast<std::size_t>(std::max(0.0, middle) / width));
  }
};

// 3 digits are what the histograms have, and what people read.
double rounded(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(value))) - 2);
  return unit >= 1 ? std::round(value / unit) * unit : std::round(value * 1000) / 1000;
}
std::int64_t rounded_micros(std::int64_t micros) {
  return static_cast<std::int64_t>(rounded(static_cast<double>(micros)));
}

using OperationKey = std::pair<std::string, OperationKind>;

// The course of one operation of one pattern.
struct Course {
  std::vector<std::uint64_t> count, bytes;
  std::map<std::size_t, std::vector<std::uint64_t>> failures;  // attempts, by outcome
  std::vector<std::int64_t> p50, p95, p99, max;
  std::vector<std::map<int, std::uint64_t>> heat;  // a column: row to count

  void resize(const Bins& bins) {
    for (auto* list : {&count, &bytes}) list->resize(bins.count);
    for (auto* list : {&p50, &p95, &p99, &max}) list->resize(bins.count);
    heat.resize((bins.count + bins.a_column - 1) / bins.a_column);
  }
};

struct Courses {
  Bins bins;
  std::map<OperationKey, Course> operations;
  std::vector<double> covered, cpu;  // seconds of each bin
  std::vector<double> busy,
      stolen;  // of its seconds: those of the busiest thread; those lost to a hypervisor
  std::vector<std::int64_t> loop_lag;  // the longest, in microseconds
  std::vector<std::uint64_t> connections, reconnects;
  OperationCounts ended;  // of what was measured
  double warmup = 0;
  double stopped = 0;  // when the load was; 0: never

  explicit Courses(double length)
      : bins(length),
        covered(bins.count),
        cpu(bins.count),
        busy(bins.count),
        stolen(bins.count),
        loop_lag(bins.count),
        connections(bins.count),
        reconnects(bins.count) {}
  Course& of(const std::string& pattern, OperationKind operation) {
    const auto [at, is_new] = operations.try_emplace({pattern, operation});
    if (is_new) at->second.resize(bins);
    return at->second;
  }
};

void add_interval(Courses& courses, const RecordedInterval& interval) {
  const Snapshot& figures = interval.figures;
  const std::size_t bin = courses.bins.of(figures.from, figures.to);
  courses.covered[bin] += to_seconds(figures.to - figures.from);
  courses.cpu[bin] += figures.client.cpu_seconds;
  courses.connections[bin] += figures.client.connections;
  courses.reconnects[bin] += figures.client.reconnects;
  const double length = to_seconds(figures.to - figures.from);
  const json::object& client = object_in(*interval.line, "client");
  courses.busy[bin] += length * number_in(client, "busy");
  courses.stolen[bin] += length * number_in(client, "steal");
  courses.loop_lag[bin] = std::max(
      courses.loop_lag[bin], static_cast<std::int64_t>(number_in(object_in(client, "loop_lag_us"), "max")));
  if (interval.warmup) courses.warmup = std::max(courses.warmup, to_seconds(figures.to));
  if (courses.stopped == 0 && figures.grace > Duration::zero())
    courses.stopped = to_seconds(figures.to - figures.grace);
  for (const auto& [key, cell] : figures.cells) {
    Course& course = courses.of(key.pattern, key.operation);
    course.count[bin] += cell.counters.count;
    course.bytes[bin] += cell.counters.bytes_moved;
    if (!interval.warmup) courses.ended[{key.pattern, key.operation}] += cell.counters.count;
    for (std::size_t i = 0; i < outcomes; ++i) {
      if (cell.counters.outcomes[i] == 0 || !is_error(static_cast<Outcome>(i))) continue;
      auto& failures = course.failures[i];
      failures.resize(courses.bins.count);
      failures[bin] += cell.counters.outcomes[i];
    }
  }
}

int row_of(std::int64_t micros) {
  return static_cast<int>(
      std::floor(std::log10(static_cast<double>(std::max<std::int64_t>(1, micros))) * rows_a_decade));
}

// Ends a bin: its percentiles, and what it adds to its column of the heat map.
void settle(Course& course, const Bins& bins, std::size_t bin, Histogram& histogram) {
  if (histogram.empty()) return;
  course.p50[bin] = rounded_micros(histogram.percentile(50));
  course.p95[bin] = rounded_micros(histogram.percentile(95));
  course.p99[bin] = rounded_micros(histogram.percentile(99));
  course.max[bin] = rounded_micros(histogram.max());
  auto& column = course.heat[bin / bins.a_column];
  const int last = Histogram::index_of(histogram.max());
  for (int index = Histogram::index_of(histogram.min()); index <= last; ++index) {
    if (const std::uint64_t n = histogram.count_at(index); n != 0)
      column[row_of(Histogram::lowest_equivalent(index))] += n;
  }
  histogram.clear();
}

Result<void> read_latencies(const RunReader& reader, Courses& courses) {
  // Lines come in the order of time, so that only one bin of each operation is open.
  struct Open {
    std::size_t bin = 0;
    Histogram histogram;
  };
  std::map<OperationKey, Open> open;
  const auto read = reader.for_each_histogram(
      [](const HistogramTag& tag) {
        return tag.scope == HistogramTag::Scope::interval && tag.figure.empty();
      },
      [&](const RecordedHistogram& line) {
        const OperationKey key{std::string(line.tag.pattern), line.tag.operation};
        const std::size_t bin = courses.bins.of(line.from, line.to);
        Open& current = open[key];
        if (current.bin != bin)
          settle(courses.of(key.first, key.second), courses.bins, current.bin, current.histogram);
        current.bin = bin;
        current.histogram.add(line.histogram);
      });
  for (auto& [key, current] : open)
    settle(courses.of(key.first, key.second), courses.bins, current.bin, current.histogram);
  return read;
}

// Points (how many in one lie above, microseconds) of the usual logarithmic percentile axis.
json::array curve(const Histogram& histogram) {
  json::array points;
  if (histogram.empty()) return points;
  const auto count = static_cast<double>(histogram.count());
  double last = 0;
  for (int i = 0;; ++i) {
    const double above = std::min(count, std::pow(2, static_cast<double>(i) / points_a_halving));
    points.push_back({rounded(above), rounded_micros(histogram.percentile(100 * (1 - 1 / above)))});
    if (above == count || above == last) break;
    last = above;
  }
  points.push_back({rounded(count * 2), rounded_micros(histogram.max())});  // p100 stands one halving on
  return points;
}

json::object curves_of(const OperationFigures& of) {
  json::object curves{{"response", curve(of.all.response)}, {"service", curve(of.all.service)}};
  json::object sizes;
  if (of.sizes.size() > 1) {
    for (const auto& [label, cell] : of.sizes) {
      if (!cell.response.empty()) sizes[label] = curve(cell.response);
    }
  }
  curves["sizes"] = std::move(sizes);
  return curves;
}

template <class T>
json::array list_of(const std::vector<T>& values) {
  json::array out;
  out.reserve(values.size());
  for (const T value : values) out.emplace_back(value);
  return out;
}

json::object course_object(const Course& course) {
  json::object failures;
  for (const auto& [outcome, counts] : course.failures) failures[outcome_names[outcome]] = list_of(counts);
  json::array heat;
  for (const auto& column : course.heat) {
    json::array cells;
    for (const auto& [row, n] : column) {
      cells.emplace_back(row);
      cells.emplace_back(n);
    }
    heat.emplace_back(std::move(cells));
  }
  return {{"count", list_of(course.count)},  {"bytes", list_of(course.bytes)},
          {"failures", std::move(failures)}, {"p50", list_of(course.p50)},
          {"p95", list_of(course.p95)},      {"p99", list_of(course.p99)},
          {"max", list_of(course.max)},      {"heat", std::move(heat)}};
}

json::array spans_of(const PhaseSpans& phases, const std::string& pattern) {
  json::array out;
  const auto found = phases.find(pattern);
  if (found == phases.end() || found->second.size() > most_spans) return out;
  for (const PhaseSpan& span : found->second) {
    out.push_back({std::round(span.from * 1000) / 1000, std::round(span.to * 1000) / 1000, span.kind});
  }
  return out;
}

json::array patterns_array(const RebuiltRun& run, Courses& courses, const PhaseSpans& phases) {
  json::array out;
  for (const std::string& pattern : pattern_names(run.result.total, run.result.info.patterns)) {
    json::array operations;
    for (const OperationFigures& of : operation_figures(run.result.total, pattern)) {
      if (of.all.counters.empty()) continue;
      json::object object{{"name", name(of.operation)}};
      object["course"] = course_object(courses.of(pattern, of.operation));
      object["curves"] = curves_of(of);
      operations.emplace_back(std::move(object));
    }
    out.push_back(json::object{
        {"name", pattern}, {"operations", std::move(operations)}, {"phases", spans_of(phases, pattern)}});
  }
  return out;
}

json::array rounded_list(const std::vector<double>& values) {
  json::array out;
  for (const double value : values) out.emplace_back(std::round(value * 1000) / 1000);
  return out;
}

}  // namespace

Result<json::object> report_data(const RunReader& reader, const RebuiltRun& run, const PhaseSpans& phases) {
  Courses courses(to_seconds(reader.recorded_until()));
  if (courses.bins.count == 0) {
    if (const auto read = reader.for_each_interval([](const RecordedInterval&) {}); !read)
      return std::unexpected(read.error());
  } else {
    const auto read =
        reader.for_each_interval([&](const RecordedInterval& interval) { add_interval(courses, interval); });
    if (!read) return std::unexpected(read.error());
    if (const auto latencies = read_latencies(reader, courses); !latencies)
      return std::unexpected(latencies.error());
  }
  if (const auto whole = check_series_whole(reader, courses.ended); !whole)
    return std::unexpected(whole.error());
  auto errors = reader.errors(most_errors);
  if (!errors) return std::unexpected(errors.error());
  json::object data;
  data["summary"] = summary_of(reader, run);
  data["run"] = reader.run();
  data["sentence"] = closing_sentence(run.result);
  data["ended"] = run.ended;
  data["goes_on"] = run.goes_on;
  data["bin_seconds"] = courses.bins.width;
  data["bins_a_column"] = courses.bins.a_column;
  data["rows_a_decade"] = rows_a_decade;
  data["warmup_seconds"] = courses.warmup;
  data["stopped_seconds"] = courses.stopped;
  data["covered"] = rounded_list(courses.covered);
  data["client"] = {{"cpu", rounded_list(courses.cpu)},
                    {"busy", rounded_list(courses.busy)},
                    {"stolen", rounded_list(courses.stolen)},
                    {"loop_lag", list_of(courses.loop_lag)},
                    {"connections", list_of(courses.connections)},
                    {"reconnects", list_of(courses.reconnects)}};
  data["patterns"] = patterns_array(run, courses, phases);
  data["errors"] = std::move(*errors);
  return data;
}

}  // namespace s3lt
