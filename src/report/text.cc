#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "report/amounts.h"
#include "report/certainty_text.h"
#include "report/closing_sentence.h"
#include "report/handshake_text.h"
#include "report/proxy_text.h"
#include "report/slo_text.h"
#include "report/slowest_text.h"
#include "report/table.h"
#include "results/figures.h"

namespace s3lt {
namespace {

// Lines of figures tell whole seconds: 30s, not 30.04s.
std::string elapsed_text(Duration elapsed) {
  return format_duration(std::chrono::round<std::chrono::seconds>(elapsed));
}

// " | GET p50=2ms p95=15ms p99=40ms | PUT …"
std::string percentile_fields(const Snapshot& total, std::string_view pattern) {
  std::string out;
  for (const OperationFigures& of : operation_figures(total, pattern)) {
    const Histogram& response = of.all.response;
    if (response.count() == 0) continue;  // none succeeded
    out +=
        fmt::format(" | {} p50={} p95={} p99={}", name(of.operation), format_latency(response.percentile(50)),
                    format_latency(response.percentile(95)), format_latency(response.percentile(99)));
  }
  return out;
}

// " | backlog=12, not_sent=0", of an open loop.
std::string arrival_fields(const Snapshot& total, std::string_view pattern) {
  const auto open = total.arrivals.find(std::string(pattern));
  if (open == total.arrivals.end()) return {};
  return fmt::format(" | backlog={}, not_sent={}", format_count(open->second.waiting),
                     format_count(open->second.not_sent));
}

// ---- the summary

// The columns that hold only zeros say nothing; they appear with their first event.
Table operations_table(const std::vector<OperationFigures>& operations, double seconds) {
  const auto any = [&](std::uint64_t Counters::* counter) {
    return std::ranges::any_of(operations, [&](const auto& of) { return of.all.counters.*counter != 0; });
  };
  const bool not_found = any(&Counters::not_found), cancelled = any(&Counters::cancelled);
  const bool seeded = any(&Counters::seeded);
  // The last operation of a client is nothing to speak of.
  const bool late = std::ranges::any_of(
      operations, [](const auto& of) { return of.all.counters.late * 100 > of.all.counters.count; });
  Table table;
  table.header = {"operation", "count", "rate", "throughput", "errors"};
  if (not_found) table.header.emplace_back("not found");
  if (cancelled) table.header.emplace_back("cancelled");
  if (seeded) table.header.emplace_back("seeded");
  if (late) table.header.emplace_back("late");
  for (const OperationFigures& of : operations) {
    const Counters& c = of.all.counters;
    std::vector<Table::Field> row = {
        {std::string(name(of.operation))},
        {format_count(c.count)},
        {rate_text(per_second(static_cast<double>(c.in_time()), seconds))},
        {c.bytes_moved ? format_rate(per_second(static_cast<double>(c.bytes_in_time()), seconds)) : "-"},
        {format_count(c.errors), c.errors ? Tone::bad : Tone::plain}};
    if (not_found) row.push_back({format_count(c.not_found)});
    if (cancelled) row.push_back({format_count(c.cancelled)});
    if (seeded) row.push_back({format_count(c.seeded)});
    if (late) row.push_back({format_count(c.late)});
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<Table::Field> times_row(std::string label, const Histogram& histogram, Tone tone) {
  std::vector<Table::Field> row = {{std::move(label), tone}, {format_count(histogram.count()), tone}};
  for (const double p : {50.0, 90.0, 95.0, 99.0, 99.9})
    row.push_back({format_latency(histogram.percentile(p)), tone});
  row.push_back({format_latency(histogram.max()), tone});
  return row;
}

// Response times of ok operations, and of their sizes where there are several.
Table times_table(const std::vector<OperationFigures>& operations) {
  Table table;
  table.header = {"response time", "ok", "p50", "p90", "p95", "p99", "p99.9", "max"};
  for (const OperationFigures& of : operations) {
    if (of.all.response.empty()) continue;
    table.rows.push_back(times_row(std::string(name(of.operation)), of.all.response, Tone::plain));
    if (of.sizes.size() < 2) continue;
    for (const auto& [label, cell] : of.sizes) {
      if (cell.response.empty()) continue;
      const auto bytes = parse_size(label);
      table.rows.push_back(times_row("  " + (bytes ? format_size(*bytes) : label), cell.response, Tone::dim));
    }
  }
  return table;
}

// "failed attempts: 12 throttled, 3 reset; HTTP 503 12 times"; empty where none failed.
std::string failures_line(const std::vector<OperationFigures>& operations) {
  Counters sum;
  for (const OperationFigures& of : operations) {
    if (of.operation != OperationKind::part) sum.add(of.all.counters);
  }
  std::vector<std::string> kinds, statuses;
  for (std::size_t i = 0; i < outcomes; ++i) {
    if (sum.outcomes[i] == 0 || !is_error(static_cast<Outcome>(i))) continue;
    kinds.push_back(fmt::format("{} {}", format_count(sum.outcomes[i]), outcome_names[i]));
  }
  if (kinds.empty()) return {};
  std::ranges::sort(sum.status);
  for (const auto& [status, n] : sum.status) {
    if (status >= 400) statuses.push_back(fmt::format("{} x {}", format_count(n), status));
  }
  std::string line = fmt::format("failed attempts: {}", fmt::join(kinds, ", "));
  if (!statuses.empty()) line += fmt::format("; HTTP status: {}", fmt::join(statuses, ", "));
  return line;
}

// "open loop: 10,000 intended, 12 not sent; they began late by p50 3us, p99 1.2ms, at most 8ms"
std::string open_loop_line(const ArrivalCounters& arrivals, const std::vector<OperationFigures>& operations) {
  Histogram lag;
  for (const OperationFigures& of : operations) lag.add(of.all.lag);
  std::string line = fmt::format("open loop: {} intended, {} not sent", format_count(arrivals.intended),
                                 format_count(arrivals.not_sent));
  if (lag.empty()) return line;
  return line + fmt::format("; they began late by p50 {}, p99 {}, at most {}",
                            format_latency(lag.percentile(50)), format_latency(lag.percentile(99)),
                            format_latency(lag.max()));
}

std::string keys_line(const KeyCounters& keys) {
  return fmt::format("keys: {} written, {} deleted, {} trimmed, {} alive, {} unknown",
                     format_count(keys.written), format_count(keys.deleted), format_count(keys.trimmed),
                     format_count(keys.alive), format_count(keys.unknown));
}

// "verified: 1,234 reads, 3 corrupt (2 flipped, 1 stale)"; empty where nothing was checked.
std::string verified_line(const PatternFigures& figures) {
  if (figures.checked == 0) return {};
  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < corruptions; ++i) {
    if (figures.corrupt[i] == 0) continue;
    kinds.push_back(fmt::format("{} {}", format_count(figures.corrupt[i]), corruption_names[i]));
  }
  std::string line = fmt::format("verified: {}, {} corrupt", counted(figures.checked, "read"),
                                 format_count(figures.all_corrupt()));
  if (!kinds.empty()) line += fmt::format(" ({})", fmt::join(kinds, ", "));
  return line;
}

std::string client_line(const RunResult& result) {
  const ClientCounters& client = result.total.client;
  const double per_cpu_second =
      per_second(static_cast<double>(operations_done(result.total)), client.cpu_seconds);
  const Histogram& lag = client.use.loop_lag;
  const std::string late =
      lag.empty() ? ""
                  : fmt::format("timers late by p50 {}, p99 {}, ", format_latency(lag.percentile(50)),
                                format_latency(lag.percentile(99)));
  // Told at the end of a run only.
  const std::string busiest = result.busiest_thread > 0 ? fmt::format("busiest thread {:.0f}% of a core, ",
                                                                      100 * result.busiest_thread)
                                                        : "";
  const std::string memory =
      result.max_rss_bytes > 0
          ? fmt::format(", {} of memory", format_size(static_cast<std::uint64_t>(result.max_rss_bytes)))
          : "";
  return fmt::format(
      "client: {}, {:.1f} CPU s, {} operations per CPU second, {}{}{}, {}{}",
      counted(result.info.threads, "thread"), client.cpu_seconds,
      format_count(static_cast<std::uint64_t>(std::llround(per_cpu_second))), busiest, late,
      counted(client.connections, result.info.warmup_seconds > 0 ? "new connection" : "connection"),
      counted(client.reconnects, "reconnect"), memory);
}

// Above the figures of a run whose client was the bottleneck; empty of others.
std::string distrust(const RunResult& result, const TextStyle& style) {
  if (!result.bottleneck.starts_with("client")) return {};
  const std::string_view part = result.bottleneck == "client-cpu" ? "CPU" : "network";
  return wrapped(
             fmt::format("DO NOT TRUST THESE FIGURES AS THE STORAGE'S: this client's {} was the limit: {}.",
                         part, result.why),
             style.width, 0, Tone::bad, style.colour) +
         "\n";
}

std::string pattern_block(const RunResult& result, const std::string& pattern, const TextStyle& style) {
  const std::vector<OperationFigures> operations = operation_figures(result.total, pattern);
  std::string out = in_tone(pattern, Tone::strong, style.colour) + "\n";
  if (operations.empty()) {
    out += "  no operation\n";
  } else {
    out += render(operations_table(operations, result.seconds), style) + "\n";
    const Table times = times_table(operations);
    if (!times.rows.empty()) out += render(times, style) + "\n";
  }
  if (const std::string failures = failures_line(operations); !failures.empty()) {
    out += wrapped(failures, style.width, 2, Tone::bad, style.colour);
  }
  if (const auto open = result.total.arrivals.find(pattern); open != result.total.arrivals.end()) {
    out += wrapped(open_loop_line(open->second, operations), style.width, 2,
                   open->second.not_sent > 0 ? Tone::bad : Tone::plain, style.colour);
  }
  if (const std::string sure = interval_line(result.certainty, pattern); !sure.empty())
    out += wrapped(sure, style.width, 2);
  if (const std::string few = few_samples_line(result, pattern); !few.empty())
    out += wrapped(few, style.width, 2, Tone::dim, style.colour);
  if (const std::string steady = steadiness_line(result.certainty, pattern); !steady.empty())
    out += wrapped(steady, style.width, 2, steady.starts_with("NOT") ? Tone::bad : Tone::plain, style.colour);
  if (const auto keys = result.total.keys.find(pattern); keys != result.total.keys.end()) {
    out += wrapped(keys_line(keys->second), style.width, 2);
  }
  const PatternFigures figures = pattern_figures(result.total, pattern);
  if (const std::string verified = verified_line(figures); !verified.empty()) {
    out += wrapped(verified, style.width, 2, figures.all_corrupt() ? Tone::bad : Tone::plain, style.colour);
  }
  if (const std::string slowest = slowest_sentence(result.total, pattern); !slowest.empty())
    out += wrapped(slowest, style.width, 2, Tone::dim, style.colour);
  return out + "\n";
}

}  // namespace

std::string stats_line(const Snapshot& total, std::string_view pattern, Duration elapsed) {
  const PatternFigures sum = pattern_figures(total, pattern);
  const double length = to_seconds(elapsed);
  const double byte_rate = per_second(static_cast<double>(sum.bytes_in_time), length);
  return fmt::format(
      "STATS: ops={} ({}), bytes={} ({}/s), errors={}, elapsed={}{}", format_count(sum.operations),
      rate_text(per_second(static_cast<double>(sum.in_time), length)), format_bytes_old(sum.bytes_moved),
      format_bytes_old(static_cast<std::uint64_t>(byte_rate)), format_count(sum.errors),
      elapsed_text(elapsed), percentile_fields(total, pattern) + arrival_fields(total, pattern));
}

std::string final_line(const Snapshot& total, std::string_view pattern, Duration elapsed,
                       unsigned worker_failures) {
  const PatternFigures sum = pattern_figures(total, pattern);
  return fmt::format("FINAL: ops={} ({}), bytes={}, errors={}, worker_failures={}, elapsed={}{}",
                     format_count(sum.operations),
                     rate_text(per_second(static_cast<double>(sum.in_time), to_seconds(elapsed))),
                     format_bytes_old(sum.bytes_moved), format_count(sum.errors), worker_failures,
                     elapsed_text(elapsed),
                     percentile_fields(total, pattern) + arrival_fields(total, pattern));
}

std::string summary_text(const RunResult& result, const TextStyle& style) {
  std::string out = distrust(result, style) + slo_block(result, style);
  for (const std::string& pattern : pattern_names(result.total, result.info.patterns))
    out += pattern_block(result, pattern, style);
  out += wrapped(client_line(result), style.width, 0);
  if (const std::string handshakes = handshake_line(result.total.client); !handshakes.empty())
    out += wrapped(handshakes, style.width, 0);
  if (result.proxy) out += wrapped(proxy_line(*result.proxy), style.width, 0);
  std::string limit = fmt::format("limit: {}", result.bottleneck);
  const bool said_above = result.bottleneck.starts_with("client");
  if (!result.why.empty() && !said_above) limit += " - " + result.why;
  out += wrapped(limit, style.width, 0, said_above ? Tone::bad : Tone::plain, style.colour);
  for (const std::string& note : result.notes)
    out += wrapped("note: " + note, style.width, 0, Tone::bad, style.colour);
  if (result.total.arrivals.empty()) {
    out += wrapped(
        "closed loop: a client that waits begins nothing, so a stall of the storage hits few operations and "
        "hardly shows in the percentiles; --rate shows it",
        style.width, 0, Tone::dim, style.colour);
  }
  if (result.info.time_scale != 1) {
    out += wrapped(
        fmt::format("time scale: phases, windows, gaps and cycles were {:g} times as short as written",
                    result.info.time_scale),
        style.width, 0);
  }
  if (result.interrupted) out += "The run was ended before its time.\n";
  out += "\n";
  return out + wrapped(closing_sentence(result), style.width, 0, Tone::strong, style.colour);
}

std::string progress_line(const PatternProgress& progress, const TextStyle& style) {
  static const Snapshot nothing;
  const Snapshot& total = progress.total ? *progress.total : nothing;
  const Snapshot& recent = progress.recent ? *progress.recent : nothing;
  const double length = to_seconds(recent.to - recent.from);
  const PatternFigures now_figures = pattern_figures(recent, progress.pattern);
  const std::uint64_t errors = pattern_figures(total, progress.pattern).errors;

  std::string elapsed = elapsed_text(progress.elapsed);
  if (progress.duration > Duration::zero()) elapsed += "/" + format_duration(progress.duration);
  // What matters most comes first; what does not fit is left out, the last first.
  struct Part {
    std::string text;
    Tone tone = Tone::plain;
  };
  std::vector<Part> parts = {
      {fmt::format("{:<{}}", progress.pattern, progress.pattern_width), Tone::strong},
      {elapsed},
      {fmt::format("{:<{}}", progress.phase, progress.phase_width), Tone::dim},
      {fmt::format("{:>9}", rate_text(per_second(static_cast<double>(now_figures.operations), length)))},
      {fmt::format("{:>12}", format_rate(per_second(static_cast<double>(now_figures.bytes_moved), length)))},
      {counted(errors, "error"), errors ? Tone::bad : Tone::plain}};
  for (const OperationFigures& of : operation_figures(recent, progress.pattern)) {
    const Histogram& response = of.all.response;
    if (response.empty()) continue;
    parts.push_back(
        {fmt::format("{} p50 {} p99 {}", name(of.operation), format_latency(response.percentile(50)),
                     format_latency(response.percentile(99))),
         Tone::dim});
  }
  std::string line;
  std::size_t room = style.width;
  for (const Part& part : parts) {
    if (part.text.empty()) continue;
    const std::size_t gap = line.empty() ? 0 : 2;
    if (part.text.size() + gap > room) {
      if (line.empty()) line = part.text.substr(0, room);
      break;
    }
    line.append(gap, ' ');
    line += in_tone(part.text, part.tone, style.colour);
    room -= part.text.size() + gap;
  }
  return line;
}

}  // namespace s3lt
