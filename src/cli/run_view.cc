#include "cli/run_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/units.h"
#include "cli/denied_operation.h"
#include "cli/run_proxy.h"
#include "report/text.h"
#include "results/figures.h"

namespace s3lt {
namespace {

// The live lines now on the terminal; log lines step in front of them.
std::string live_text;

void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// The cursor stands at the end of the last live line: go up to the first and clear from there.
void erase_live() {
  if (live_text.empty()) return;
  const auto above = std::count(live_text.begin(), live_text.end(), '\n');
  write_stderr(above > 0 ? fmt::format("\r\x1b[{}A\x1b[J", above) : "\r\x1b[J");
}

void show_live() {
  write_stderr(live_text);
}

// What most operations of a mix are.
std::string_view main_operation(const Mix& mix) {
  return name(static_cast<OperationKind>(std::ranges::max_element(mix) - mix.begin()));
}

// What the schedule of a pattern was at in most of the second that a snapshot is of, as its figures are;
// empty where it has none.
std::string phase_text(const RunPlan& plan, const Pattern& pattern, const Snapshot& second) {
  const Phase phase = phases_of(plan, pattern).at((second.from + second.to) / 2);
  if (phase.end == Duration::max()) return {};
  const Duration to_go = std::max(phase.end - second.to, Duration::zero());
  const std::string left = format_duration(std::chrono::ceil<std::chrono::seconds>(to_go));
  switch (phase.kind) {
    case PhaseKind::burst:
      if (pattern.burst_mixes.empty()) return fmt::format("burst, {} left", left);
      return fmt::format("burst of {}s, {} left", main_operation(mix_in(plan, pattern, phase)), left);
    case PhaseKind::gap:
      return fmt::format("gap, {} left", left);
    case PhaseKind::calm:
      return "calm";
    case PhaseKind::steady:
      break;
  }
  return fmt::format("next pass in {}", left);
}

unsigned terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void log_figures(const Snapshot& total, std::string_view pattern, unsigned worker, std::string_view op,
                 std::string_view line) {
  const PatternFigures figures = pattern_figures(total, pattern);
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  std::vector<LogField> fields{{"ops", number(figures.operations)},
                               {"bytes", number(figures.bytes_moved)},
                               {"errors", number(figures.errors)},
                               {"elapsed", to_seconds(total.to - total.from)}};
  std::vector<std::string> names;  // the fields only view theirs
  names.reserve(3 * operation_kinds);
  for (const OperationFigures& f : operation_figures(total, pattern)) {
    for (const int percentile : {50, 95, 99}) {
      if (f.all.response.empty()) continue;
      names.push_back(fmt::format("{}_p{}_us", name(f.operation), percentile));
      fields.push_back({names.back(), f.all.response.percentile(percentile)});
    }
  }
  log_line(LogLevel::info, {.test = pattern, .worker = worker, .op = op}, line, fields);
}

RunView::RunView(RunViewOptions options, RunDirectory& directory, const RunPlan& plan)
    : options_(options), directory_(directory), plan_(plan), next_stats_(options.stats_interval) {
  if (options_.live) set_log_hooks(erase_live, show_live);
}

RunView::~RunView() {
  finish();
}

void RunView::finish() {
  erase_live();
  live_text.clear();
  set_log_hooks(nullptr, nullptr);
}

void RunView::started() {
  t0_ = now();
  begin_proxy();
}

void RunView::stopping() {
  stopping_ = true;
  if (options_.proxy != nullptr) options_.proxy->stop_counting();
  log_line(LogLevel::info, {},
           fmt::format("stopping: operations in flight may end within {}", format_duration(plan_.grace)));
}

void RunView::second(const Snapshot& second, const Snapshot& total) {
  if (const auto written = directory_.append(second); !written && !write_failed_) {
    write_failed_ = true;
    log_error(written.error().message + "; the run directory lacks what does not fit, the load goes on");
  }
  if (second.warmup) {
    warming_up_ = true;
    // The next one does not belong to it (Snapshot::middle).
    if (second.to + std::chrono::milliseconds(500) >= plan_.warmup) begin_proxy();
  } else {
    if (std::exchange(warming_up_, false)) log_info("the warm-up is over: figures begin here");
    course_.add(second);
    look_at_slos(second, total);
  }
  // Of several patterns, the others go on.
  denied_ = denied_ || (plan_.patterns.size() == 1 && !denied_operations(plan_, total).empty());
  warn_of_new_errors(second);
  tell_of_proxy();
  tell_of_waiting(total);
  if (options_.live) draw(second, total);
  if (options_.stats_interval <= Duration::zero() || total.to < next_stats_) return;
  while (next_stats_ <= total.to) next_stats_ += options_.stats_interval;
  for (const PlannedPattern& p : plan_.patterns) {
    log_figures(total, p.pattern.name, options_.worker, "STATS",
                stats_line(total, p.pattern.name, total.to - total.from));
  }
}

void RunView::begin_proxy() {
  if (options_.proxy != nullptr) options_.proxy->begin();
}

void RunView::tell_of_proxy() {
  if (options_.proxy == nullptr) return;
  for (const std::string& news : options_.proxy->take_news()) log_warning(news);
}

// What ends anyway is not ended early.
void RunView::look_at_slos(const Snapshot& second, const Snapshot& total) {
  if (options_.slos == nullptr || stopping_ || !ended_early_.empty()) return;
  const auto hopeless = options_.slos->look(second, total);
  if (!hopeless || *options_.interrupts > 0) return;
  ended_early_ = *hopeless;
  log_warning("ending the run early: " + ended_early_);
}

// Readers that find no key: at once, and then once a minute.
void RunView::tell_of_waiting(const Snapshot& total) {
  for (const PlannedPattern& p : plan_.patterns) {
    const auto keys = total.keys.find(p.pattern.name);
    if (keys == total.keys.end() || keys->second.waiting == 0) continue;
    auto& next = next_waiting_line_[p.pattern.name];
    if (total.to < next) continue;
    next = total.to + std::chrono::minutes(1);
    log_line(LogLevel::info, {.test = p.pattern.name, .worker = options_.worker},
             fmt::format("{} of {} clients wait: there is no key of {} to read yet",
                         format_count(keys->second.waiting), format_count(p.clients),
                         fmt::join(p.pattern.keys_from, ", ")));
  }
}

// The first error of each kind, at once: an outage should not wait for the next STATS line.
void RunView::warn_of_new_errors(const Snapshot& second) {
  for (const OperationSample& e : second.errors) {
    const std::string status = e.status != 0 ? fmt::format(" {}", e.status) : "";
    const std::string kind =
        fmt::format("{}{}{}{}", name(e.outcome), status, e.reason().empty() ? "" : " ", e.reason());
    if (!warned_of_.insert(fmt::format("{} {} {}", e.pattern, e.operation, kind)).second) continue;
    log_line(LogLevel::warning, {.test = e.pattern, .worker = options_.worker, .op = e.operation},
             fmt::format("{} from {}: {} (the first of its kind; errors.jsonl has more)", kind, e.endpoint,
                         e.message));
  }
}

void RunView::draw(const Snapshot& second, const Snapshot& total) {
  erase_live();
  live_text.clear();
  const TextStyle style{.width = terminal_width() - 1, .colour = std::getenv("NO_COLOR") == nullptr};
  std::vector<std::string> phases;
  std::size_t pattern_width = 0, phase_width = 0;
  for (const PlannedPattern& p : plan_.patterns) {
    const auto keys = total.keys.find(p.pattern.name);
    const bool starved = keys != total.keys.end() && keys->second.waiting > 0;
    phases.push_back(starved ? "waits for keys" : phase_text(plan_, p.pattern, second));
    pattern_width = std::max(pattern_width, p.pattern.name.size());
    phase_width = std::max(phase_width, phases.back().size());
  }
  for (std::size_t i = 0; i < plan_.patterns.size(); ++i) {
    if (!live_text.empty()) live_text += '\n';
    live_text += progress_line({.pattern = plan_.patterns[i].pattern.name,
                                .phase = phases[i],
                                .pattern_width = pattern_width,
                                .phase_width = phase_width,
                                .elapsed = total.to,
                                .duration = options_.duration,
                                .total = &total,
                                .recent = &second},
                               style);
  }
  show_live();
}

}  // namespace s3lt
