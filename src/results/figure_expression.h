// The figures of a run as people name them in expressions: "GET.p99", "baseload.PUT.1MB.ttfb.p99.9",
// "error_rate". What `run --slo` and `compare --fail-if` read alike. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "measure/snapshot.h"

namespace s3lt {

struct Figure {
  enum class Kind { percentile, mean, max, rate, throughput, error_rate };
  enum class Time { response, service, ttfb };  // what percentile, mean and max are of
  Kind kind = Kind::percentile;
  Time time = Time::response;
  double percentile = 0;  // above 0 and below 100
  bool is_time() const { return kind == Kind::percentile || kind == Kind::mean || kind == Kind::max; }
  bool operator==(const Figure&) const = default;
};

// A figure and what it is of: what is empty may be any.
struct FigureSelector {
  std::string pattern;
  std::optional<OperationKind> operation;
  std::string size;  // label: "1MB"
  Figure figure;
  // Where they begin in the expression, for a caret.
  std::size_t pattern_at = 0, operation_at = 0, size_at = 0, figure_at = 0;

  // Whether the figure is (also) of this cell. A PART is in its PUT, and a TRIM is housekeeping: only one
  // that names them is of them.
  bool covers(const CellKey& key) const;
};

// What an expression may say.
struct FigureGrammar {
  std::span<const std::string_view> figures;  // for the remedy
  std::string_view figure_noun;               // "a figure", "a figure that is compared"
  std::string_view form;                      // "write it as in 'GET.p99 < 50ms'"
  bool operation_needed = false;
};

// `why`, the expression, and a caret under byte `at`.
std::unexpected<Error> wrong_expression(std::string_view text, std::size_t at, std::string_view why);

// Goes through an expression.
struct ExpressionReader {
  std::string_view text;
  std::size_t at = 0;
  void skip_blanks();
  bool at_end() const { return at >= text.size(); }
  std::string_view until(std::string_view stops);
  std::unexpected<Error> wrong(std::string_view why) const { return wrong_expression(text, at, why); }
};

// Takes `[PATTERN.][OPERATION.][SIZE.]FIGURE` up to a blank or a relation.
Result<FigureSelector> read_figure(ExpressionReader& in, const FigureGrammar& grammar);

}  // namespace s3lt
