#include "report/slo_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/table.h"

namespace s3lt {

std::string slo_block(const RunResult& result, const TextStyle& style) {
  if (result.slos.empty()) return {};
  Table table;
  table.header = {"SLO", "result", "measured"};
  for (const SloResult& slo : result.slos) {
    table.rows.push_back({{slo.expression},
                          {slo.passed ? "pass" : "FAIL", slo.passed ? Tone::plain : Tone::bad},
                          {measured_text(slo)}});
  }
  std::string out = render(table, style);
  if (!result.ended_early.empty())
    out += wrapped(fmt::format("The run was ended early: {}.", result.ended_early), style.width, 2, Tone::bad,
                   style.colour);
  return out + "\n";
}

std::string slo_clause(const RunResult& result) {
  const auto missed = std::ranges::count(result.slos, false, &SloResult::passed);
  if (missed == 0) return {};
  if (result.slos.size() == 1) return fmt::format("; the SLO {} was missed", result.slos[0].expression);
  return fmt::format("; {} of {} SLOs {} missed", missed, result.slos.size(), missed == 1 ? "was" : "were");
}

}  // namespace s3lt
