#include "results/endpoint_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <optional>
#include <set>
#include <tuple>

#include "base/units.h"
#include "results/figures.h"

namespace s3lt {
namespace {

// One run of a thousand may name a node that is like the others.
constexpr double false_alarms = 0.001;
// Attempts that follow one another know of each other: so many say as much as one that stands for itself.
constexpr double attempts_per_sample = 20;
// Failures come in bursts: of many nodes, those of the others show how long these are, at least so much; a
// few nodes do not.
constexpr double least_burst = 2, burst_of_few = 8;
// A percentile is compared where so many such samples lie on either side of it.
constexpr double least_beyond = 5;
// What matters to somebody: so many times the others, and by so much.
struct Level {
  double percentile = 0, ratio = 0;
};
constexpr std::array<Level, 3> levels = {{{50, 1.5}, {90, 1.5}, {99, 2}}};
constexpr double least_micros = 200;
constexpr double least_failed_ratio = 3, least_failed_share = 0.01;
// Nodes that are alike differ for reasons of their own: one that stands out is so many times as far from the
// others as these are from each other. Three others do not say how far that is.
constexpr double spreads_away = 8;
constexpr std::size_t least_for_a_spread = 4;
// An endpoint that refused so many connections and met so few attempts was away for a while.
constexpr std::uint64_t least_attempts_to_judge = 3;
constexpr double attempts_of_one_away = 0.75;
constexpr std::size_t most_notes = 6;
// What one address of a name was away for less is a hiccup.
constexpr double least_seconds_away = 1;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// Of normal values, an estimate of their standard deviation that a few outliers do not move.
double spread(std::vector<double> values) {
  if (values.size() < least_for_a_spread) return 0;
  const double centre = median(values);
  for (double& v : values) v = std::abs(v - centre);
  return 1.4826 * median(std::move(values));
}

struct Endpoint {
  std::string url;
  std::map<OperationKind, const EndpointCell*> operations;
  std::array<std::uint64_t, s3lt::outcomes> by_outcome{};
  std::uint64_t attempts = 0, errors = 0;
  EndpointSuspicion suspicion{};
  double share() const {
    return attempts > 0 ? static_cast<double>(errors) / static_cast<double>(attempts) : 0;
  }
  std::uint64_t of(Outcome outcome) const { return by_outcome[static_cast<std::size_t>(outcome)]; }
};

std::vector<Endpoint> endpoints_of(const std::map<EndpointKey, EndpointCell>& cells,
                                   const EndpointSuspicions& suspicions) {
  std::vector<Endpoint> out;
  for (const auto& [key, cell] : cells) {
    if (out.empty() || out.back().url != key.url) {
      out.push_back({.url = key.url, .operations = {}});
      const auto suspicion = suspicions.find(key.url);
      if (suspicion != suspicions.end()) out.back().suspicion = suspicion->second;
    }
    Endpoint& endpoint = out.back();
    endpoint.operations[key.operation] = &cell;
    for (std::size_t i = 0; i < outcomes; ++i) endpoint.by_outcome[i] += cell.outcomes[i];
    endpoint.attempts += cell.attempts();
    endpoint.errors += cell.errors();
  }
  return out;
}

std::string others_text(std::size_t others, std::string_view value) {
  return others == 1 ? fmt::format("the other {}", value) : fmt::format("the others {}", value);
}

std::string median_of(std::size_t others) {
  return others > 1 ? fmt::format(" (median of {})", others) : std::string();
}

// Half the width of the interval around a share of the samples, as a share.
double half_width(double share, std::uint64_t samples, double z) {
  return z * std::sqrt(share * (1 - share) * attempts_per_sample / static_cast<double>(samples));
}

double at_share(const EndpointCell& cell, double share) {
  const double rank = std::clamp(share, 0.0, 1.0) * static_cast<double>(cell.service.count()) + 0.5;
  return static_cast<double>(std::max<std::int64_t>(
      1, cell.service.at_rank(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rank)))));
}

// The percentile of one kind of operation at every endpoint that has the samples for it.
struct Column {
  std::vector<const Endpoint*> endpoints;
  std::vector<double> logs;     // of the percentile
  std::vector<double> lowest;   // where it may lie at least: log
  std::vector<double> highest;  // of one among so many that a median is taken of: log
};

Column column_of(const std::vector<Endpoint>& endpoints, OperationKind operation, double share, double z) {
  Column column;
  const double least = least_beyond * attempts_per_sample / std::min(share, 1 - share);
  for (const Endpoint& endpoint : endpoints) {
    const auto cell = endpoint.operations.find(operation);
    if (cell == endpoint.operations.end()) continue;
    const std::uint64_t samples = cell->second->service.count();
    if (static_cast<double>(samples) < least) continue;
    column.endpoints.push_back(&endpoint);
    column.logs.push_back(std::log(at_share(*cell->second, share)));
    const double half = half_width(share, samples, z);
    column.lowest.push_back(share > half ? std::log(at_share(*cell->second, share - half)) : 0);
  }
  // The median of k values is that much surer than each of them.
  const double others = static_cast<double>(std::max<std::size_t>(column.endpoints.size(), 2) - 1);
  for (const Endpoint* endpoint : column.endpoints) {
    const EndpointCell& cell = *endpoint->operations.at(operation);
    const double half = 1.25 * half_width(share, cell.service.count(), z) / std::sqrt(others);
    column.highest.push_back(std::log(at_share(cell, std::min(1.0, share + half))));
  }
  return column;
}

std::vector<double> without(const std::vector<double>& values, std::size_t index) {
  std::vector<double> rest = values;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(index));
  return rest;
}

struct Slowness {
  double ratio = 0;
  std::size_t others = 0;
  std::string words;  // "GET p50 38ms, the others 9.1ms"
};

// How much slower an endpoint is at this percentile; nothing where it is not, or nobody can tell.
std::optional<Slowness> slowness(const Column& column, std::size_t index, OperationKind operation,
                                 const Level& level) {
  const std::vector<double> others = without(column.logs, index);
  const double centre = median(others), away = column.logs[index] - centre;
  const double mine = std::exp(column.logs[index]), theirs = std::exp(centre);
  if (away < std::log(level.ratio) || mine - theirs < least_micros) return std::nullopt;
  if (away < spreads_away * spread(others)) return std::nullopt;
  if (column.lowest[index] <= median(without(column.highest, index))) return std::nullopt;
  return Slowness{.ratio = mine / theirs,
                  .others = others.size(),
                  .words = fmt::format("{} p{:g} {}, {}", name(operation), level.percentile,
                                       format_latency(std::llround(mine)),
                                       others_text(others.size(), format_latency(std::llround(theirs))))};
}

void add_slow(std::vector<EndpointFinding>& findings, const std::vector<Endpoint>& endpoints) {
  std::set<OperationKind> operations;
  for (const Endpoint& endpoint : endpoints) {
    for (const auto& [operation, cell] : endpoint.operations) operations.insert(operation);
  }
  const double comparisons = static_cast<double>(endpoints.size() * operations.size() * levels.size());
  const double z = boost::math::quantile(
      boost::math::complement(boost::math::normal(), false_alarms / std::max(1.0, comparisons)));
  std::map<std::string, std::vector<Slowness>> slow;
  for (const OperationKind operation : shown_order) {
    if (!operations.contains(operation)) continue;
    std::set<const Endpoint*> found;  // each at the lowest percentile that shows it
    for (const Level& level : levels) {
      const Column column = column_of(endpoints, operation, level.percentile / 100, z);
      if (column.endpoints.size() < 2 || column.endpoints.size() * 2 < endpoints.size()) continue;
      for (std::size_t i = 0; i < column.endpoints.size(); ++i) {
        if (found.contains(column.endpoints[i])) continue;
        auto slower = slowness(column, i, operation, level);
        if (!slower) continue;
        found.insert(column.endpoints[i]);
        slow[column.endpoints[i]->url].push_back(std::move(*slower));
      }
    }
  }
  for (const auto& [url, list] : slow) {
    EndpointFinding finding{.kind = EndpointFinding::Kind::slow, .url = url, .sentence = "slow: " + url};
    for (const Slowness& one : list) {
      finding.weight = std::max(finding.weight, one.ratio);
      finding.sentence += (&one == &list.front() ? " " : "; ") + one.words;
    }
    finding.sentence += median_of(list.front().others);
    findings.push_back(std::move(finding));
  }
}

std::string share_text(double share) {
  const double percent = share * 100;
  if (percent <= 0) return "none";
  return percent >= 10 ? fmt::format("{:.0f}%", percent) : fmt::format("{:.2g}%", percent);
}

// "connect 12, reset 3"
std::string classes_of(const Endpoint& endpoint) {
  std::vector<std::pair<std::uint64_t, std::size_t>> most;
  for (std::size_t i = 0; i < outcomes; ++i) {
    if (is_error(static_cast<Outcome>(i)) && endpoint.by_outcome[i] > 0)
      most.emplace_back(endpoint.by_outcome[i], i);
  }
  std::ranges::sort(most, std::greater<>());
  std::string text;
  for (const auto& [n, outcome] : most)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", outcome_names[outcome], format_count(n));
  return text;
}

// No answer at all, while others gave some.
bool is_unreachable(const Endpoint& endpoint) {
  const std::uint64_t silent = endpoint.of(Outcome::connect) + endpoint.of(Outcome::reset) +
                               endpoint.of(Outcome::timeout) + endpoint.of(Outcome::tls);
  // One that leaves connects hanging is asked that seldom.
  const bool judged = endpoint.attempts >= least_attempts_to_judge || endpoint.suspicion.times > 0;
  return judged && endpoint.attempts > 0 && silent == endpoint.attempts;
}

// "; gone round for 58.3s, with 14 probes"
std::string suspicion_text(const EndpointSuspicion& suspicion) {
  if (suspicion.times == 0) return {};
  return fmt::format("; gone round for {:.1f}s, with {} probe{}", suspicion.seconds,
                     format_count(suspicion.probes), suspicion.probes == 1 ? "" : "s");
}

// How many failures in a row count as one: the ratio of the variance of the nodes' failures to that of
// independent ones, without the worst tenth of the nodes, which may be bad ones.
double burst_length(const std::vector<Endpoint>& endpoints, const Endpoint& but) {
  std::vector<const Endpoint*> others;
  for (const Endpoint& e : endpoints) {
    if (&e != &but && e.attempts > 0) others.push_back(&e);
  }
  if (others.size() < least_for_a_spread) return burst_of_few;
  std::ranges::sort(others, {}, &Endpoint::share);
  others.resize(others.size() - (others.size() + 9) / 10);
  double attempts = 0, errors = 0;
  for (const Endpoint* e : others) {
    attempts += static_cast<double>(e->attempts);
    errors += static_cast<double>(e->errors);
  }
  if (errors == 0 || errors == attempts || others.size() < 2) return least_burst;
  const double usual = errors / attempts;
  double ratios = 0;
  for (const Endpoint* e : others) {
    const double n = static_cast<double>(e->attempts);
    const double beyond = static_cast<double>(e->errors) - n * usual;
    ratios += beyond * beyond / (n * usual * (1 - usual));
  }
  return std::max(least_burst, ratios / static_cast<double>(others.size() - 1));
}

bool is_failing(const Endpoint& endpoint, const std::vector<double>& others, double burst,
                double confidence) {
  const double usual = median(others), share = endpoint.share();
  if (share - usual < least_failed_share || share < least_failed_ratio * usual) return false;
  if (share - usual < spreads_away * spread(others)) return false;
  const double hits = static_cast<double>(endpoint.errors) / burst;
  const double misses = static_cast<double>(endpoint.attempts - endpoint.errors) / burst;
  // Where the share lies at least (Clopper and Pearson).
  return boost::math::quantile(boost::math::beta_distribution<>(hits, misses + 1), confidence) >
         usual + least_failed_share;
}

void add_failing(std::vector<EndpointFinding>& findings, const std::vector<Endpoint>& endpoints) {
  std::vector<double> shares, attempts;
  for (const Endpoint& endpoint : endpoints) {
    shares.push_back(endpoint.share());
    attempts.push_back(static_cast<double>(endpoint.attempts));
  }
  const bool any_ok = std::ranges::any_of(endpoints, [](const Endpoint& e) { return e.of(Outcome::ok) > 0; });
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const Endpoint& endpoint = endpoints[i];
    const std::vector<double> others = without(shares, i);
    const double usual_attempts = median(without(attempts, i));
    EndpointFinding finding{.url = endpoint.url, .weight = endpoint.share()};
    if (any_ok && is_unreachable(endpoint)) {
      finding.kind = EndpointFinding::Kind::unreachable;
      finding.sentence = fmt::format("unreachable: {}: none of {} attempts got an answer ({})", endpoint.url,
                                     format_count(endpoint.attempts), classes_of(endpoint));
    } else if (endpoint.errors > 0 && is_failing(endpoint, others, burst_length(endpoints, endpoint),
                                                 false_alarms / static_cast<double>(endpoints.size()))) {
      finding.kind = EndpointFinding::Kind::failing;
      finding.sentence =
          fmt::format("failing: {}: {} of {} attempts failed ({}), {}{}", endpoint.url,
                      share_text(endpoint.share()), format_count(endpoint.attempts), classes_of(endpoint),
                      others_text(others.size(), share_text(median(others))), median_of(others.size()));
    } else if (endpoint.of(Outcome::connect) >= least_attempts_to_judge &&
               static_cast<double>(endpoint.attempts) < attempts_of_one_away * usual_attempts) {
      finding.kind = EndpointFinding::Kind::unreachable;
      finding.sentence = fmt::format(
          "unreachable for a part of the time: {}: {} connects failed, and clients went round it: {} "
          "attempts, {}{}",
          endpoint.url, format_count(endpoint.of(Outcome::connect)), format_count(endpoint.attempts),
          others_text(others.size(), format_count(static_cast<std::uint64_t>(usual_attempts))),
          median_of(others.size()));
    } else {
      continue;
    }
    finding.sentence += suspicion_text(endpoint.suspicion);
    findings.push_back(std::move(finding));
  }
}

}  // namespace

std::vector<EndpointFinding> compare_endpoints(const std::map<EndpointKey, EndpointCell>& cells,
                                               const EndpointSuspicions& suspicions) {
  const std::vector<Endpoint> endpoints = endpoints_of(cells, suspicions);
  std::vector<EndpointFinding> findings;
  if (endpoints.size() < 2) return findings;
  add_failing(findings, endpoints);
  add_slow(findings, endpoints);
  std::ranges::sort(findings, {}, [](const EndpointFinding& f) {
    return std::tuple(-static_cast<int>(f.kind), -f.weight, f.url);
  });
  return findings;
}

std::vector<EndpointFinding> odd_nodes(const Snapshot& total) {
  std::vector<EndpointFinding> findings = compare_endpoints(total.endpoints, total.suspicions);
  for (const auto& [url, addresses] : total.address_suspicions) {
    for (const auto& [address, suspicion] : addresses) {
      if (suspicion.seconds < least_seconds_away) continue;
      const std::string who = fmt::format("address {} of {}", address, url);
      findings.push_back({.kind = EndpointFinding::Kind::unreachable,
                          .url = who,
                          .weight = suspicion.seconds,
                          .sentence = fmt::format("away: {}: it refused, reset or left connections hanging{}",
                                                  who, suspicion_text(suspicion))});
    }
  }
  return findings;
}

std::vector<std::string> endpoint_notes(const std::vector<EndpointFinding>& findings) {
  std::vector<std::string> notes;
  for (const EndpointFinding& finding : findings) {
    if (notes.size() == most_notes) break;
    notes.push_back(finding.sentence);
  }
  if (findings.size() > most_notes) {
    notes.push_back(fmt::format("{} more endpoints stand out: `endpoints` in summary.json names them",
                                findings.size() - most_notes));
  }
  return notes;
}

}  // namespace s3lt
