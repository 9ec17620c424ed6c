#include "results/whole_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/units.h"

namespace s3lt {
namespace json = boost::json;
namespace {

template <class Wanted>
Result<void> check(const RunReader& reader, const char* file, const OperationCounts& found, Wanted wanted) {
  if (reader.summary() == nullptr) return {};
  for (const auto& [pattern, of] : object_in(*reader.summary(), "patterns")) {
    if (!of.is_object()) continue;
    for (std::size_t k = 0; k < operation_kinds; ++k) {
      const auto operation = static_cast<OperationKind>(k);
      const json::object& figures = object_in(object_in(of.get_object(), "operations"), name(operation));
      const std::uint64_t told = wanted(counters_of(figures));
      const auto at = found.find({std::string(pattern), operation});
      const std::uint64_t there = at == found.end() ? 0 : at->second;
      if (there >= told) continue;
      return usage_error(fmt::format(
          "{} holds {} of the {} {} of {} that summary.json counts: the file was cut, by a full disk or "
          "after the run, and figures made from it would be wrong; use an undamaged copy of it",
          (reader.path() / file).string(), format_count(there), format_count(told), name(operation),
          std::string(pattern)));
    }
  }
  return {};
}

}  // namespace

std::uint64_t timed(const Counters& counters) {
  return counters.count - std::min(counters.count, counters.errors + counters.not_found);
}

Result<void> check_series_whole(const RunReader& reader, const OperationCounts& ended) {
  return check(reader, "series.jsonl", ended, [](const Counters& counters) { return counters.count; });
}

Result<void> check_histograms_whole(const RunReader& reader, const OperationCounts& times) {
  return check(reader, "histograms.hlog", times, timed);
}

}  // namespace s3lt
