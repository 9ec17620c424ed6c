#include "report/closing_sentence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/amounts.h"
#include "report/proxy_text.h"
#include "report/slo_text.h"
#include "report/trouble.h"
#include "results/endpoint_comparison.h"
#include "results/verdict.h"

namespace s3lt {
namespace {

// A tail is worth a word from a hundred samples on and ten times the median.
constexpr std::uint64_t enough_samples = 100;
constexpr double long_tail = 10;

using ByOutcome = std::array<std::uint64_t, outcomes>;

// What all patterns did together, a PART with its PUT.
struct Sum {
  Counters operations, trims;
  std::uint64_t repeated = 0;  // attempts, those of parts among them
  ByOutcome repeated_with{};   // the same by outcome
  bool any_ok = false;

  explicit Sum(const Snapshot& total) {
    for (const auto& [key, cell] : total.cells) {
      if (key.operation != OperationKind::trim) add_repeated(cell.counters);
      if (key.operation == OperationKind::part) continue;
      const bool trim = key.operation == OperationKind::trim;
      (trim ? trims : operations).add(cell.counters);
      any_ok = any_ok || (!trim && !cell.response.empty());
    }
  }

 private:
  void add_repeated(const Counters& counters) {
    repeated += counters.repeated();
    for (std::size_t i = 0; i < outcomes; ++i) {
      if (!is_error(static_cast<Outcome>(i))) continue;
      repeated_with[i] += counters.outcomes[i] - std::min(counters.outcomes[i], counters.failed_with[i]);
    }
  }
};

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  const double percent =
      100 * static_cast<double>(part) / static_cast<double>(std::max<std::uint64_t>(1, whole));
  return percent > 0 && percent < 0.1 ? "<0.1%" : fmt::format("{:.1f}%", percent);
}

std::string_view most_frequent(const ByOutcome& counts) {
  return outcome_names[static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin())];
}

std::string failures(const Sum& sum) {
  const Counters& c = sum.operations;
  std::string text;
  if (c.errors == 0 && sum.trims.errors == 0) text = " without an error";
  if (c.errors > 0) {
    text = fmt::format("; {} of them failed ({}, most often: {})", format_count(c.errors),
                       share_text(c.errors, c.count), most_frequent(c.failed_with));
  }
  if (sum.repeated > 0) {
    text += fmt::format("; {} went wrong and {} repeated ({}{})", counted(sum.repeated, "attempt"),
                        sum.repeated == 1 ? "was" : "were",
                        sum.repeated == 1 ? "" : "most often: ", most_frequent(sum.repeated_with));
  }
  if (sum.trims.errors > 0) text += fmt::format("; {} failed", counted(sum.trims.errors, "TRIM"));
  return text;
}

// "without an error" tells half of it where clients hung.
std::string waits(const SilentEndpoints& silent, bool s3pool) {
  if (silent.empty()) return {};
  std::uint64_t attempts = 0;
  for (const auto& [url, of] : silent) attempts += of.attempts;
  return fmt::format("; but {} got no answer until the end of the run cut {}, from {}{}",
                     counted(attempts, "more attempt"), attempts == 1 ? "it" : "them",
                     s3pool ? "s3pool at " : "",
                     silent.size() == 1 ? silent.begin()->first : counted(silent.size(), "endpoint"));
}

// The longest tail, in "; one GET of 1 MiB in a hundred took …", of several patterns "… in a hundred of
// heavyread took …".
std::string tail(const Snapshot& total) {
  const bool several =
      !total.cells.empty() && total.cells.begin()->first.pattern != total.cells.rbegin()->first.pattern;
  double longest = 0;
  std::string text;
  for (const auto& [key, cell] : total.cells) {
    if (key.operation == OperationKind::trim || cell.response.count() < enough_samples) continue;
    const std::int64_t p50 = cell.response.percentile(50), p99 = cell.response.percentile(99);
    const double ratio = static_cast<double>(p99) / static_cast<double>(std::max<std::int64_t>(1, p50));
    if (ratio < long_tail || ratio <= longest) continue;
    longest = ratio;
    const auto bytes = parse_size(key.size);
    text = fmt::format("; one {}{} in a hundred{} took {} or longer, {:.0f} times the median",
                       name(key.operation), bytes ? " of " + format_size(*bytes) : "",
                       several ? " of " + key.pattern : "", format_latency(p99), ratio);
  }
  return text;
}

// How often clients found no key to read.
std::uint64_t keyless(const Snapshot& total) {
  std::uint64_t n = 0;
  for (const auto& [pattern, keys] : total.keys) n += keys.no_key;
  return n;
}

// Intended starts that no client took on, although they could have been sent.
std::uint64_t starved(const Snapshot& total) {
  std::uint64_t n = 0;
  for (const auto& [pattern, arrivals] : total.arrivals) n += total.starved(pattern);
  return n;
}

std::string not_sent(const Snapshot& total) {
  std::uint64_t n = 0;
  for (const auto& [pattern, arrivals] : total.arrivals) n += arrivals.not_sent;
  if (n == 0) return {};
  const std::string why = absence(total).seconds > 0 ? "as clients pause where no endpoint answers"
                          : starved(total) * 2 < n   ? "for want of keys to read"
                                                     : "for want of a free client";
  return fmt::format("; {} {} not sent in time, {}", counted(n, "more intended operation"),
                     n == 1 ? "was" : "were", why);
}

std::string stand_stills(const RunResult& result) {
  std::string text;
  for (const auto& [pattern, steadiness] : result.certainty.patterns) {
    double seconds = 0;
    for (const Interval& stop : steadiness.stops) seconds += stop.high - stop.low;
    if (seconds > 0) text += fmt::format("; {} stood still for {:.1f}s of it", pattern, seconds);
  }
  return text;
}

// Endpoints that differ from the others; the notes say by how much.
std::string odd_endpoints(const Snapshot& total) {
  static constexpr std::string_view words[] = {"slower than the others", "failing more than the others",
                                               "away"};
  constexpr std::size_t most_named = 2;
  const std::vector<EndpointFinding> findings = odd_nodes(total);
  std::string text;
  for (std::size_t i = 0; i < std::min(findings.size(), most_named); ++i)
    text += fmt::format("; {} was {}", findings[i].url, words[static_cast<std::size_t>(findings[i].kind)]);
  if (findings.size() > most_named)
    text += fmt::format(", and {} more stand out", counted(findings.size() - most_named, "endpoint"));
  return text;
}

std::string wrong_bytes(const Counters& counters) {
  std::uint64_t n = 0;
  for (const std::uint64_t of_kind : counters.corrupt) n += of_kind;
  if (n == 0) return {};
  return fmt::format("; {} did not bring the bytes that were written", counted(n, "read"));
}

// All of it was an open loop in which every operation was begun, and hardly one ended after the load.
bool kept_its_rate(const Snapshot& total) {
  constexpr std::uint64_t one_in = 20;
  std::uint64_t count = 0, late = 0;
  for (const auto& [key, cell] : total.cells) {
    const auto open = total.arrivals.find(key.pattern);
    if (open == total.arrivals.end() || open->second.not_sent > 0 || open->second.waiting > 0) return false;
    count += cell.counters.count;
    late += cell.counters.late;
  }
  return late * one_in <= count;
}

std::string trust(const RunResult& result, bool any_ok) {
  if (!any_ok) return "as none succeeded, this says nothing of its speed";
  if (const double away = absence(result.total).seconds; away > 0 && result.bottleneck == "unknown") {
    return fmt::format("{} for {:.1f}s of it, so the rates say little of the storage's speed",
                       result.through_s3pool() ? "s3pool did not answer" : "no endpoint answered", away);
  }
  if (result.bottleneck == "unknown" && result.proxy &&
      made_the_figures(result.proxy->stopped_seconds, result.total.loaded()))
    return "so the rates say little of the storage's speed";
  if (result.bottleneck == "storage" && starved(result.total) > 0) {
    return fmt::format(
        "the client had room to spare, but the storage{} did not keep up with the rate for so many clients: "
        "who arrives at that rate waits longer than these times",
        result.through_s3pool() ? ", behind s3pool," : "");
  }
  if (result.bottleneck == "storage" && result.through_s3pool())
    return "the client had room to spare, so the figures are s3pool's and the storage's together";
  if (result.bottleneck == "storage") return "the client had room to spare, so the figures are the storage's";
  if (result.bottleneck.starts_with("client") && kept_its_rate(result.total)) {
    return fmt::format(
        "the rate was kept, but this client's {} was the limit, so the response times are the "
        "client's and not the storage's",
        result.bottleneck == "client-cpu" ? "CPU" : "network");
  }
  if (result.bottleneck == "client-cpu") {
    return "this client's CPU was the limit, so the storage may be faster than that";
  }
  if (result.bottleneck == "client-network") {
    return "this client's network was the limit, so the storage may be faster than that";
  }
  return fmt::format("{}neither the storage nor this client could be shown to be the limit",
                     kept_up(result.total) ? "the rate was kept, and " : "");
}

std::string s3pool_clauses(const RunResult& result) {
  if (!result.proxy) return {};
  const std::string events = proxy_events(*result.proxy, result.info.endpoints.size());
  return events.empty() ? events : "; " + events;
}

}  // namespace

std::string closing_sentence(const RunResult& result) {
  const Sum sum(result.total);
  const Counters& c = sum.operations;
  const std::string length = format_duration(seconds(std::round(result.seconds * 10) / 10));
  if (c.count == 0) {
    return fmt::format("Not one operation ended in {}{}{}{}.", length,
                       keyless(result.total) > 0 ? ": there was no key to read" : "",
                       waits(result.silent, result.through_s3pool()), s3pool_clauses(result));
  }
  std::string sentence =
      fmt::format("The storage{} answered {} in {} ({}, {})",
                  result.through_s3pool() ? ", through s3pool," : "", counted(c.count, "operation"), length,
                  rate_text(per_second(static_cast<double>(c.in_time()), result.seconds)),
                  format_rate(per_second(static_cast<double>(c.bytes_in_time()), result.seconds)));
  sentence += failures(sum) + waits(result.silent, result.through_s3pool()) + s3pool_clauses(result);
  // Some are nothing to speak of: another client deleted the object a moment before.
  if (c.not_found * 100 > c.count)
    sentence += fmt::format("; {} of them found no object", format_count(c.not_found));
  sentence += stand_stills(result) + odd_endpoints(result.total) + tail(result.total);
  sentence += not_sent(result.total) + wrong_bytes(c);
  if (const std::string trouble = storage_trouble(result.total); !trouble.empty()) sentence += "; " + trouble;
  return sentence + slo_clause(result) + fmt::format("; {}.", trust(result, sum.any_ok));
}

}  // namespace s3lt
