#include "report/comparison_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "report/table.h"

namespace s3lt {
namespace {

constexpr std::size_t most_named = 4;
// A figure that shows no smaller change than this is worth a word.
constexpr double dull = 0.2;

std::string value_text(const ComparedFigure& figure, double value) {
  if (figure.name == "rate") return fmt::format("{:.1f}/s", value);
  if (figure.name == "throughput") return format_rate(value);
  if (figure.name == "errors") return fmt::format("{:.2f}%", value * 100);
  return format_latency(std::llround(value));
}

std::string change_text(const ComparedFigure& figure) {
  if (std::isinf(figure.change)) return "new";
  return fmt::format("{:+.1f}%", figure.change * 100 + 0.0);
}

std::string threshold_text(const ComparedFigure& figure) {
  return std::isinf(figure.threshold) ? blind_text(figure) : fmt::format("{:.1f}%", figure.threshold * 100);
}

std::string size_text(const std::string& label) {
  const auto bytes = parse_size(label);
  return bytes ? format_size(*bytes) : label;
}

std::vector<std::string> patterns_of(const Comparison& comparison) {
  std::vector<std::string> patterns;
  for (const ComparedFigure& figure : comparison.figures) {
    if (std::ranges::find(patterns, figure.pattern) == patterns.end()) patterns.push_back(figure.pattern);
  }
  return patterns;
}

Table figures_table(const Comparison& comparison, const std::string& pattern) {
  Table table;
  table.header = {"figure", "A", "B", "change", "says something from", ""};
  OperationKind last{};
  bool any = false;
  for (const ComparedFigure& figure : comparison.figures) {
    if (figure.pattern != pattern) continue;
    if (!any || figure.operation != last) {
      table.rows.push_back({{std::string(name(figure.operation))}, {}, {}, {}, {}, {}});
      last = figure.operation;
      any = true;
    }
    const Tone tone = figure.different ? Tone::strong : Tone::plain;
    table.rows.push_back({{"  " + figure.name, tone},
                          {value_text(figure, figure.a), tone},
                          {value_text(figure, figure.b), tone},
                          {change_text(figure), tone},
                          {threshold_text(figure), Tone::dim},
                          {figure.different ? "different" : "", tone}});
  }
  return table;
}

Table sizes_table(const Comparison& comparison, const std::string& pattern) {
  Table table;
  table.header = {"size", "p50 A", "p50 B", "change", "p99 A", "p99 B", "change"};
  const auto latency = [](double us) { return format_latency(std::llround(us)); };
  const auto change = [](double a, double b) { return fmt::format("{:+.1f}%", 100 * (b / a - 1) + 0.0); };
  for (const ComparedSize& size : comparison.sizes) {
    if (size.pattern != pattern) continue;
    table.rows.push_back({{fmt::format("{} {}", name(size.operation), size_text(size.size))},
                          {latency(size.p50_a)},
                          {latency(size.p50_b)},
                          {change(size.p50_a, size.p50_b)},
                          {latency(size.p99_a)},
                          {latency(size.p99_b)},
                          {change(size.p99_a, size.p99_b)}});
  }
  return table;
}

// The largest change of which nobody can tell; null: none is worth a word.
const ComparedFigure* largest_untold(const Comparison& comparison) {
  constexpr double worth_a_word = 0.2;
  const ComparedFigure* largest = nullptr;
  for (const ComparedFigure& figure : comparison.figures) {
    const double change = std::abs(figure.change);
    if (figure.name == "errors" || std::isfinite(figure.threshold) || change <= worth_a_word) continue;
    if (largest == nullptr || change > std::abs(largest->change)) largest = &figure;
  }
  return largest;
}

// How much "no difference" is worth: which figures could not have shown one, and what the bluntest of the
// others could have. Of error shares there is nearly always something to say, so they count for nothing here.
std::string nothing_different(const Comparison& comparison) {
  std::size_t told = 0, few_seconds = 0, few_samples = 0;
  const ComparedFigure* bluntest = nullptr;
  for (const ComparedFigure& figure : comparison.figures) {
    if (figure.name == "errors") continue;
    ++(std::isfinite(figure.threshold) ? told : figure.few_samples ? few_samples : few_seconds);
    if (std::isfinite(figure.threshold) && (bluntest == nullptr || figure.threshold > bluntest->threshold))
      bluntest = &figure;
  }
  if (bluntest == nullptr) return "Nothing can be said: the runs are too short, or have too few operations.";
  std::string text = "No difference: every change is below 3%, or no more than chance";
  if (const ComparedFigure* untold = largest_untold(comparison)) {
    text = fmt::format(
        "No difference could be shown, although {} {} changed by {}, with {} to tell; every other change is "
        "below 3%, no more than chance, or as hard to tell",
        name(untold->operation), untold->name, change_text(*untold), blind_text(*untold));
  }
  if (bluntest->threshold > dull) {
    text += fmt::format("; but {} {} would have had to change by {} to show", name(bluntest->operation),
                        bluntest->name, threshold_text(*bluntest));
  }
  const std::size_t all = told + few_seconds + few_samples;
  const auto add = [&](std::size_t blind, std::string_view few) {
    if (blind > 0)
      text += fmt::format("; {} of {} figures {} too few {} to tell", blind, all, blind == 1 ? "has" : "have",
                          few);
  };
  add(few_seconds, "independent seconds");
  add(few_samples, "samples");
  if (all > told) text += ": a longer run would";
  return text + ".";
}

std::string rule_text(const RuleResult& result) {
  const ComparedFigure& worst = *result.worst;
  std::string text = fmt::format("{}: {} ({}{})", result.rule->text, result.failed ? "FAILED" : "passed",
                                 change_text(worst), worst.different ? "" : ", which may be chance");
  if (result.untold != nullptr)
    text += fmt::format("; {} {} of {} has {} to tell, a longer run would", name(result.untold->operation),
                        result.untold->name, result.untold->pattern, blind_text(*result.untold));
  return text;
}

}  // namespace

std::string blind_text(const ComparedFigure& figure) {
  if (std::isfinite(figure.threshold)) return {};
  return figure.few_samples ? "too few samples" : "too few independent seconds";
}

std::string comparison_verdict(const Comparison& comparison) {
  std::vector<const ComparedFigure*> different;
  for (const ComparedFigure& figure : comparison.figures) {
    if (figure.different) different.push_back(&figure);
  }
  if (comparison.figures.empty()) return "Nothing to compare: the runs have no operation in common.";
  if (different.empty()) return nothing_different(comparison);
  std::ranges::sort(different,
                    [](const auto* x, const auto* y) { return std::abs(x->change) > std::abs(y->change); });
  const bool several = patterns_of(comparison).size() > 1;
  std::vector<std::string> named;
  for (const ComparedFigure* f : different) {
    if (named.size() == most_named) break;
    named.push_back(fmt::format("{}{} {} {} ({} to {})", several ? f->pattern + " " : "", name(f->operation),
                                f->name, change_text(*f), value_text(*f, f->a), value_text(*f, f->b)));
  }
  const std::size_t rest = different.size() - named.size();
  return fmt::format("B differs from A: {}{}.", fmt::join(named, ", "),
                     rest > 0 ? fmt::format(" and {} more", rest) : "");
}

std::string comparison_text(const Comparison& comparison, const ComparedRuns& runs,
                            const std::vector<RuleResult>& rules, const TextStyle& style) {
  std::string out = fmt::format("A: {}\nB: {}\n\n", runs.a, runs.b);
  if (!runs.forced_past.empty())
    out += wrapped(fmt::format("compared by --force, though these runs did not do the same: {}",
                               fmt::join(runs.forced_past, "; ")),
                   style.width, 0, Tone::bad, style.colour) +
           "\n";
  for (const std::string& warning : comparison.warnings)
    out += wrapped(warning, style.width, 0, Tone::bad, style.colour) + "\n";
  for (const std::string& pattern : patterns_of(comparison)) {
    out += in_tone(pattern, Tone::strong, style.colour) + "\n" +
           render(figures_table(comparison, pattern), style) + "\n";
    if (const Table sizes = sizes_table(comparison, pattern); !sizes.rows.empty())
      out += render(sizes, style) + "\n";
  }
  for (const RuleResult& result : rules)
    out += wrapped(rule_text(result), style.width, 0, result.failed ? Tone::bad : Tone::plain, style.colour);
  if (!rules.empty()) out += "\n";
  return out + wrapped(comparison_verdict(comparison), style.width, 0, Tone::strong, style.colour);
}

}  // namespace s3lt
