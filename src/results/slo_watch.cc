#include "results/slo_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace s3lt {
namespace {

using Kind = Figure::Kind;

// How many times the best second so far each second to come may be.
constexpr double most_growth = 3;
constexpr auto least_seen = std::chrono::seconds(10), least_left = std::chrono::seconds(10);

// Samples that do not keep the limit.
std::uint64_t beyond(const Histogram& times, const Slo& slo) {
  if (times.empty() || slo.limit > static_cast<double>(Histogram::highest)) return 0;
  const auto limit = std::max<std::int64_t>(Histogram::lowest, static_cast<std::int64_t>(slo.limit));
  std::uint64_t n = 0;
  for (int i = Histogram::index_of(limit); i < Histogram::counts_length; ++i) {
    const std::int64_t value = std::min(Histogram::highest_equivalent(i), times.max());
    if (!slo.kept_by(static_cast<double>(value))) n += times.count_at(i);
  }
  return n;
}

std::string counted(double n) {
  return format_count(static_cast<std::uint64_t>(std::max(0.0, n)));
}

std::string in_the_rest(std::optional<double> to_come) {
  return to_come ? fmt::format(", and at most {} can follow", counted(*to_come)) : "";
}

}  // namespace

SloWatch::SloWatch(std::vector<Slo> slos, std::vector<SloScope> run, RunHorizon horizon) : horizon_(horizon) {
  for (Slo& slo : slos) {
    const bool steady = std::ranges::all_of(run, [&](const SloScope& scope) {
      return scope.steady || (!slo.of.pattern.empty() && slo.of.pattern != scope.pattern);
    });
    watched_.push_back({.slo = std::move(slo), .steady = steady});
  }
}

std::optional<std::string> SloWatch::look(const Snapshot& second, const Snapshot& total) {
  const double length = to_seconds(second.to - second.from);
  for (Watched& of : watched_) {
    if (length >= 0.5) {
      double count = 0, bytes = 0;
      for (const auto& [key, cell] : second.cells) {
        if (!of.slo.of.covers(key)) continue;
        count += static_cast<double>(cell.counters.count);
        bytes += static_cast<double>(cell.counters.bytes_moved);
      }
      of.best_count = std::max(of.best_count, count / length);
      of.best_bytes = std::max(of.best_bytes, bytes / length);
    }
    if (const auto why = why_hopeless(of, total))
      return fmt::format("{} can no longer be met: {}", of.slo.text, *why);
  }
  return std::nullopt;
}

Duration SloWatch::left(const Snapshot& total) const {
  return horizon_.duration ? std::max(*horizon_.duration - total.to, Duration::zero()) : Duration::zero();
}

bool SloWatch::may_estimate(const Watched& of, const Snapshot& total) const {
  return of.steady && horizon_.duration && total.to - total.from >= least_seen && left(total) >= least_left;
}

std::optional<double> SloWatch::most_to_come(const Watched& of, const Snapshot& total) const {
  std::optional<double> most;
  const auto clients = static_cast<double>(horizon_.clients);
  if (horizon_.operations) {
    std::uint64_t done = 0;
    for (const auto& [key, cell] : total.cells) {
      if (is_in_mix(key.operation)) done += cell.counters.count;
    }
    most = clients + static_cast<double>(*horizon_.operations - std::min(*horizon_.operations, done));
  }
  if (may_estimate(of, total) && of.best_count > 0) {
    const double estimate = most_growth * of.best_count * to_seconds(left(total) + horizon_.grace) + clients;
    most = std::min(most.value_or(estimate), estimate);
  }
  return most;
}

std::optional<std::string> SloWatch::why_hopeless(const Watched& of, const Snapshot& total) const {
  const Slo& slo = of.slo;
  const Kind kind = slo.of.figure.kind;
  const SloCells sum = cells_of(slo, total);
  if (kind == Kind::rate) return why_rate(of, static_cast<double>(sum.count), total);
  if (kind == Kind::throughput) return why_rate(of, static_cast<double>(sum.bytes_moved), total);
  // That more of what follows is slow, or fails, can always come.
  if (!slo.is_upper()) return std::nullopt;
  const std::optional<double> to_come = most_to_come(of, total);
  if (slo.of.figure.is_time()) return why_times(of, sum, to_come);
  const double errors = static_cast<double>(sum.errors), count = static_cast<double>(sum.count);
  const bool none_allowed = slo.limit == 0 && sum.errors > 0;
  if (!none_allowed && (sum.count == 0 || !to_come || slo.kept_by(errors / (count + *to_come))))
    return std::nullopt;
  return fmt::format("{} of {} operations failed{}", counted(errors), counted(count),
                     none_allowed ? "" : in_the_rest(to_come));
}

std::optional<std::string> SloWatch::why_times(const Watched& of, const SloCells& sum,
                                               std::optional<double> to_come) const {
  const Slo& slo = of.slo;
  const Figure& figure = slo.of.figure;
  if (sum.times.empty()) return std::nullopt;
  const auto most = static_cast<double>(sum.times.max());
  if (figure.kind == Kind::max) {
    if (slo.kept_by(most)) return std::nullopt;
    return fmt::format("the longest took {}", figure_text(most, "us"));
  }
  if (!to_come) return std::nullopt;
  const auto seen = static_cast<double>(sum.times.count());
  const double all = seen + *to_come;
  if (figure.kind == Kind::mean) {
    if (slo.kept_by(sum.times.mean() * seen / all)) return std::nullopt;
    return fmt::format("the mean of {} is {}{}", counted(seen), figure_text(sum.times.mean(), "us"),
                       in_the_rest(to_come));
  }
  const auto slow = static_cast<double>(beyond(sum.times, slo));
  // As Histogram::percentile() has it.
  const double rank = std::max(1.0, std::round(figure.percentile / 100 * all));
  if (rank <= all - slow) return std::nullopt;
  return fmt::format("{} of {} took {} than {}{}", counted(slow), counted(seen),
                     slo.relation == Slo::Relation::below ? "no less" : "more", figure_text(slo.limit, "us"),
                     in_the_rest(to_come));
}

std::optional<std::string> SloWatch::why_rate(const Watched& of, double done, const Snapshot& total) const {
  if (!horizon_.duration) return std::nullopt;
  const Slo& slo = of.slo;
  const bool bytes = slo.of.figure.kind == Kind::throughput;
  const std::string_view unit = bytes ? "bytes/s" : "/s";
  const double planned = to_seconds(*horizon_.duration - horizon_.warmup);
  if (slo.is_upper()) {
    // Even if nothing more came until the latest end.
    if (slo.kept_by(done / (planned + to_seconds(horizon_.grace)))) return std::nullopt;
    return fmt::format("what was done by now is {} of all of the run already",
                       figure_text(done / planned, unit));
  }
  const double best = bytes ? of.best_bytes : of.best_count;
  const bool ends_early = horizon_.operations || horizon_.byte_limit;
  if (ends_early || best <= 0 || !may_estimate(of, total)) return std::nullopt;
  const double rest = to_seconds(left(total));
  const double most = most_growth * best * (rest + to_seconds(horizon_.grace)) +
                      (bytes ? 0 : static_cast<double>(horizon_.clients));
  if (done + most >= slo.limit * planned) return std::nullopt;
  return fmt::format("it is {} so far, and would take {} from now on, where the best second had {}",
                     figure_text(done / std::max(1e-9, to_seconds(total.to - total.from)), unit),
                     figure_text((slo.limit * planned - done) / rest, unit), figure_text(best, unit));
}

}  // namespace s3lt
