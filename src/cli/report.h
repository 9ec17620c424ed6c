// s3loadtest report [DIR]: shows a run again from its directory, as text, JSON and HTML. Also what `run` does
// for its report.html.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_flags.h"
#include "config/settings.h"
#include "report/report_data.h"
#include "report/text.h"
#include "results/run_record.h"
#include "schedule/phases.h"

namespace s3lt {

struct ReportFlags {
  CommonFlags common;
  std::vector<std::string> words;  // the run directory, or none: the newest
  std::string html;                // where the page goes; empty: into the run directory
  bool json = false;
};

void add_report_flags(CLI::App& app, ReportFlags& flags);
int report_command(const ReportFlags& flags);  // the exit status

// Writes report.html of a run, whole or not at all; empty `file`: into its directory.
Result<void> write_html_report(const std::filesystem::path& run_directory,
                               const std::filesystem::path& file = {});

// When the patterns of a run had their bursts and cycles, until the end of what was recorded.
PhaseSpans phases_of_run(const RunReader& reader, const RebuiltRun& run);

// A run directory as people name it: a path, or a name in the log directory ("latest", a run's id).
std::filesystem::path find_run(const Settings& settings, const std::string& word);

// A schedule as run.json keeps it.
ScheduleRecord record_of(const std::string& pattern, const Phases& phases);

}  // namespace s3lt
