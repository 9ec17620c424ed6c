#include "results/slo.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "base/nearest.h"
#include "base/units.h"
#include "results/certainty.h"

namespace s3lt {
namespace {

using Kind = Figure::Kind;

constexpr std::array<std::string_view, 12> figure_names = {"p50",     "p90",  "p95",        "p99",
                                                           "p99.9",   "mean", "max",        "ttfb",
                                                           "service", "rate", "throughput", "error_rate"};
constexpr std::string_view form = "write it as in 'GET.p99 < 50ms' or 'error_rate < 0.1%'";
constexpr FigureGrammar grammar{.figures = figure_names, .figure_noun = "a figure", .form = form};

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The text is a number alone.
bool lacks_unit(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == text.npos;
}

std::string_view example_of(Kind kind) {
  switch (kind) {
    case Kind::rate:
      return "500/s";
    case Kind::throughput:
      return "100MB/s";
    case Kind::error_rate:
      return "0.1%";
    default:
      return "50ms";
  }
}

Result<double> parse_share(std::string_view text) {
  const std::string_view number = trimmed(text.substr(0, text.size() - text.ends_with('%')));
  // A duration of so many seconds is a plain number within bounds.
  const auto value = text.ends_with('%') && lacks_unit(number) ? parse_duration(number, true)
                                                               : Result<Duration>(usage_error(""));
  if (!value)
    return usage_error(fmt::format("\"{}\" is not a share of the operations; write it like 0.1%", text));
  const double share = static_cast<double>(value->count()) / 1e11;  // from nanoseconds: rounded once
  if (share > 1)
    return usage_error(fmt::format("\"{}\" is more than all operations; the most is 100%", text));
  return share;
}

// A value in the unit of the figure; there may be blanks between number and unit.
Result<double> parse_limit(Kind kind, std::string_view written) {
  const std::size_t unit = std::min(written.find_first_not_of("0123456789."), written.size());
  const std::string text = std::string(written.substr(0, unit)) + std::string(trimmed(written.substr(unit)));
  if (lacks_unit(text))
    return usage_error(fmt::format("\"{}\" has no unit; write it like {}", written, example_of(kind)));
  switch (kind) {
    case Kind::rate:
      return parse_operation_rate(text);
    case Kind::throughput:
      if (const auto rate = parse_rate(text)) return *rate;
      return usage_error(fmt::format(
          "\"{}\" is not a rate of bytes above 0; write it like 100MB/s (10^6) or 100MiB/s (2^20)", written));
    case Kind::error_rate:
      return parse_share(text);
    default:
      break;
  }
  const auto time = parse_duration(text);
  if (!time)
    return usage_error(
        fmt::format("\"{}\" is not a time above 0; write it like 850us, 50ms or 1.5s", written));
  return static_cast<double>(time->count()) / 1e3;
}

Result<Slo::Relation> read_relation(ExpressionReader& in) {
  const char first = in.at_end() ? '\0' : in.text[in.at];
  if (first != '<' && first != '>') {
    return in.wrong(first == '=' ? fmt::format("'=' is no relation here; use one of <, <=, >, >=")
                                 : fmt::format("'<', '<=', '>' or '>=' is missing; {}", form));
  }
  ++in.at;
  const bool equal = !in.at_end() && in.text[in.at] == '=';
  if (equal) ++in.at;
  if (first == '<') return equal ? Slo::Relation::at_most : Slo::Relation::below;
  return equal ? Slo::Relation::at_least : Slo::Relation::above;
}

std::string_view unit_of(Kind kind) {
  switch (kind) {
    case Kind::rate:
      return "/s";
    case Kind::throughput:
      return "bytes/s";
    case Kind::error_rate:
      return "ratio";
    default:
      return "us";
  }
}

const Histogram& times_in(const Cell& cell, Figure::Time time) {
  switch (time) {
    case Figure::Time::service:
      return cell.service;
    case Figure::Time::ttfb:
      return cell.ttfb;
    case Figure::Time::response:
      break;
  }
  return cell.response;
}

// "no GET of 1 MiB", for a sentence about what there was none of.
std::string none_of(const Slo& slo) {
  std::string text =
      fmt::format("no {}", slo.of.operation ? std::string(name(*slo.of.operation)) : "operation");
  if (!slo.of.size.empty()) text += fmt::format(" of {}", format_size(parse_size(slo.of.size).value_or(0)));
  if (!slo.of.pattern.empty()) text += fmt::format(" of {}", slo.of.pattern);
  return text;
}

// Empty where they are enough for the percentile.
std::string hint_on_samples(std::uint64_t samples, double percentile) {
  const double beyond = (100 - percentile) / 100;
  if (static_cast<double>(samples) * beyond >= least_beyond) return {};
  return fmt::format("too few samples: {}, and p{:g} needs {}", format_count(samples), percentile,
                     format_count(static_cast<std::uint64_t>(std::llround(least_beyond / beyond))));
}

// What was never sent took longer than all that was: who would have arrived then still waits.
void judge_with_unsent(const Figure& figure, const SloCells& cells, SloResult& result) {
  const auto samples = static_cast<double>(cells.times.count());
  const std::string unsent = format_count(static_cast<std::uint64_t>(std::llround(cells.not_sent)));
  const double percentile = figure.percentile * (samples + cells.not_sent) / samples;
  if (figure.kind != Kind::percentile || percentile > 100) {
    result.why = fmt::format("not known, as {} intended operations were not sent", unsent);
    return;
  }
  result.value = static_cast<double>(cells.times.percentile(percentile));
  result.hint = fmt::format("with {} that were not sent as the slowest", unsent);
}

// A unit as an expression writes it, and how much of the figure's own unit it is.
struct WrittenUnit {
  std::string name;
  double size = 1;
};

// Of the limit behind the relation; nothing of one that is put together ("1m30s").
std::optional<WrittenUnit> unit_of_limit(const SloResult& result) {
  const std::string_view text = result.expression;
  const std::size_t relation = text.find_last_of("<>=");
  if (relation == text.npos) return std::nullopt;
  const std::string_view limit = trimmed(text.substr(relation + 1));
  const std::size_t end = std::min(limit.find_first_not_of("0123456789."), limit.size());
  const std::string_view unit = trimmed(limit.substr(end));
  const double number = std::strtod(std::string(limit.substr(0, end)).c_str(), nullptr);
  if (unit.empty() || unit.find_first_of("0123456789") != unit.npos || number <= 0) return std::nullopt;
  return WrittenUnit{.name = std::string(unit), .size = result.limit / number};
}

// With as many digits as it takes to be on the side of the limit where the value is.
std::string value_in(const WrittenUnit& unit, double value, double limit) {
  constexpr int most_digits = 6;
  const int least_digits = value / unit.size < 100 ? 1 : 0;
  std::string text;
  for (int digits = least_digits; digits <= most_digits; ++digits) {
    text = fmt::format("{:.{}f}", value / unit.size, digits);
    const double shown = std::strtod(text.c_str(), nullptr), at = limit / unit.size;
    if (value == limit || (value < limit ? shown < at - 1e-9 * at : shown > at + 1e-9 * at)) break;
  }
  return text + unit.name;
}

bool has_size(OperationKind kind) {
  return kind != OperationKind::list && kind != OperationKind::delete_batch;
}

bool moves_bytes(OperationKind kind) {
  return kind != OperationKind::head && kind != OperationKind::del && kind != OperationKind::trim;
}

}  // namespace

bool Slo::kept_by(double value) const {
  switch (relation) {
    case Relation::below:
      return value < limit;
    case Relation::at_most:
      return value <= limit;
    case Relation::above:
      return value > limit;
    case Relation::at_least:
      break;
  }
  return value >= limit;
}

Result<Slo> parse_slo(std::string_view whole) {
  const std::string_view text = trimmed(whole);
  Slo slo{.text = std::string(text)};
  ExpressionReader in{text};
  auto of = read_figure(in, grammar);
  if (!of) return std::unexpected(of.error());
  slo.of = std::move(*of);
  in.skip_blanks();
  const auto relation = read_relation(in);
  if (!relation) return std::unexpected(relation.error());
  slo.relation = *relation;
  in.skip_blanks();
  if (in.at_end()) {
    return in.wrong(fmt::format("a limit is missing; write it behind the '{}', like {}",
                                text.substr(text.find_first_of("<>"), 1), example_of(slo.of.figure.kind)));
  }
  const auto limit = parse_limit(slo.of.figure.kind, text.substr(in.at));
  if (!limit) return in.wrong(limit.error().message);
  slo.limit = *limit;
  if (slo.relation == Slo::Relation::below && slo.limit == 0)
    return in.wrong("nothing is below 0; write <= where nothing at all is allowed");
  return slo;
}

Result<void> check_slo(const Slo& slo, std::span<const SloScope> run) {
  const FigureSelector& of = slo.of;
  const auto wrong = [&](std::size_t at, const std::string& why) {
    return wrong_expression(slo.text, at, why);
  };
  std::vector<const SloScope*> meant;
  std::vector<std::string_view> names;
  for (const SloScope& scope : run) {
    names.push_back(scope.pattern);
    if (of.pattern.empty() || of.pattern == scope.pattern) meant.push_back(&scope);
  }
  if (meant.empty()) {
    // A single name before the figure may be a misspelt operation as well.
    if (!of.operation) names.insert(names.end(), operation_names.begin(), operation_names.end());
    return wrong(of.pattern_at, fmt::format("{} is not among the patterns of this run; {}", of.pattern,
                                            suggest(of.pattern, names)));
  }
  const auto does = [&](const SloScope* scope) {
    return !of.operation || std::ranges::find(scope->operations, *of.operation) != scope->operations.end();
  };
  std::set<std::string_view> done;
  for (const SloScope* scope : meant) {
    for (const OperationKind kind : scope->operations) done.insert(name(kind));
  }
  std::erase_if(meant, std::not_fn(does));
  const std::string who = of.pattern.empty() ? "no pattern of this run" : of.pattern;
  if (meant.empty()) {
    return wrong(of.operation_at,
                 fmt::format("{} does {}{}; use one of {}", who, of.pattern.empty() ? "" : "no ",
                             name(*of.operation), fmt::join(done, ", ")));
  }
  if (of.operation && of.figure.kind == Kind::throughput && !moves_bytes(*of.operation)) {
    return wrong(of.figure_at,
                 fmt::format("{} moves no object's bytes, so that it has no throughput; ask for "
                             "its rate",
                             name(*of.operation)));
  }
  if (of.size.empty()) return {};
  if (of.operation && !has_size(*of.operation))
    return wrong(of.size_at, fmt::format("{} is of no object, so that it has no size; leave {} out",
                                         name(*of.operation), of.size));
  std::vector<std::string_view> sizes;
  for (const SloScope* scope : meant) {
    if (scope->other_sizes) return {};
    sizes.insert(sizes.end(), scope->sizes.begin(), scope->sizes.end());
  }
  if (std::ranges::find(sizes, of.size) != sizes.end()) return {};
  std::vector<std::string_view> once;
  for (const std::string_view size : sizes) {
    if (std::ranges::find(once, size) == once.end()) once.push_back(size);
  }
  return wrong(of.size_at,
               fmt::format("there is no object of {} in this run; {}", of.size,
                           once.empty() ? "leave the size out"
                                        : fmt::format("its sizes are {}", fmt::join(once, ", "))));
}

SloCells cells_of(const Slo& slo, const Snapshot& snapshot) {
  SloCells sum;
  struct Ended {
    double all = 0, covered = 0;
  };
  std::map<std::string_view, Ended> ended;  // by pattern in an open loop
  for (const auto& [key, cell] : snapshot.cells) {
    const bool covered = slo.of.covers(key);
    if (is_in_mix(key.operation) && snapshot.arrivals.contains(key.pattern)) {
      const auto count = static_cast<double>(cell.counters.count);
      ended[key.pattern].all += count;
      if (covered) ended[key.pattern].covered += count;
    }
    if (!covered) continue;
    sum.count += cell.counters.count;
    sum.errors += cell.counters.errors;
    sum.bytes_moved += cell.counters.bytes_moved;
    sum.in_time += cell.counters.in_time();
    sum.bytes_in_time += cell.counters.bytes_in_time();
    if (slo.of.figure.is_time()) sum.times.add(times_in(cell, slo.of.figure.time));
  }
  for (const auto& [pattern, of] : ended) {
    if (of.covered > 0)
      sum.not_sent += static_cast<double>(snapshot.starved(std::string(pattern))) * of.covered / of.all;
  }
  return sum;
}

std::vector<SloResult> judge_slos(std::span<const Slo> slos, const Snapshot& total, double seconds) {
  std::vector<SloResult> results;
  for (const Slo& slo : slos) {
    const SloCells cells = cells_of(slo, total);
    const Figure& figure = slo.of.figure;
    SloResult result{.expression = slo.text, .limit = slo.limit, .unit = std::string(unit_of(figure.kind))};
    const double count = static_cast<double>(cells.count);
    if (figure.is_time() && cells.times.empty()) {
      result.why = none_of(slo) + " succeeded";
    } else if (!figure.is_time() && cells.count == 0 &&
               (figure.kind != Kind::throughput || cells.bytes_moved == 0)) {
      result.why = none_of(slo) + " ended";
    } else if (!figure.is_time() && figure.kind != Kind::error_rate && seconds <= 0) {
      result.why = "nothing was measured";
    } else if (figure.is_time() && figure.time == Figure::Time::response && cells.not_sent >= 1) {
      judge_with_unsent(figure, cells, result);
    } else if (figure.kind == Kind::percentile) {
      result.value = static_cast<double>(cells.times.percentile(figure.percentile));
      result.hint = hint_on_samples(cells.times.count(), figure.percentile);
    } else if (figure.kind == Kind::mean) {
      result.value = cells.times.mean();
    } else if (figure.kind == Kind::max) {
      result.value = static_cast<double>(cells.times.max());
    } else if (figure.kind == Kind::rate) {
      result.value = static_cast<double>(cells.in_time) / seconds;
    } else if (figure.kind == Kind::throughput) {
      result.value = static_cast<double>(cells.bytes_in_time) / seconds;
    } else {
      result.value = static_cast<double>(cells.errors) / count;
    }
    result.passed = result.value && slo.kept_by(*result.value);
    results.push_back(std::move(result));
  }
  return results;
}

std::string measured_text(const SloResult& result) {
  if (!result.value) return result.why;
  std::string text = figure_text(*result.value, result.unit);
  const bool looks_equal = *result.value != result.limit && text == figure_text(result.limit, result.unit);
  if (result.unit == "bytes/s" || result.unit == "/s" || looks_equal) {
    if (const auto unit = unit_of_limit(result)) text = value_in(*unit, *result.value, result.limit);
  }
  return result.hint.empty() ? text : fmt::format("{} ({})", text, result.hint);
}

std::string figure_text(double value, std::string_view unit) {
  if (unit == "us") return format_latency(std::llround(value));
  if (unit == "bytes/s") return format_rate(value);
  if (unit == "ratio") return fmt::format("{:.3g}%", 100 * value);
  return fmt::format("{:.{}f}{}", value, value < 100 ? 1 : 0, unit);
}

}  // namespace s3lt
