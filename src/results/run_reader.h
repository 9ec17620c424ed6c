// Reads a run directory back (docs/formats.md), also that of a run which was killed or still goes on. Files
// are streamed, since those of a month are too long to be held, and a last line that was cut off is left out.
// Used by one thread. Errors name file and line and what is wrong there.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "measure/snapshot.h"

namespace s3lt {

// A line of series.jsonl: a second, later a minute.
struct RecordedInterval {
  Snapshot figures;  // counters, keys and arrivals; a cell an operation, without sizes and histograms
  bool warmup = false;
  const boost::json::object* line = nullptr;  // all of it; valid during the call
};

// What a line of histograms.hlog is about.
struct HistogramTag {
  enum class Scope { interval, minute, total } scope = Scope::interval;
  bool warmup = false;  // before what was measured
  std::string_view pattern;
  OperationKind operation{};
  std::string_view endpoint;  // its URL, of a line about one; there is no pattern then
  std::string_view figure;  // "service", "ttfb", … or the label of a size; empty: response time of all sizes
};
std::optional<HistogramTag> parse_histogram_tag(std::string_view tag);

struct RecordedHistogram {
  HistogramTag tag;
  Duration from{}, to{};
  Histogram histogram;  // min, mean and max to 0.1%
};

class RunReader {
 public:
  // The error of a directory without a run says what is there instead.
  static Result<RunReader> open(const std::filesystem::path& directory);

  const std::filesystem::path& path() const { return path_; }
  const boost::json::object& run() const { return run_; }  // run.json
  // summary.json; null: the run did not end, or goes on.
  const boost::json::object* summary() const { return summary_ ? &*summary_ : nullptr; }
  // Where the last whole line of the series ends, since the start of the load; 0: there is none.
  Duration recorded_until() const { return recorded_until_; }

  // Each line, in the order of time.
  Result<void> for_each_interval(const std::function<void(const RecordedInterval&)>& visit) const;
  // Only what `wanted` says yes to is decoded, which costs more than reading.
  Result<void> for_each_histogram(const std::function<bool(const HistogramTag&)>& wanted,
                                  const std::function<void(const RecordedHistogram&)>& visit) const;
  // The first `most` lines of errors.jsonl.
  Result<boost::json::array> errors(std::size_t most) const;

 private:
  RunReader() = default;
  std::filesystem::path path_;
  boost::json::object run_;
  std::optional<boost::json::object> summary_;
  Duration recorded_until_{};
};

// Fields of JSON that another version may have left out: zero, or nothing, where there is none of that kind.
double number_in(const boost::json::object& object, std::string_view field);
std::uint64_t count_in(const boost::json::object& object, std::string_view field);
std::string text_in(const boost::json::object& object, std::string_view field);
bool truth_in(const boost::json::object& object, std::string_view field);
const boost::json::object& object_in(const boost::json::object& object, std::string_view field);

// The counters of an operation as summary.json and series.jsonl have them.
Counters counters_of(const boost::json::object& figures);
// The keys and arrivals of a pattern, as both have them.
void read_totals(Snapshot& out, const std::string& pattern, const boost::json::object& object);

}  // namespace s3lt
