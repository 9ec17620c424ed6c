#include "results/interval_lines.h"

#include <fmt/format.h>

#include <utility>

#include "results/figures.h"
#include "results/summary_json.h"

namespace s3lt {
namespace {

void add_line(std::string& lines, std::string_view tag, const Snapshot& interval,
              const Histogram& histogram) {
  if (histogram.empty()) return;
  lines += fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag, to_seconds(interval.from),
                       to_seconds(interval.to - interval.from), static_cast<double>(histogram.max()) / 1000,
                       histogram.encode_compressed_base64());
}

// All but the response time of all sizes together.
void add_rest(std::string& lines, const std::string& tag, const Snapshot& interval,
              const OperationFigures& of) {
  add_line(lines, tag + ".service", interval, of.all.service);
  add_line(lines, tag + ".ttfb", interval, of.all.ttfb);
  add_line(lines, tag + ".lag", interval, of.all.lag);
  add_line(lines, tag + ".failed", interval, of.all.failed);
  for (const auto& [label, cell] : of.sizes) add_line(lines, tag + "." + label, interval, cell.response);
}

template <typename Visit>
void for_each_operation(const Snapshot& interval, Visit visit) {
  for (const std::string& pattern : pattern_names(interval)) {
    for (const OperationFigures& of : operation_figures(interval, pattern))
      visit(fmt::format("{}.{}", pattern, name(of.operation)), of);
  }
}

// So that nobody adds them to what was measured.
std::string_view mark(const Snapshot& interval) {
  return interval.warmup ? "warmup." : "";
}

// "endpoints.http://node3:8080.GET": nobody's operation ends in a colon, so that no pattern is mistaken for
// it.
void add_endpoints(std::string& lines, std::string_view scope, const Snapshot& interval) {
  for (const auto& [key, cell] : interval.endpoints) {
    add_line(lines, fmt::format("{}.endpoints.{}.{}", scope, key.url, name(key.operation)), interval,
             cell.service.fine());
  }
}

// One endpoint alone has the figures of its operations.
bool tells_endpoints(const Snapshot& minute) {
  return !minute.endpoints.empty() &&
         minute.endpoints.begin()->first.url != minute.endpoints.rbegin()->first.url;
}

// One interval of the series: a second, or later a minute. `minute` ends with it: what endpoints did in it.
void add_interval(IntervalText& text, const Snapshot& interval, const Snapshot* minute) {
  text.series +=
      series_line(interval, minute != nullptr && tells_endpoints(*minute) ? minute : nullptr) + "\n";
  for_each_operation(interval, [&](const std::string& tag, const OperationFigures& of) {
    add_line(text.histograms, fmt::format("{}{}", mark(interval), tag), interval, of.all.response);
  });
}

}  // namespace

IntervalText IntervalLines::add(const Snapshot& second) {
  IntervalText text;
  if (minute_.warmup != second.warmup) text = finish();
  if (minute_.from == minute_.to) by_minutes_ = second.from >= seconds_until;
  minute_.append(second);
  minute_.warmup = second.warmup;
  minute_.errors.clear();  // told elsewhere
  const auto minute_of = [](Duration t) { return std::chrono::floor<std::chrono::minutes>(t); };
  const bool over = minute_of(second.to) != minute_of(second.from);
  if (!by_minutes_) add_interval(text, second, over ? &minute_ : nullptr);
  if (!over) return text;
  const auto hour_of = [](Duration t) { return std::chrono::floor<std::chrono::hours>(t); };
  IntervalText rest = end_minute(!by_minutes_ || hour_of(second.to) != hour_of(minute_.from));
  text.series += rest.series;
  text.histograms += rest.histograms;
  return text;
}

IntervalText IntervalLines::finish() {
  return end_minute(true);
}

IntervalText IntervalLines::end_minute(bool with_endpoints) {
  const Snapshot minute = std::exchange(minute_, {});
  IntervalText text;
  // An hour of endpoints that ends with the last whole minute of a run is in its totals.
  if (minute.from == minute.to) return text;
  if (endpoints_.from == endpoints_.to) endpoints_.from = minute.from;
  endpoints_.to = minute.to;
  endpoints_.warmup = minute.warmup;
  for (const auto& [key, cell] : minute.endpoints) endpoints_.endpoints[key].add(cell);
  if (by_minutes_) add_interval(text, minute, with_endpoints ? &endpoints_ : nullptr);
  for_each_operation(minute, [&](const std::string& tag, const OperationFigures& of) {
    add_rest(text.histograms, fmt::format("{}minute.{}", mark(minute), tag), minute, of);
  });
  if (!with_endpoints) return text;
  const Snapshot told = std::exchange(endpoints_, {});
  if (tells_endpoints(told)) add_endpoints(text.histograms, fmt::format("{}minute", mark(told)), told);
  return text;
}

std::string total_histogram_lines(const Snapshot& total) {
  std::string lines;
  for_each_operation(total, [&](const std::string& tag, const OperationFigures& of) {
    add_line(lines, "total." + tag, total, of.all.response);
    add_rest(lines, "total." + tag, total, of);
  });
  add_endpoints(lines, "total", total);
  return lines;
}

}  // namespace s3lt
