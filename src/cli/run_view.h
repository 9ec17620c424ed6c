// What a run shows while it goes on: STATS lines every interval, and on a terminal a live line per pattern.
// Also keeps the run directory up to date. Used by one thread.
#pragma once

#include <csignal>
#include <map>
#include <set>
#include <string>

#include "engine/run.h"
#include "measure/batched_series.h"
#include "results/run_directory.h"
#include "results/slo_watch.h"

namespace s3lt {

class RunProxy;

// A STATS or FINAL line of one pattern, with its figures as fields of the JSON form.
void log_figures(const Snapshot& total, std::string_view pattern, unsigned worker, std::string_view op,
                 std::string_view line);

struct RunViewOptions {
  Duration duration{};        // 0: until stopped
  Duration stats_interval{};  // 0: no STATS lines
  unsigned worker = 0;
  bool live = false;  // stderr is a terminal
  const volatile std::sig_atomic_t* interrupts = nullptr;
  SloWatch* slos = nullptr;   // what ends the run early; may be null
  RunProxy* proxy = nullptr;  // likewise
};

class RunView : public RunObserver {
 public:
  RunView(RunViewOptions options, RunDirectory& directory, const RunPlan& plan);
  ~RunView() override;

  void started() override;
  void second(const Snapshot& second, const Snapshot& total) override;
  bool interrupted() override { return *options_.interrupts > 0 || denied_ || !ended_early_.empty(); }
  void stopping() override;
  // Ends the live line.
  void finish();

  // What was measured, for how sure it is.
  const RunCourse& course() const { return course_; }
  // Why an objective that cannot be met any more ended the run; empty: none did.
  const std::string& ended_early() const { return ended_early_; }
  // The run directory could not take everything, and this was said.
  bool write_failed() const { return write_failed_; }

 private:
  void draw(const Snapshot& second, const Snapshot& total);
  void look_at_slos(const Snapshot& second, const Snapshot& total);
  void tell_of_waiting(const Snapshot& total);
  void begin_proxy();
  void tell_of_proxy();
  void warn_of_new_errors(const Snapshot& second);
  RunViewOptions options_;
  RunDirectory& directory_;
  const RunPlan& plan_;
  TimePoint t0_{};
  Duration next_stats_{};
  RunCourse course_;
  bool warming_up_ = false;
  bool write_failed_ = false;
  bool denied_ = false;  // an operation of the load may not be done at all
  bool stopping_ = false;
  std::string ended_early_;
  std::map<std::string, Duration> next_waiting_line_;  // by pattern
  std::set<std::string> warned_of_;                    // kinds of error
};

}  // namespace s3lt
