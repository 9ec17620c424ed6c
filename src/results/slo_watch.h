// Whether the objectives of a run can still be met, once a second, for --slo-abort. Says no only where the
// rest of the run cannot turn it any more: docs/measurement.md, "SLOs", has the rules. Pure: time comes with
// the snapshots. Used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "results/slo.h"

namespace s3lt {

// How far the run goes.
struct RunHorizon {
  std::optional<Duration> duration;  // the warm-up included
  Duration warmup{}, grace{};
  std::optional<std::uint64_t> operations;
  bool byte_limit = false;  // --bytes may end it at any time
  std::uint64_t clients = 0;
};

class SloWatch {
 public:
  SloWatch(std::vector<Slo> slos, std::vector<SloScope> run, RunHorizon horizon);

  // The second that just ended, none of the warm-up, and everything measured so far. Nothing while each
  // objective may still be met; else a sentence without its end.
  std::optional<std::string> look(const Snapshot& second, const Snapshot& total);

 private:
  struct Watched {
    Slo slo;
    bool steady = true;
    double best_count = 0, best_bytes = 0;  // of a second
  };
  // The most operations that can still end; nothing where that is not known.
  std::optional<double> most_to_come(const Watched& of, const Snapshot& total) const;
  std::optional<std::string> why_hopeless(const Watched& of, const Snapshot& total) const;
  std::optional<std::string> why_times(const Watched& of, const SloCells& sum,
                                       std::optional<double> to_come) const;
  std::optional<std::string> why_rate(const Watched& of, double done, const Snapshot& total) const;
  // Enough was seen for an estimate, and enough is left to make ending worthwhile.
  bool may_estimate(const Watched& of, const Snapshot& total) const;
  Duration left(const Snapshot& total) const;

  std::vector<Watched> watched_;
  RunHorizon horizon_;
};

}  // namespace s3lt
