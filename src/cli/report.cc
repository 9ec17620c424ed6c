#include "cli/report.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>

#include "base/log.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "cli/settings_of.h"
#include "report/html_report.h"
#include "report/report_data.h"
#include "report/table.h"
#include "report/text.h"
#include "results/figures.h"
#include "results/json_text.h"
#include "results/line_file.h"
#include "results/run_rebuild.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::string_view, 4> schedule_kinds = {"always", "burst_and_gap", "random_bursts",
                                                            "cycle"};
// Beyond that no chart shows them apart.
constexpr std::size_t most_spans = 1000;

std::vector<PhaseSpan> spans_of(const ScheduleRecord& record, Duration length) {
  const auto kind = std::ranges::find(schedule_kinds, record.kind);
  if (kind == schedule_kinds.end() || record.kind == "always") return {};
  Schedule schedule{.kind = static_cast<Schedule::Kind>(kind - schedule_kinds.begin()),
                    .burst = seconds(record.burst_seconds),
                    .gap = seconds(record.gap_seconds),
                    .window = seconds(record.window_seconds),
                    .cycle = seconds(record.cycle_seconds),
                    .least = record.least_bursts,
                    .most = record.most_bursts};
  const bool cycles = schedule.kind == Schedule::Kind::cycle;
  const Duration whole = cycles                                           ? schedule.cycle
                         : schedule.kind == Schedule::Kind::burst_and_gap ? schedule.burst + schedule.gap
                                                                          : schedule.window;
  if (whole <= Duration::zero() || schedule.burst < Duration::zero() || schedule.least > schedule.most)
    return {};
  if (length / whole > static_cast<Duration::rep>(most_spans)) return {};
  const Phases phases(schedule, record.seed);
  std::vector<PhaseSpan> spans;
  for (Duration t{}; t < length;) {
    const Phase phase = phases.at(t);
    if (phase.end <= t) break;
    if (cycles || phase.kind == PhaseKind::burst)
      spans.push_back(
          {to_seconds(phase.begin), to_seconds(std::min(phase.end, length)), cycles ? "cycle" : "burst"});
    t = phase.end;
  }
  return spans;
}

std::string title_of(const RunInfo& info) {
  return fmt::format("{} - {} - s3loadtest", info.pattern, format_rfc3339(info.started).substr(0, 16));
}

Result<std::string> page_of(const RunReader& reader, const RebuiltRun& run) {
  const auto data = report_data(reader, run, phases_of_run(reader, run));
  if (!data) return std::unexpected(data.error());
  return report_html(title_of(run.result.info), *data);
}

fs::path own_page(const RunReader& reader) {
  return reader.path() / "report.html";
}

// Of a run that ended text and JSON need no series, and a page without it would be empty.
bool lacks_series(const RunReader& reader, const RebuiltRun& run) {
  std::error_code missing;
  const auto size = fs::file_size(reader.path() / "series.jsonl", missing);
  return run.ended && (missing || size == 0) && operations_done(run.result.total) > 0;
}

std::string text_of(const RebuiltRun& run) {
  const TextStyle style = style_of_stdout();
  const std::string text = summary_text(run.result, style);
  if (run.ended) return text;
  return wrapped(run.goes_on ? "The run is still going: these are the figures up to now."
                             : "The run did not end: these are the figures up to its last recorded second.",
                 style.width, 0, run.goes_on ? Tone::strong : Tone::bad, style.colour) +
         "\n" + text;
}

// The file as it is: what is parsed and written again may differ in the last digit of a number.
std::string json_of(const RunReader& reader, const RebuiltRun& run) {
  if (!run.ended) return json_text(summary_of(reader, run)) + "\n";
  std::ifstream file(reader.path() / "summary.json", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

PhaseSpans phases_of_run(const RunReader& reader, const RebuiltRun& run) {
  PhaseSpans phases;
  for (const ScheduleRecord& record : run.result.info.schedules)
    phases[record.pattern] = spans_of(record, reader.recorded_until());
  return phases;
}

ScheduleRecord record_of(const std::string& pattern, const Phases& phases) {
  const Schedule& s = phases.schedule();
  return {.pattern = pattern,
          .kind = std::string(schedule_kinds[static_cast<std::size_t>(s.kind)]),
          .burst_seconds = to_seconds(s.burst),
          .gap_seconds = to_seconds(s.gap),
          .window_seconds = to_seconds(s.window),
          .cycle_seconds = to_seconds(s.cycle),
          .least_bursts = s.least,
          .most_bursts = s.most,
          .seed = phases.seed()};
}

fs::path find_run(const Settings& settings, const std::string& word) {
  std::error_code ignored;
  if (fs::exists(word, ignored) || word.find('/') != word.npos) return word;
  const fs::path named = settings.log_dir / word;
  return word == "latest" || fs::exists(named, ignored) ? named : fs::path(word);
}

Result<void> write_html_report(const fs::path& run_directory, const fs::path& file) {
  const auto reader = RunReader::open(run_directory);
  if (!reader) return std::unexpected(reader.error());
  const auto run = rebuild_run(*reader);
  if (!run) return std::unexpected(run.error());
  const auto page = page_of(*reader, *run);
  if (!page) return std::unexpected(page.error());
  return write_atomically(file.empty() ? own_page(*reader) : file, *page);
}

void add_report_flags(CLI::App& app, ReportFlags& flags) {
  app.add_option("DIR", flags.words,
                 "a run directory, or the name of one in the log directory (default: latest)");
  add_common_flags(app, flags.common);
  add_value(app, "--html", flags.html, as_file, "where report.html goes", "FILE", "into the run directory");
  app.add_flag("--json", flags.json, "the summary as JSON on stdout");
}

int report_command(const ReportFlags& flags) {
  if (flags.words.size() > 1)
    return fail_usage(
        fmt::format("report takes one run directory, not {}: call it for each", flags.words.size()));
  const auto settings = local_settings(flags.common);
  if (!settings) return fail(settings.error());
  const auto reader =
      RunReader::open(find_run(*settings, flags.words.empty() ? "latest" : flags.words.front()));
  if (!reader) return fail(reader.error());
  const auto run = rebuild_run(*reader);
  if (!run) return fail(run.error());
  const int printed = print_and_end(flags.json ? json_of(*reader, *run) : text_of(*run));
  if (lacks_series(*reader, *run)) {
    const std::string sentence = fmt::format(
        "no page was written: {} is missing or empty, and it holds the course of the run, which the page "
        "shows",
        (reader->path() / "series.jsonl").string());
    if (!flags.html.empty()) return fail_usage(sentence);
    log_warning(sentence);
    return printed;
  }
  const auto page = page_of(*reader, *run);
  if (!page) return fail({page.error().kind, "no page was written: " + page.error().message});
  if (const auto written =
          write_atomically(flags.html.empty() ? own_page(*reader) : fs::path(flags.html), *page);
      !written) {
    // Who looks at another's runs may not write there, and has the text all the same.
    return fail({written.error().kind, written.error().message + "; name another place with --html FILE"});
  }
  return printed;
}

}  // namespace s3lt
