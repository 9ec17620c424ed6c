#include "cli/run_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "base/units.h"
#include "report/text.h"

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

unsigned terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

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
}

void RunView::stopping() {
  log_line(LogLevel::info, {},
           fmt::format("stopping: operations in flight may end within {}", format_duration(plan_.grace)));
}

void RunView::second(const Snapshot& second, const Snapshot& total) {
  if (const auto written = directory_.append(second); !written && !write_failed_) {
    write_failed_ = true;
    log_error(written.error().message);
  }
  if (options_.live) draw(second, total);
  if (options_.stats_interval <= Duration::zero() || total.to < next_stats_) return;
  while (next_stats_ <= total.to) next_stats_ += options_.stats_interval;
  for (const PlannedPattern& p : plan_.patterns) {
    log_line(LogLevel::info, {.test = p.pattern.name, .worker = options_.worker, .op = "STATS"},
             stats_line(total, p.pattern.name, total.to));
  }
}

void RunView::draw(const Snapshot& second, const Snapshot& total) {
  erase_live();
  live_text.clear();
  const TextStyle style{.width = terminal_width() - 1, .colour = std::getenv("NO_COLOR") == nullptr};
  for (const PlannedPattern& p : plan_.patterns) {
    if (!live_text.empty()) live_text += '\n';
    live_text += progress_line({.pattern = p.pattern.name,
                                .elapsed = total.to,
                                .duration = options_.duration,
                                .total = &total,
                                .recent = &second},
                               style);
  }
  show_live();
}

}  // namespace s3lt
