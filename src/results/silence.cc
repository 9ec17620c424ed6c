#include "results/silence.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace s3lt {
namespace {

// So many times as long as the longest service time of its kind.
constexpr double times_the_longest = 3;
// Where nothing of its kind ended well, nobody knows how long it takes.
constexpr std::int64_t least_of_unknown = 10'000'000;
constexpr std::size_t most_named = 6;

std::int64_t least_silence(const Snapshot& total, const CellKey& key) {
  const auto times = [](const Cell& cell) {
    return static_cast<std::int64_t>(times_the_longest * static_cast<double>(cell.service.max()));
  };
  const auto cell = total.cells.find(key);
  if (cell != total.cells.end() && !cell->second.service.empty())
    return std::max(shortest_silence, times(cell->second));
  std::int64_t least = least_of_unknown;
  for (const auto& [other, figures] : total.cells) least = std::max(least, times(figures));
  return least;
}

std::string_view before_url(bool s3pool) {
  return s3pool ? "s3pool at " : "";
}

std::string waited(const SilentEndpoint& of) {
  return fmt::format("{} attempt{}, for up to {}", format_count(of.attempts), of.attempts == 1 ? "" : "s",
                     format_latency(std::llround(of.seconds * 1e6)));
}

}  // namespace

SilentEndpoints silent_endpoints(const Snapshot& total) {
  SilentEndpoints silent;
  for (const auto& [key, silences] : total.silences) {
    const std::int64_t least = least_silence(total, key.cell);
    // Ranks are in order: those from the first long one on.
    std::uint64_t below = 0, above = silences.count();
    while (below < above) {
      const std::uint64_t middle = below + (above - below) / 2;
      if (silences.at_rank(middle + 1) >= least) {
        above = middle;
      } else {
        below = middle + 1;
      }
    }
    if (below == silences.count()) continue;
    SilentEndpoint& of = silent[key.url];
    of.attempts += silences.count() - below;
    of.seconds = std::max(of.seconds, static_cast<double>(silences.max()) / 1e6);
  }
  return silent;
}

std::vector<std::string> notes_on_silence(const SilentEndpoints& silent, bool s3pool) {
  std::vector<std::string> notes;
  for (const auto& [url, of] : silent) {
    if (notes.size() == most_named) break;
    notes.push_back(fmt::format("silent: {}{}: clients waited for an answer until the end of the run ({})",
                                before_url(s3pool), url, waited(of)));
  }
  if (silent.size() > most_named) {
    notes.push_back(
        fmt::format("{} more endpoints were silent at the end: `endpoints` in summary.json names them",
                    silent.size() - most_named));
  }
  return notes;
}

std::string silence_warning(const SilentEndpoints& silent, bool s3pool) {
  if (silent.empty()) return {};
  std::vector<std::string> named;
  for (const auto& [url, of] : silent) {
    if (named.size() == most_named) break;
    named.push_back(fmt::format("{}{} ({})", before_url(s3pool), url, waited(of)));
  }
  if (silent.size() > most_named) named.push_back(fmt::format("and {} more", silent.size() - most_named));
  return fmt::format("clients waited for an answer until the end of the run from {}", fmt::join(named, ", "));
}

}  // namespace s3lt
