// The course of one operation over a run in bounded memory: what happened in stretches of equal length, a
// second each at first, twice as long whenever there are too many of them. Not thread-safe; fed once a
// second.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "measure/snapshot.h"
#include "measure/statistics.h"

namespace s3lt {

// The counters of a histogram that are not zero, in their order. 8 bytes each.
using SparseCounts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

struct Batch {
  double seconds = 0;
  double count = 0, bytes_moved = 0;  // of operations that ended in time, and of body bytes
  double response_sum = 0;            // microseconds, of ok operations
  SparseCounts response;              // of ok operations
  void add(const Batch& other);
};

// What is shorter makes no rate.
inline constexpr double least_second = 0.5;

// The batches of one operation of a pattern. At most `most` of them: of an operation whose response times
// fall into 500 buckets of the histogram, that is 1 MiB.
class BatchedSeries {
 public:
  static constexpr std::size_t most = 256;
  // The next second, also one in which nothing happened (null).
  void add(double seconds, const Cell* cell);
  // The rest of the last second: too short for a rate of its own, or after the load was stopped (0 s).
  void extend(double seconds, const Cell* cell);
  const std::vector<Batch>& batches() const { return batches_; }

  // What happened a second in each full batch: of operations, of bytes.
  std::vector<double> rates(double Batch::* amount) const;
  // Where the percentile (0 to 100) of all ok operations lies, in microseconds, at this confidence; nothing
  // where there is none. `total` holds the same samples.
  std::optional<Interval> percentile_interval(const Histogram& total, double percentile,
                                              double confidence) const;

 private:
  std::vector<Batch> batches_;       // the last one may not be full
  std::size_t seconds_each_ = 1;     // of a full batch
  std::size_t seconds_in_last_ = 0;  // of the last one
};

// Whole seconds in a row in which hardly an operation of a pattern ended and hardly a byte moved: a tenth at
// most of what did a second until then, and in an open loop of what was due. TRIMs, which are outside of mix
// and rate, are not counted.
struct StandStill {
  Duration from{}, to{};  // since the start of the load
  Duration latest_end{};  // the end of the next second, within which it ended
  Duration longest{};     // response time of what ended in that second
  double rate = 0;        // of operations meanwhile
  double before = 0;      // in the second before
  double usual = 0;       // until then, without such seconds; in an open loop what was due
};

// The courses of all operations of a run (sizes together).
class RunCourse {
 public:
  using Key = std::pair<std::string, OperationKind>;
  // The next second of the load; a shorter one than half ends the one before.
  void add(const Snapshot& second);
  const std::map<Key, BatchedSeries>& operations() const { return series_; }
  // Of the pattern, where others or none; the first ones of many.
  const std::vector<StandStill>& stand_stills(const std::string& pattern) const;
  bool is_open(const std::string& pattern) const;  // in an open loop

 private:
  static constexpr std::size_t most_stand_stills = 100;
  struct Progress {
    double seconds = 0, operations = 0, bytes = 0;  // until now, without stand-stills
    double last_rate = 0;
    bool stands = false;         // the last second did
    std::uint64_t intended = 0;  // starts of an open loop until now
    std::vector<StandStill> stops;
  };
  void watch(const Snapshot& second);
  std::map<std::string, Progress> progress_;
  std::map<Key, BatchedSeries> series_;
  std::size_t seconds_ = 0;  // that are over
};

}  // namespace s3lt
