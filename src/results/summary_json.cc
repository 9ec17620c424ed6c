#include "results/summary_json.h"

#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <thread>

#include "results/certainty_json.h"
#include "results/endpoints_json.h"
#include "results/figures.h"
#include "results/json_text.h"
#include "results/proxy_json.h"
#include "results/slo_json.h"
#include "results/verdict.h"

namespace s3lt {
namespace {

namespace json = boost::json;

enum class Detail {
  summary,  // every field, also where it is zero
  series,   // no sizes and no empty histograms: a line a second, for days
};

json::object times(const Histogram& histogram) {
  return {{"min", histogram.min()},
          {"mean", std::round(histogram.mean() * 10) / 10},
          {"p50", histogram.percentile(50)},
          {"p90", histogram.percentile(90)},
          {"p95", histogram.percentile(95)},
          {"p99", histogram.percentile(99)},
          {"p999", histogram.percentile(99.9)},
          {"max", histogram.max()}};
}

json::object figures(const Cell& cell, Detail detail) {
  const Counters& c = cell.counters;
  json::object by_outcome, failed_with, by_status;
  for (std::size_t i = 0; i < outcomes; ++i) {
    if (c.outcomes[i] != 0) by_outcome[outcome_names[i]] = c.outcomes[i];
    if (c.failed_with[i] != 0) failed_with[outcome_names[i]] = c.failed_with[i];
  }
  const std::map<int, std::uint64_t> sorted(c.status.begin(), c.status.end());
  for (const auto& [status, n] : sorted) by_status[std::to_string(status)] = n;

  json::object out{{"count", c.count},       {"bytes", c.bytes},         {"bytes_moved", c.bytes_moved},
                   {"errors", c.errors},     {"not_found", c.not_found}, {"cancelled", c.cancelled},
                   {"attempts", c.attempts}, {"requests", c.requests},   {"seeded", c.seeded},
                   {"behind", c.behind},     {"outcomes", by_outcome},   {"status", by_status}};
  if (detail == Detail::summary || c.late + c.late_bytes != 0) {
    out["late"] = c.late;
    out["late_bytes"] = c.late_bytes;
  }
  if (c.errors > 0) out["failed_with"] = std::move(failed_with);
  const std::pair<const char*, const Histogram*> histograms[] = {{"response_us", &cell.response},
                                                                 {"service_us", &cell.service},
                                                                 {"ttfb_us", &cell.ttfb},
                                                                 {"lag_us", &cell.lag},
                                                                 {"failed_us", &cell.failed}};
  for (const auto& [title, histogram] : histograms) {
    if (detail == Detail::summary || !histogram->empty()) out[title] = times(*histogram);
  }
  return out;
}

json::object verified_object(const Snapshot& snapshot, const std::string& pattern) {
  const PatternFigures sum = pattern_figures(snapshot, pattern);
  json::object kinds;
  for (std::size_t i = 0; i < corruptions; ++i) {
    if (sum.corrupt[i] != 0) kinds[corruption_names[i]] = sum.corrupt[i];
  }
  return {{"checked", sum.checked}, {"corrupt", sum.all_corrupt()}, {"kinds", std::move(kinds)}};
}

void add_rates(json::object& figures, const Counters& counters, double seconds) {
  const auto per_second = [&](std::uint64_t n) { return seconds > 0 ? static_cast<double>(n) / seconds : 0; };
  figures["rate"] = per_second(counters.in_time());
  figures["throughput"] = per_second(counters.bytes_in_time());
}

// `certainty` is null in a series, and its rates are not told.
json::object pattern_object(const Snapshot& snapshot, const std::string& pattern, Detail detail,
                            const Certainty* certainty, double seconds) {
  json::object operations;
  for (const OperationFigures& of : operation_figures(snapshot, pattern)) {
    json::object object = figures(of.all, detail);
    if (detail == Detail::summary) {
      add_rates(object, of.all.counters, seconds);
      json::object sizes;
      for (const auto& [label, cell] : of.sizes) {
        json::object size = figures(cell, detail);
        add_rates(size, cell.counters, seconds);
        sizes[label] = std::move(size);
      }
      object["sizes"] = std::move(sizes);
      const auto sure = certainty->operations.find({pattern, of.operation});
      if (sure != certainty->operations.end()) object["intervals"] = intervals_object(sure->second);
    }
    operations[name(of.operation)] = std::move(object);
  }
  const auto known = snapshot.keys.find(pattern);
  const KeyCounters keys = known != snapshot.keys.end() ? known->second : KeyCounters{};
  json::object out{{"operations", std::move(operations)},
                   {"keys",
                    {{"written", keys.written},
                     {"deleted", keys.deleted},
                     {"trimmed", keys.trimmed},
                     {"alive", keys.alive},
                     {"unknown", keys.unknown},
                     {"refused", keys.refused},
                     {"foreign", keys.foreign},
                     {"unaborted", keys.unaborted},
                     {"no_key", keys.no_key}}}};
  if (const auto open = snapshot.arrivals.find(pattern); open != snapshot.arrivals.end()) {
    const ArrivalCounters& a = open->second;
    out["arrivals"] = {{"intended", a.intended}, {"not_sent", a.not_sent}, {"waiting", a.waiting}};
  }
  if (detail == Detail::series) return out;
  out["verified"] = verified_object(snapshot, pattern);
  if (const auto steady = certainty->patterns.find(pattern); steady != certainty->patterns.end())
    out["steady"] = steady_object(steady->second);
  return out;
}

json::object patterns_object(const Snapshot& snapshot, Detail detail, const Certainty* certainty = nullptr,
                             double seconds = 0, std::span<const std::string> order = {}) {
  json::object out;
  for (const std::string& pattern : pattern_names(snapshot, order))
    out[pattern] = pattern_object(snapshot, pattern, detail, certainty, seconds);
  return out;
}

json::array strings(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

json::object run_object(const RunResult& result) {
  const RunInfo& info = result.info;
  return {{"id", info.id},
          {"version", info.version},
          {"started", format_rfc3339(info.started)},
          {"seconds", result.seconds},
          {"pattern", info.pattern},
          {"worker", info.worker},
          {"backend", info.backend},
          {"endpoints", strings(info.endpoints)},
          {"tls_verify", info.tls_verify},
          {"seed", info.seed},
          {"time_scale", info.time_scale},
          {"warmup_seconds", info.warmup_seconds},
          {"interrupted", result.interrupted}};
}

json::object network_object(const ClientUse& use, const ClientFigures& figures) {
  json::object links;
  for (const auto& [name, link] : use.path.links) {
    links[name] = {{"bytes_per_second", link.bytes_per_second},
                   {"seconds", link.seconds},
                   {"full_seconds", link.full_seconds},
                   {"received", link.received},
                   {"sent", link.sent}};
  }
  return {{"rtt_us", figures.rtt_us},
          {"queue_us", times(use.path.queue)},
          {"probes", use.path.probes},
          {"lost_probes", use.path.lost_probes},
          {"transfer", figures.transfer},
          {"sending", figures.sending},
          {"congested", figures.congested},
          {"window_limited", figures.window_limited},
          {"buffer_limited", figures.buffer_limited},
          {"retransmitted", figures.retransmitted},
          {"out_of_order", figures.out_of_order},
          {"links", std::move(links)}};
}

json::object client_object(const RunResult& result) {
  const ClientCounters& client = result.total.client;
  const ClientFigures figures = client_figures(result.total);
  const double per_cpu_second =
      client.cpu_seconds > 0 ? static_cast<double>(operations_done(result.total)) / client.cpu_seconds : 0;
  return {{"threads", result.info.threads},
          {"cpu_seconds", client.cpu_seconds},
          {"operations_per_cpu_second", per_cpu_second},
          {"busiest_thread", result.busiest_thread},
          {"max_rss_bytes", static_cast<std::uint64_t>(std::max(0.0, result.max_rss_bytes))},
          {"connections", client.connections},
          {"reconnects", client.reconnects},
          {"idle_closed", client.idle_closed},
          {"tls",
           {{"handshakes", client.handshakes.count()},
            {"resumed", client.resumed_handshakes},
            {"handshake_us", times(client.handshakes)}}},
          {"run_queue_seconds", client.run_queue_seconds},
          {"busy", figures.busy},
          {"run_queue_wait", figures.run_queue_wait},
          {"saturated", figures.saturated},
          {"steal", figures.steal},
          {"loop_lag_us", times(client.use.loop_lag)},
          {"waiting", figures.waiting},
          {"network", network_object(client.use, figures)}};
}

json::object definitions_object(const RunInfo& info) {
  json::object out;
  for (std::size_t i = 0; i < std::min(info.patterns.size(), info.definitions.size()); ++i) {
    if (!info.definitions[i].empty()) out[info.patterns[i]] = json::parse(info.definitions[i]);
  }
  return out;
}

json::object schedules_object(const RunInfo& info) {
  json::object out;
  for (const ScheduleRecord& s : info.schedules) {
    out[s.pattern] = {{"kind", s.kind},
                      {"burst_seconds", s.burst_seconds},
                      {"gap_seconds", s.gap_seconds},
                      {"window_seconds", s.window_seconds},
                      {"cycle_seconds", s.cycle_seconds},
                      {"least_bursts", s.least_bursts},
                      {"most_bursts", s.most_bursts},
                      {"seed", s.seed}};
  }
  return out;
}

// The first line of a small file of the kernel; null where it cannot be read.
json::value first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return nullptr;
  return json::value(line);
}

// How far this host's clock may be off: what it takes to lay the series of several hosts over each other.
json::object clock_object() {
  json::object out{{"unix_us", unix_micros(wall_now())},
                   {"monotonic_ns", now().time_since_epoch().count()},
                   {"source", first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
                   {"synchronized", nullptr},
                   {"max_error_us", nullptr}};
  timex state{};
  if (const int status = adjtimex(&state); status >= 0) {
    out["synchronized"] = status != TIME_ERROR;
    out["max_error_us"] = state.maxerror;
  }
  return out;
}

json::object host_object() {
  utsname system{};
  uname(&system);
  return {{"name", system.nodename},
          {"kernel", system.release},
          {"machine", system.machine},
          {"cpus", std::thread::hardware_concurrency()},
          {"boot_id", first_line("/proc/sys/kernel/random/boot_id")}};
}

}  // namespace

std::string summary_json(const RunResult& result) {
  const json::object out{
      {"schema", "s3loadtest.summary/1"},
      {"run", run_object(result)},
      {"verdict",
       {{"passed", result.passed},
        {"slo", slo_array(result.slos)},
        {"ended_early", result.ended_early.empty() ? json::value(nullptr) : json::value(result.ended_early)},
        {"bottleneck", result.bottleneck},
        {"why", result.why}}},
      {"client", client_object(result)},
      {"proxy", proxy_value(result.proxy)},
      {"patterns", patterns_object(result.total, Detail::summary, &result.certainty, result.seconds,
                                   result.info.patterns)},
      {"endpoints", endpoints_array(result.total, result.info.endpoints, result.silent)},
      {"notes", strings(result.notes)}};
  return json_text(out);
}

std::string run_json(const RunInfo& info) {
  json::object settings;
  for (const auto& [setting, text] : info.settings) {
    json::value& value = settings[setting];
    value = value.is_string() ? json::value(std::string(value.get_string()) + "," + text) : json::value(text);
  }
  const json::object out{{"schema", "s3loadtest.run/1"},
                         {"id", info.id},
                         {"version", info.version},
                         {"started", format_rfc3339(info.started)},
                         {"pattern", info.pattern},
                         {"worker", info.worker},
                         {"backend", info.backend},
                         {"endpoints", strings(info.endpoints)},
                         {"bucket", info.bucket},
                         {"prefix", info.prefix},
                         {"writes", info.writes},
                         {"region", info.region},
                         {"tls_verify", info.tls_verify},
                         {"seed", info.seed},
                         {"time_scale", info.time_scale},
                         {"threads", info.threads},
                         {"clients", info.clients},
                         {"duration_seconds", info.duration_seconds},
                         {"warmup_seconds", info.warmup_seconds},
                         {"settings", std::move(settings)},
                         {"host", host_object()},
                         {"clock", clock_object()},
                         {"schedules", schedules_object(info)},
                         {"definitions", definitions_object(info)}};
  return json_text(out);
}

namespace {

json::object client_second(const Snapshot& second) {
  const ClientCounters& client = second.client;
  const ClientFigures figures = client_figures(second);
  json::object out{{"cpu_seconds", client.cpu_seconds},
                   {"connections", client.connections},
                   {"reconnects", client.reconnects},
                   {"idle_closed", client.idle_closed},
                   {"run_queue_seconds", client.run_queue_seconds},
                   {"busy", figures.busy},
                   {"steal", figures.steal},
                   {"waiting", client.use.sockets.waiting},
                   {"clients", client.use.sockets.clients},
                   {"retransmitted", client.use.sockets.retransmitted}};
  const auto most = [](const Histogram& histogram) {
    return json::object{
        {"p50", histogram.percentile(50)}, {"p99", histogram.percentile(99)}, {"max", histogram.max()}};
  };
  if (!client.use.loop_lag.empty()) out["loop_lag_us"] = most(client.use.loop_lag);
  if (!client.handshakes.empty()) {
    out["tls"] = {{"handshakes", client.handshakes.count()},
                  {"resumed", client.resumed_handshakes},
                  {"handshake_us", most(client.handshakes)}};
  }
  if (!client.use.path.queue.empty()) out["queue_us"] = client.use.path.queue.max();
  return out;
}

}  // namespace

std::string series_line(const Snapshot& second, const Snapshot* minute) {
  json::object out{{"from", to_seconds(second.from)}, {"to", to_seconds(second.to)}};
  if (second.warmup) out["warmup"] = true;
  if (second.grace > Duration::zero()) out["grace"] = to_seconds(second.grace);
  out["patterns"] = patterns_object(second, Detail::series);
  out["client"] = client_second(second);
  if (minute != nullptr) out["endpoints"] = endpoint_outcomes(*minute);
  return json_text(out);
}

}  // namespace s3lt
