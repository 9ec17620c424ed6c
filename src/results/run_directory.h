// The directory that a run leaves: <log dir>/<id>/ with run.json, series.jsonl, histograms.hlog,
// errors.jsonl and the log, and summary.json at the end; `latest` and
// loadtest_<pattern>_<worker>.log beside it are links (docs/formats.md). Every line is written
// and flushed whole once a second, so that all finished seconds are readable after a kill -9 (after a day:
// all finished minutes). A disk that fills up costs the lines that do not fit, never half a line, and not the
// summary, for which room is kept where the file system can. Used by one thread. Every error names the path
// and the system's reason.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "results/run_record.h"

namespace s3lt {

class RunDirectory {
 public:
  // Makes the directory (and the log directory above it), writes run.json and the links. Fills in
  // info.id where it is empty.
  static Result<std::unique_ptr<RunDirectory>> create(const std::filesystem::path& log_dir, RunInfo& info);
  // Makes it exactly here (--out); no links. Refuses a directory that holds a run already.
  static Result<std::unique_ptr<RunDirectory>> create_at(const std::filesystem::path& directory,
                                                         RunInfo& info);

  const std::filesystem::path& path() const;
  std::filesystem::path log_path() const;

  // One finished second: its lines of series.jsonl and histograms.hlog (results/interval_lines.h), the
  // samples of errors.jsonl.
  Result<void> append(const Snapshot& second);
  // summary.json (atomically), the totals in histograms.hlog, and junit.xml where the run has objectives.
  Result<void> finish(const RunResult& result);

  ~RunDirectory();

 private:
  RunDirectory();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace s3lt
