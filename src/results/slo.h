// Service level objectives: what `run --slo` asks for ("GET.p99 < 50ms"), and whether a run kept it
// (docs/measurement.md, "SLOs"). Pure functions, thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "results/figure_expression.h"

namespace s3lt {

struct Slo {
  enum class Relation { below, at_most, above, at_least };  // < <= > >=
  std::string text;                                         // as it was written, without blanks around it
  FigureSelector of;
  Relation relation = Relation::below;
  double limit = 0;  // of times microseconds, of throughput bytes/s, of rates operations/s, of errors a share
  // Whether a value keeps it.
  bool kept_by(double value) const;
  bool is_upper() const { return relation == Relation::below || relation == Relation::at_most; }
};

// The error shows the expression with a caret under the mistake.
Result<Slo> parse_slo(std::string_view text);

// What one pattern of the run does, as far as objectives speak of it.
struct SloScope {
  std::string pattern;
  std::vector<OperationKind> operations;
  std::vector<std::string> sizes;  // labels
  bool other_sizes = false;        // it may meet more of them, in the keys of others
  bool steady = true;  // it works all the time at one rate, as far as it is up to it; see results/slo_watch.h
};
// Whether the run can have the figure at all.
Result<void> check_slo(const Slo& slo, std::span<const SloScope> run);

struct SloResult {
  std::string expression;
  bool passed = false;
  std::optional<double> value;  // none: there was nothing to take it from
  double limit = 0;
  std::string unit;    // of both: us | bytes/s | /s | ratio
  std::string why;     // there is no value
  std::string hint{};  // how far its value can be trusted: "too few samples: 28, and p99.9 needs 10,000"
};
// Its value as people read it: "61.2ms"; a throughput, and what is near the limit, in the limit's unit and
// with enough digits to tell on which side it is. Without a value why there is none; with the hint.
std::string measured_text(const SloResult& result);

// `total` is what was measured in `seconds`. An objective without data is missed.
std::vector<SloResult> judge_slos(std::span<const Slo> slos, const Snapshot& total, double seconds);

// A figure of a run as people read it: "12.3ms", "95.4 MiB/s", "512/s", "0.12%".
std::string figure_text(double value, std::string_view unit);

// What all cells that the objective is about add up to.
struct SloCells {
  std::uint64_t count = 0, errors = 0, bytes_moved = 0;
  std::uint64_t in_time = 0, bytes_in_time = 0;  // of these, what rates are made of
  Histogram times;                               // of its kind of time, where its figure is one
  // Intended starts for which no client came free, by the share that such operations have of their patterns.
  double not_sent = 0;
};
SloCells cells_of(const Slo& slo, const Snapshot& snapshot);

}  // namespace s3lt
