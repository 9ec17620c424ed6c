// Runs a load from beginning to end: prefill, load, graceful stop. Blocks the calling thread.
#pragma once

#include <atomic>

#include "base/error.h"
#include "engine/plan.h"
#include "journal/key_journal.h"
#include "measure/snapshot.h"

namespace s3lt {

// Told about the run while it goes on, on the thread that called run_load().
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void started() {}  // the prefill is done, the clock runs
  // One finished second of all threads, and everything so far: of a second of the warm-up, everything of the
  // warm-up; later, everything since.
  virtual void second(const Snapshot& second, const Snapshot& total) = 0;
  // Whether the run is to end before its time (asked at least ten times a second).
  virtual bool interrupted() = 0;
  // The last operations may end now; nothing new is begun.
  virtual void stopping() {}
};

struct LoadResult {
  Snapshot total;      // of what was measured, after the warm-up
  Duration elapsed{};  // of that: until the load was stopped, or its last operation ended
  bool interrupted = false;
  double busiest_thread = 0;  // share of a core
};

// Goes on with the keys in `journal`, keeps it up to date and leaves it at the end; null: none is kept. The
// error is a prefill that could not be done.
Result<LoadResult> run_load(const RunPlan& plan, RunObserver& observer, KeyJournal* journal = nullptr);

}  // namespace s3lt
