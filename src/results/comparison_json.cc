#include <boost/json.hpp>
#include <cmath>

#include "results/comparison.h"

namespace s3lt {
namespace json = boost::json;
namespace {

json::object run_object(const RunToCompare& of) {
  return {{"id", of.run.result.info.id},
          {"directory", of.reader.path().string()},
          {"version", of.run.result.info.version},
          {"started", text_in(of.reader.run(), "started")},
          {"seconds", of.run.result.seconds},
          {"ended", of.run.ended},
          {"bottleneck", of.run.result.bottleneck},
          {"why", of.run.result.why}};
}

json::value too_few(const ComparedFigure& figure) {
  if (std::isfinite(figure.threshold)) return nullptr;
  return figure.few_samples ? "samples" : "seconds";
}

// JSON has no infinity.
json::value finite(double value) {
  return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}

}  // namespace

json::object comparison_object(const Comparison& comparison, const RunToCompare& a, const RunToCompare& b) {
  json::array figures, sizes, arrivals, warnings;
  for (const ComparedFigure& f : comparison.figures) {
    figures.push_back(json::object{{"pattern", f.pattern},
                                   {"operation", name(f.operation)},
                                   {"figure", f.name},
                                   {"a", f.a},
                                   {"b", f.b},
                                   {"change", finite(f.change)},
                                   {"threshold", finite(f.threshold)},
                                   {"too_few", too_few(f)},
                                   {"different", f.different}});
  }
  for (const ComparedSize& s : comparison.sizes) {
    sizes.push_back(json::object{{"pattern", s.pattern},
                                 {"operation", name(s.operation)},
                                 {"size", s.size},
                                 {"p50_us", {s.p50_a, s.p50_b}},
                                 {"p99_us", {s.p99_a, s.p99_b}}});
  }
  for (const auto& [pattern, of] : comparison.arrivals) {
    arrivals.push_back(json::object{{"pattern", pattern},
                                    {"intended", {of[0].intended, of[1].intended}},
                                    {"not_sent", {of[0].not_sent, of[1].not_sent}}});
  }
  for (const std::string& warning : comparison.warnings) warnings.emplace_back(warning);
  return {{"schema", "s3loadtest.comparison/1"},
          {"a", run_object(a)},
          {"b", run_object(b)},
          {"confidence", comparison.confidence},
          {"correction", "Bonferroni"},
          {"intervals", comparison.intervals},
          {"warnings", std::move(warnings)},
          {"arrivals", std::move(arrivals)},
          {"figures", std::move(figures)},
          {"sizes", std::move(sizes)}};
}

}  // namespace s3lt
