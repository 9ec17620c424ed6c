#include "results/run_rebuild.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <set>
#include <sstream>
#include <tuple>

#include "results/certainty_json.h"
#include "results/endpoints_json.h"
#include "results/line_file.h"
#include "results/notes.h"
#include "results/proxy_json.h"
#include "results/sample_lines.h"
#include "results/slo_json.h"
#include "results/summary_json.h"
#include "results/whole_files.h"

namespace s3lt {
namespace json = boost::json;
namespace {

// An operation and, below it, a figure ("service") or the label of a size; empty: its response time.
using FigureKey = std::tuple<std::string, OperationKind, std::string>;
using Histograms = std::map<FigureKey, Histogram>;

FigureKey key_of(const HistogramTag& tag) {
  return {std::string(tag.pattern), tag.operation, std::string(tag.figure)};
}

RunInfo info_of(const json::object& run) {
  RunInfo info{.id = text_in(run, "id"),
               .version = text_in(run, "version"),
               .started = parse_rfc3339(text_in(run, "started")).time,
               .pattern = text_in(run, "pattern"),
               .worker = static_cast<unsigned>(count_in(run, "worker")),
               .backend = text_in(run, "backend"),
               .bucket = text_in(run, "bucket"),
               .prefix = text_in(run, "prefix"),
               .region = text_in(run, "region"),
               .writes = truth_in(run, "writes"),
               .tls_verify = truth_in(run, "tls_verify"),
               .seed = count_in(run, "seed"),
               .time_scale = number_in(run, "time_scale"),
               .threads = static_cast<unsigned>(count_in(run, "threads")),
               .clients = count_in(run, "clients"),
               .duration_seconds = number_in(run, "duration_seconds"),
               .warmup_seconds = number_in(run, "warmup_seconds")};
  if (const json::value* endpoints = run.if_contains("endpoints"); endpoints && endpoints->is_array()) {
    for (const json::value& url : endpoints->get_array()) {
      if (url.is_string()) info.endpoints.emplace_back(url.get_string());
    }
  }
  for (const auto& [pattern, value] : object_in(run, "schedules")) {
    if (!value.is_object()) continue;
    const json::object& s = value.get_object();
    info.patterns.emplace_back(pattern);
    const json::object& definition = object_in(object_in(run, "definitions"), pattern);
    info.definitions.push_back(definition.empty() ? "" : json::serialize(definition));
    info.schedules.push_back({.pattern = pattern,
                              .kind = text_in(s, "kind"),
                              .burst_seconds = number_in(s, "burst_seconds"),
                              .gap_seconds = number_in(s, "gap_seconds"),
                              .window_seconds = number_in(s, "window_seconds"),
                              .cycle_seconds = number_in(s, "cycle_seconds"),
                              .least_bursts = static_cast<unsigned>(count_in(s, "least_bursts")),
                              .most_bursts = static_cast<unsigned>(count_in(s, "most_bursts")),
                              .seed = count_in(s, "seed")});
  }
  for (const auto& [setting, text] : object_in(run, "settings")) {
    if (text.is_string()) info.settings.emplace_back(setting, text.get_string());
  }
  return info;
}

void set_exact(Histogram& histogram, const json::object& figures, std::string_view field) {
  const json::object& times = object_in(figures, field);
  histogram.set_exact(static_cast<std::int64_t>(number_in(times, "min")), number_in(times, "mean"),
                      static_cast<std::int64_t>(number_in(times, "max")));
}

Histogram take(Histograms& histograms, const std::string& pattern, OperationKind operation,
               std::string_view figure) {
  const auto found = histograms.find({pattern, operation, std::string(figure)});
  if (found == histograms.end()) return {};
  return std::move(histograms.extract(found).mapped());
}

constexpr std::pair<std::string_view, Histogram Cell::*> other_figures[] = {
    {"service", &Cell::service}, {"ttfb", &Cell::ttfb}, {"lag", &Cell::lag}, {"failed", &Cell::failed}};

// Counters of the operation that its sizes do not have stand in the cell without a size.
void subtract(Counters& from, const Counters& c) {
  for (std::uint64_t Counters::* counter :
       {&Counters::count, &Counters::bytes, &Counters::bytes_moved, &Counters::errors, &Counters::not_found,
        &Counters::cancelled, &Counters::attempts, &Counters::requests, &Counters::seeded, &Counters::behind,
        &Counters::late, &Counters::late_bytes})
    from.*counter -= std::min(from.*counter, c.*counter);
  for (std::size_t i = 0; i < outcomes; ++i) {
    from.outcomes[i] -= std::min(from.outcomes[i], c.outcomes[i]);
    from.failed_with[i] -= std::min(from.failed_with[i], c.failed_with[i]);
  }
  for (const auto& [code, n] : c.status) {
    for (auto& [known, left] : from.status) {
      if (known == code) left -= std::min(left, n);
    }
  }
  std::erase_if(from.status, [](const auto& status) { return status.second == 0; });
}

void fill_operation(Snapshot& total, Histograms& histograms, const std::string& pattern,
                    OperationKind operation, const json::object& figures) {
  Cell rest;
  rest.counters = counters_of(figures);
  bool sized = false;
  for (const auto& [label, value] : object_in(figures, "sizes")) {
    if (!value.is_object()) continue;
    Cell& cell = total.cells[{pattern, operation, std::string(label)}];
    cell.counters = counters_of(value.get_object());
    cell.response = take(histograms, pattern, operation, label);
    set_exact(cell.response, value.get_object(), "response_us");
    sized = sized || !cell.response.empty();
    subtract(rest.counters, cell.counters);
  }
  if (!sized) rest.response = take(histograms, pattern, operation, "");
  set_exact(rest.response, figures, "response_us");
  for (const auto& [figure, histogram] : other_figures) {
    rest.*histogram = take(histograms, pattern, operation, figure);
    set_exact(rest.*histogram, figures, std::string(figure) + "_us");
  }
  total.cells[{pattern, operation, ""}] = std::move(rest);
}

void fill_verified(Snapshot& total, const std::string& pattern, const json::object& verified) {
  if (count_in(verified, "checked") == 0) return;
  Counters& counters = total.cells[{pattern, OperationKind::get, ""}].counters;
  counters.checked = count_in(verified, "checked");
  const json::object& kinds = object_in(verified, "kinds");
  for (std::size_t i = 0; i < corruptions; ++i) counters.corrupt[i] = count_in(kinds, corruption_names[i]);
}

Certainty certainty_of(const json::object& summary) {
  Certainty certainty;
  for (const auto& [pattern, value] : object_in(summary, "patterns")) {
    if (!value.is_object()) continue;
    const std::string name = pattern;
    const json::object& object = value.get_object();
    if (object.contains("steady")) certainty.patterns[name] = steadiness_of(object_in(object, "steady"));
    for (std::size_t k = 0; k < operation_kinds; ++k) {
      const json::object& figures = object_in(object_in(object, "operations"), operation_names[k]);
      if (figures.contains("intervals"))
        certainty.operations[{name, static_cast<OperationKind>(k)}] =
            intervals_of(object_in(figures, "intervals"));
    }
  }
  return certainty;
}

// Of a run that ended: counters from its summary, distributions from the log.
Snapshot total_of(const json::object& summary, Histograms histograms) {
  Snapshot total;
  for (const auto& [pattern, value] : object_in(summary, "patterns")) {
    if (!value.is_object()) continue;
    const std::string name = pattern;
    const json::object& object = value.get_object();
    for (std::size_t k = 0; k < operation_kinds; ++k) {
      const json::object& figures = object_in(object_in(object, "operations"), operation_names[k]);
      if (!figures.empty()) fill_operation(total, histograms, name, static_cast<OperationKind>(k), figures);
    }
    fill_verified(total, name, object_in(object, "verified"));
    read_totals(total, name, object);
  }
  return total;
}

// A distribution of `count` samples of which the summary tells percentiles only: as many of each as lie below
// it and above the one before.
Histogram from_percentiles(const json::object& times, std::uint64_t count) {
  constexpr std::pair<const char*, double> parts[] = {{"p50", 0.5},  {"p90", 0.9},    {"p95", 0.95},
                                                      {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
  Histogram histogram;
  if (number_in(times, "max") == 0) return histogram;
  std::uint64_t below = 0;
  for (const auto& [field, share] : parts) {
    const auto rank = static_cast<std::uint64_t>(std::llround(share * static_cast<double>(count)));
    histogram.record(static_cast<std::int64_t>(number_in(times, field)), rank - below);
    below = rank;
  }
  return histogram;
}

// Of the response times: some lines are of one size.
OperationCounts counts_of(const Histograms& histograms) {
  OperationCounts counts;
  for (const auto& [key, histogram] : histograms) {
    const auto& [pattern, operation, figure] = key;
    if (figure.empty()) counts[{pattern, operation}] += histogram.count();
  }
  return counts;
}

// The fields without which a summary tells nothing; empty: they are there.
std::string_view missing_in(const json::object& summary) {
  for (const char* part : {"run", "verdict", "client", "patterns"}) {
    const json::value* value = summary.if_contains(part);
    if (value == nullptr || !value->is_object()) return part;
  }
  const json::value* length = object_in(summary, "run").if_contains("seconds");
  return length != nullptr && length->is_number() ? "" : "run.seconds";
}

Result<RebuiltRun> rebuild_ended(const RunReader& reader) {
  const json::object& summary = *reader.summary();
  if (const std::string_view field = missing_in(summary); !field.empty()) {
    return usage_error(fmt::format("{}: it has no {}; it was changed or damaged after the run wrote it",
                                   (reader.path() / "summary.json").string(), field));
  }
  Histograms totals;
  Snapshot endpoints;
  const auto read = reader.for_each_histogram(
      [](const HistogramTag& tag) { return tag.scope == HistogramTag::Scope::total; },
      [&](const RecordedHistogram& line) {
        if (!line.tag.endpoint.empty()) return add_endpoint_times(endpoints, line);
        totals[key_of(line.tag)].add(line.histogram);
      });
  if (!read) return std::unexpected(read.error());
  if (const auto whole = check_histograms_whole(reader, counts_of(totals)); !whole)
    return std::unexpected(whole.error());
  add_endpoints(endpoints, summary.if_contains("endpoints"));
  RebuiltRun run;
  run.result.info = info_of(reader.run());
  if (run.result.info.patterns.empty()) {  // of an older version
    for (const auto& [pattern, figures] : object_in(summary, "patterns"))
      run.result.info.patterns.emplace_back(pattern);
  }
  const json::object& of = object_in(summary, "run");
  const json::object& client = object_in(summary, "client");
  const json::object& verdict = object_in(summary, "verdict");
  run.result.seconds = number_in(of, "seconds");
  run.result.interrupted = truth_in(of, "interrupted");
  run.result.total = total_of(summary, std::move(totals));
  run.result.total.endpoints = std::move(endpoints.endpoints);
  run.result.total.suspicions = std::move(endpoints.suspicions);
  run.result.total.address_suspicions = std::move(endpoints.address_suspicions);
  run.result.silent = silent_in(summary.if_contains("endpoints"));
  run.result.total.to = seconds(run.result.seconds);
  run.result.total.client = {.cpu_seconds = number_in(client, "cpu_seconds"),
                             .connections = count_in(client, "connections"),
                             .reconnects = count_in(client, "reconnects"),
                             .idle_closed = count_in(client, "idle_closed"),
                             .run_queue_seconds = number_in(client, "run_queue_seconds")};
  constexpr std::uint64_t enough = 10'000;  // for 99.9%
  run.result.total.client.use.loop_lag = from_percentiles(object_in(client, "loop_lag_us"), enough);
  const json::object& tls = object_in(client, "tls");
  run.result.total.client.handshakes =
      from_percentiles(object_in(tls, "handshake_us"), count_in(tls, "handshakes"));
  run.result.total.client.resumed_handshakes = count_in(tls, "resumed");
  run.result.max_rss_bytes = number_in(client, "max_rss_bytes");
  run.result.busiest_thread = number_in(client, "busiest_thread");
  run.result.proxy = proxy_in(summary);
  run.result.bottleneck = text_in(verdict, "bottleneck");
  run.result.why = text_in(verdict, "why");
  run.result.passed = truth_in(verdict, "passed");
  run.result.slos = slos_in(verdict);
  run.result.ended_early = text_in(verdict, "ended_early");
  run.result.certainty = certainty_of(summary);
  if (const json::value* notes = summary.if_contains("notes"); notes && notes->is_array()) {
    for (const json::value& note : notes->get_array()) {
      if (note.is_string()) run.result.notes.emplace_back(note.get_string());
    }
  }
  const auto samples = reader.errors(0);
  if (!samples) return std::unexpected(samples.error());
  for (const json::value& line : *samples)
    run.result.total.slowest.push_back(slowest_sample(line.get_object()));
  return run;
}

// What was promised, as far as it is known: run.json has the expressions, separated by commas.
std::vector<SloResult> slos_until_now(const RunReader& reader, const RunResult& result) {
  std::vector<SloResult> out;
  std::istringstream list(text_in(object_in(reader.run(), "settings"), "slo"));
  for (std::string text; std::getline(list, text, ',');) {
    const auto slo = parse_slo(text);
    if (!slo) continue;  // of another version
    out.push_back(judge_slos({&*slo, 1}, result.total, result.seconds).front());
    if (!slo->of.size.empty()) out.back().why = "the run has not ended, and sizes are told at the end only";
  }
  return out;
}

// Of a run that did not end: what its seconds add up to, without the warm-up.
Result<RebuiltRun> rebuild_unfinished(const RunReader& reader) {
  RebuiltRun run{.result = {}, .ended = false};
  run.result.info = info_of(reader.run());
  Duration warmup{};
  Snapshot before;  // the warm-up
  double length = 0;
  auto read = reader.for_each_interval([&](const RecordedInterval& interval) {
    if (interval.warmup) {
      warmup = interval.figures.to;
      before.append(interval.figures);
      return;
    }
    length += std::max(0.0, to_seconds(interval.figures.loaded()));
    run.result.total.append(interval.figures);
  });
  if (!read) return std::unexpected(read.error());
  run.result.total.leave_out_arrivals(before);
  // A series that was cut off between its two files may lack the last second that the other one has.
  const Duration until = reader.recorded_until() + std::chrono::milliseconds(500);
  Histograms histograms;
  read = reader.for_each_histogram(
      [](const HistogramTag& tag) { return tag.scope != HistogramTag::Scope::total; },
      [&](const RecordedHistogram& line) {
        if (line.to > until || line.from < warmup - std::chrono::milliseconds(500)) return;
        if (!line.tag.endpoint.empty()) return add_endpoint_times(run.result.total, line);
        histograms[key_of(line.tag)].add(line.histogram);
      });
  if (!read) return std::unexpected(read.error());
  for (auto& [key, cell] : run.result.total.cells) {
    cell.response = take(histograms, key.pattern, key.operation, "");
    for (const auto& [figure, histogram] : other_figures)
      cell.*histogram = take(histograms, key.pattern, key.operation, figure);
  }
  run.result.seconds = length;
  run.goes_on = is_being_written(reader.path() / "series.jsonl");
  run.result.why = run.goes_on ? "the run is still going" : "the run did not end, so it was not judged";
  run.result.notes = notes_on_endpoints(run.result.total);
  run.result.slos = slos_until_now(reader, run.result);
  run.result.passed = false;
  return run;
}

}  // namespace

Result<RebuiltRun> rebuild_run(const RunReader& reader) {
  return reader.summary() != nullptr ? rebuild_ended(reader) : rebuild_unfinished(reader);
}

json::object summary_of(const RunReader& reader, const RebuiltRun& rebuilt) {
  if (reader.summary() != nullptr) return *reader.summary();
  json::object summary = json::parse(summary_json(rebuilt.result)).get_object();
  summary["unfinished"] = true;
  // The series has no more of it.
  json::object client;
  for (const char* field :
       {"threads", "cpu_seconds", "operations_per_cpu_second", "connections", "reconnects", "idle_closed"})
    client[field] = object_in(summary, "client").at(field);
  summary["client"] = std::move(client);
  return summary;
}

}  // namespace s3lt
