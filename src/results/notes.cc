#include "results/notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/units.h"
#include "measure/second_mode.h"
#include "results/endpoint_comparison.h"

namespace s3lt {
namespace {

struct Found {
  std::string what;  // "GET 1 KiB"
  SecondMode mode;
};

std::string what_of(const CellKey& key, bool several_patterns) {
  const auto bytes = parse_size(key.size);
  return fmt::format("{}{}{}{}", several_patterns ? key.pattern + " " : "", name(key.operation),
                     key.size.empty() ? "" : " ", bytes ? format_size(*bytes) : key.size);
}

std::vector<Found> modes_of(const Snapshot& total, ModeCause cause) {
  std::set<std::string> patterns;
  for (const auto& [key, cell] : total.cells) patterns.insert(key.pattern);
  std::vector<Found> found;
  for (const auto& [key, cell] : total.cells) {
    if (key.operation == OperationKind::trim) continue;  // the others meet the same
    if (const auto mode = second_mode(cell.service, cause))
      found.push_back({what_of(key, patterns.size() > 1), *mode});
  }
  std::ranges::sort(found, std::greater<>(), [](const Found& f) { return f.mode.share; });
  return found;
}

std::string percent(double share) {
  return share >= 0.1 ? fmt::format("{:.0f}%", 100 * share) : fmt::format("{:.2g}%", 100 * share);
}

// "40-44ms"
std::string range_of(const SecondMode& mode) {
  const std::string low = format_latency(mode.low), high = format_latency(mode.high);
  return low == high ? low : fmt::format("{} to {}", low, high);
}

std::string usual_cause(ModeCause cause, const Snapshot& total) {
  if (cause == ModeCause::delayed_ack) {
    return "the usual cause is a delayed ACK meeting Nagle's algorithm (TCP_NODELAY missing on the storage's "
           "or a "
           "proxy's side)";
  }
  const SocketUse& sockets = total.client.use.sockets;
  std::string words = "the usual cause is a retransmission timeout: lost packets";
  if (sockets.segments_sent > 0) {
    words += fmt::format("; of {} segments that this client's sockets were seen to send, {} were sent again",
                         format_count(sockets.segments_sent), format_count(sockets.retransmitted));
  }
  return words;
}

std::optional<std::string> note_on_mode(const Snapshot& total, ModeCause cause) {
  const std::vector<Found> found = modes_of(total, cause);
  if (found.empty()) return std::nullopt;
  const auto& [what, mode] = found.front();
  constexpr std::size_t most_others = 3;
  std::vector<std::string> others;
  for (std::size_t i = 1; i < found.size() && i <= most_others; ++i)
    others.push_back(fmt::format("{} {}", found[i].what, percent(found[i].mode.share)));
  std::string also;
  if (!others.empty()) also = fmt::format(" (also {})", fmt::join(others, ", "));
  if (found.size() > 1 + most_others) {
    also.pop_back();
    also += fmt::format(" and {} more)", found.size() - 1 - most_others);
  }
  return fmt::format("{}: {} of the answers took {} where most take {}{}: {}", what, percent(mode.share),
                     range_of(mode), format_latency(mode.usual), also, usual_cause(cause, total));
}

std::optional<std::string> note_on_uploads(const Snapshot& total) {
  std::uint64_t unaborted = 0;
  for (const auto& [pattern, keys] : total.keys) unaborted += keys.unaborted;
  if (unaborted == 0) return std::nullopt;
  return fmt::format(
      "{} that failed or {} cut could not be aborted, and may have left parts behind: "
      "`s3loadtest cleanup` aborts what is unfinished",
      unaborted == 1 ? "a multipart upload" : format_count(unaborted) + " multipart uploads",
      unaborted == 1 ? "was" : "were");
}

// More clients and endpoints than the limit of descriptors has room for.
std::optional<std::string> note_on_descriptors(const Snapshot& total) {
  constexpr std::uint64_t one_in = 10;
  std::uint64_t requests = 0;
  for (const auto& [key, cell] : total.cells) requests += cell.counters.requests;
  const std::uint64_t closed = total.client.idle_closed;
  if (closed == 0 || closed * one_in < requests) return std::nullopt;
  return fmt::format(
      "connections were closed {} times to stay below this process's limit of file descriptors, and as many "
      "of {} "
      "requests paid for a new one: raise the limit (ulimit -n), or use fewer clients or endpoints",
      format_count(closed), format_count(requests));
}

}  // namespace

std::vector<std::string> notes_on_endpoints(const Snapshot& total) {
  return endpoint_notes(odd_nodes(total));
}

std::vector<std::string> notes_on_modes(const Snapshot& total) {
  std::vector<std::string> notes;
  for (const ModeCause cause : {ModeCause::delayed_ack, ModeCause::retransmission_timeout}) {
    if (auto note = note_on_mode(total, cause)) notes.push_back(std::move(*note));
  }
  return notes;
}

std::vector<std::string> notes_on_stops(const Certainty& certainty) {
  std::vector<std::string> notes;
  for (const auto& [pattern, steadiness] : certainty.patterns) {
    if (!steadiness.stops.empty()) notes.push_back(fmt::format("{} {}", pattern, steadiness.why));
  }
  return notes;
}

std::vector<std::string> notes_on(const Snapshot& total) {
  std::vector<std::string> notes = notes_on_endpoints(total);
  for (std::string& note : notes_on_modes(total)) notes.push_back(std::move(note));
  if (auto note = note_on_uploads(total)) notes.push_back(std::move(*note));
  if (auto note = note_on_descriptors(total)) notes.push_back(std::move(*note));
  return notes;
}

}  // namespace s3lt
