#include "results/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/units.h"

namespace s3lt {
namespace {

// Below this much of a loaded thread's time there is nothing to judge from.
constexpr double least_loaded_seconds = 1.5;
// A client that is busier than this is no witness against the storage.
constexpr double most_busy_with_room = 0.7;
// What holds for half of the load made the figures.
constexpr double most_of = 0.5;
// Timers of a thread with room are late by far less than an operation takes.
constexpr std::uint64_t least_lag_samples = 50;
constexpr std::int64_t lag_that_matters_us = 1000;
// One start in a hundred that waited longer than this, and than an operation takes: the rate was not kept.
constexpr std::int64_t lag_of_a_hiccup_us = 10'000;
// A queue on the way to the storage: so long, and as long as the way itself at least, and a tenth of what the
// operations take.
constexpr std::int64_t standing_queue_us = 2000;
constexpr double queue_matters = 0.1;
constexpr std::uint64_t least_probes = 2;
// Losses from here on hold TCP back; a path that only changes the order of packets stays below.
constexpr double loss_matters_sent = 0.01, loss_matters_received = 0.02;
constexpr std::uint64_t least_segments = 1000;
constexpr std::uint64_t least_sending = 5;  // connections seen sending, before their state says something
constexpr double sending_matters = 0.3;     // of the requests under way

// An absence below a second is a hiccup; from this part of the load on it made the figures.
constexpr double least_absence = 1, absence_matters = 0.05;

double share(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}
double share(std::uint64_t part, std::uint64_t whole) {
  return share(static_cast<double>(part), static_cast<double>(whole));
}

std::string percent(double of_one) {
  return fmt::format("{:.0f}%", 100 * of_one);
}

double sum(const Histogram& histogram) {
  return histogram.mean() * static_cast<double>(histogram.count());
}

Histogram all_responses(const Snapshot& total) {
  Histogram all;
  for (const auto& [key, cell] : total.cells) {
    if (key.operation == OperationKind::part) continue;  // in its PUT
    all.add(cell.response);
    all.add(cell.failed);
  }
  return all;
}

// Of the service time, how much went by while bodies moved: after the first byte of an answer, and before it
// while a request's body was being sent, of which the looks at the sockets tell.
double transfer_share(const Snapshot& total, double sending) {
  double service = 0, moving = 0;
  for (const auto& [key, cell] : total.cells) {
    if (key.operation == OperationKind::part) continue;
    const double of_cell = sum(cell.service);
    const double to_first_byte = std::min(of_cell, sum(cell.ttfb));
    service += of_cell;
    if (!cell.ttfb.empty()) moving += of_cell - to_first_byte;
  }
  return std::min(1.0, share(moving, service) + sending);
}

using Reason = std::optional<std::string>;

Reason cpu_limit(const ClientUse& use, const ClientFigures& figures, std::int64_t median_us) {
  const ThreadUse* thread = use.busiest();
  if (thread != nullptr && thread->was_the_limit()) {
    const double computing = share(thread->busy_cpu, thread->loaded);
    std::string what = fmt::format(
        "a thread of this client had no time to spare for {} of its load: it computed for {} of the time and "
        "waited for a CPU for {}",
        percent(std::max(figures.saturated, figures.busy)), percent(computing),
        percent(figures.run_queue_wait));
    if (figures.steal >= 0.05)
      what += fmt::format(", and the hypervisor kept {} of the CPU time", percent(figures.steal));
    const bool starved = figures.run_queue_wait + figures.steal > computing / 2;
    return what + (starved ? "; this machine has too few CPUs for all that runs on it"
                           : "; more threads, machines, or less work for each request would show more");
  }
  const Histogram& lag = use.loop_lag;
  const std::int64_t late = lag.percentile(90);
  if (lag.count() >= least_lag_samples && late >= lag_that_matters_us && late * 2 >= median_us) {
    return fmt::format(
        "one in ten of this client's timers came {} late or more, while half of the operations took {} "
        "or less: such times are the client's, not the storage's",
        format_latency(late), format_latency(median_us));
  }
  return {};
}

Reason full_link(const PathUse& path) {
  for (const auto& [name, link] : path.links) {
    if (link.seconds < least_loaded_seconds || link.full_seconds < most_of * link.seconds) continue;
    const double carried = static_cast<double>(std::max(link.received, link.sent)) / link.seconds;
    return fmt::format("the interface {} carried {} of the {} that it can", name, format_rate(carried),
                       format_rate(link.bytes_per_second));
  }
  return {};
}

Reason queue_on_the_way(const PathUse& path, const ClientFigures& figures, std::int64_t median_us) {
  if (path.queue.count() < least_probes) return {};
  const std::int64_t queue = path.queue.percentile(50);
  const bool standing = queue >= std::max(standing_queue_us, figures.rtt_us);
  const bool matters = static_cast<double>(queue) >= queue_matters * static_cast<double>(median_us) ||
                       figures.transfer >= most_of;
  if (!standing || !matters) return {};
  return fmt::format(
      "the network between this client and the storage was full: packets stood in queues for {}, where "
      "the empty way there and back takes {}",
      format_latency(queue), format_latency(figures.rtt_us));
}

Reason held_back_sending(const SocketUse& sockets, const ClientFigures& figures) {
  if (sockets.sending < least_sending || figures.sending < sending_matters) return {};
  if (figures.buffer_limited >= most_of) {
    return fmt::format(
        "this client's socket buffers were too small for the way to the storage: they were full for {} "
        "of the time in which data was on its way (net.ipv4.tcp_wmem)",
        percent(figures.buffer_limited));
  }
  if (figures.congested < most_of) return {};
  return fmt::format(
      "the network took bodies more slowly than this client and the storage would have moved them: {} of "
      "the connections that sent were held back by congestion",
      percent(figures.congested));
}

Reason losses(const SocketUse& sockets, const ClientFigures& figures) {
  if (figures.transfer < most_of) return {};
  if (sockets.segments_sent >= least_segments && figures.retransmitted >= loss_matters_sent) {
    return fmt::format("the network lost packets: {:.1f}% of those sent went out again",
                       100 * figures.retransmitted);
  }
  if (sockets.segments_received >= least_segments && figures.out_of_order >= loss_matters_received) {
    return fmt::format("the network lost packets: {:.1f}% of those received came out of their order",
                       100 * figures.out_of_order);
  }
  return {};
}

Reason network_limit(const ClientUse& use, const ClientFigures& figures, std::int64_t median_us) {
  if (Reason why = full_link(use.path)) return why;
  if (Reason why = queue_on_the_way(use.path, figures, median_us)) return why;
  if (Reason why = held_back_sending(use.sockets, figures)) return why;
  return losses(use.sockets, figures);
}

// How late the operations began, where all patterns were in an open loop of which every start was sent.
Histogram lag_of_open_loop(const Snapshot& total) {
  Histogram lag;
  for (const auto& [key, cell] : total.cells) {
    if (!total.arrivals.contains(key.pattern)) return {};
    lag.add(cell.lag);
  }
  for (const auto& [pattern, arrivals] : total.arrivals) {
    if (total.starved(pattern) > 0) return {};
  }
  return lag;
}

double loaded_seconds(const ClientUse& use) {
  double most = 0;
  for (const auto& [name, thread] : use.threads) most = std::max(most, thread.loaded);
  return most;
}

}  // namespace

ClientFigures client_figures(const Snapshot& total) {
  const ClientUse& use = total.client.use;
  const SocketUse& sockets = use.sockets;
  ClientFigures figures;
  if (const ThreadUse* thread = use.busiest()) {
    figures.busy = thread->busy_share();
    figures.run_queue_wait = share(thread->busy_run_queue, thread->loaded);
    figures.saturated = thread->saturated_part();
  }
  figures.steal = use.host.stolen_share();
  figures.waiting = share(sockets.waiting, sockets.clients);
  figures.sending = share(sockets.sending, sockets.asked);
  figures.congested = share(sockets.congested, sockets.sending);
  figures.window_limited = share(sockets.window_limited_us, sockets.busy_us);
  figures.buffer_limited = share(sockets.buffer_limited_us, sockets.busy_us);
  figures.retransmitted = share(sockets.retransmitted, sockets.segments_sent);
  figures.out_of_order = share(sockets.out_of_order, sockets.segments_received);
  for (const auto& [address, rtt] : sockets.least_rtt_us) {
    figures.rtt_us = figures.rtt_us == 0 ? rtt : std::min(figures.rtt_us, rtt);
  }
  figures.transfer = transfer_share(total, figures.sending);
  return figures;
}

Absence absence(const Snapshot& total) {
  std::array<std::uint64_t, outcomes> failures{};
  std::uint64_t errors = 0;
  for (const auto& [key, cell] : total.cells) {
    if (key.operation == OperationKind::part) continue;
    errors += cell.counters.errors;
    for (std::size_t i = 0; i < outcomes; ++i) failures[i] += cell.counters.failed_with[i];
  }
  Absence out;
  std::uint64_t silent = 0;
  for (const Outcome outcome : {Outcome::connect, Outcome::reset, Outcome::timeout, Outcome::tls}) {
    const std::uint64_t n = failures[static_cast<std::size_t>(outcome)];
    silent += n;
    if (n > 0)
      out.outcomes +=
          fmt::format("{}{} {}", out.outcomes.empty() ? "" : ", ", name(outcome), format_count(n));
  }
  // Where others answer, operations go there and few fail.
  if (silent == 0 || silent * 2 < errors || total.endpoints.empty()) return {};
  out.seconds = to_seconds(total.to - total.from);
  for (const auto& [key, cell] : total.endpoints) {
    const auto suspicion = total.suspicions.find(key.url);
    out.seconds = std::min(out.seconds, suspicion == total.suspicions.end() ? 0 : suspicion->second.seconds);
  }
  return out.seconds < least_absence ? Absence{} : out;
}

bool made_the_figures(double seconds, Duration length) {
  return seconds >= least_absence && seconds > absence_matters * to_seconds(length);
}

bool kept_up(const Snapshot& total) {
  const Histogram lag = lag_of_open_loop(total);
  if (lag.empty()) return false;
  const std::int64_t median = all_responses(total).percentile(50);
  return lag.percentile(50) * 2 < median && lag.percentile(99) <= std::max(median, lag_of_a_hiccup_us);
}

Verdict judge(const Snapshot& total) {
  const ClientUse& use = total.client.use;
  const ClientFigures figures = client_figures(total);
  const Histogram responses = all_responses(total);
  const std::int64_t median = responses.percentile(50);
  if (loaded_seconds(use) < least_loaded_seconds) {
    return {"unknown", "there was load for less than two seconds, too little to tell"};
  }
  const Absence away = absence(total);
  if (made_the_figures(away.seconds, total.to - total.from)) {
    return {"unknown",
            fmt::format("the storage, or the way to it, was away: for {:.1f}s of {:.1f}s no endpoint "
                        "answered (operations that failed: {})",
                        away.seconds, to_seconds(total.to - total.from), away.outcomes),
            true};
  }
  if (std::ranges::all_of(total.cells, [](const auto& cell) { return cell.second.response.empty(); })) {
    return {"unknown", "not one operation succeeded, so there is nothing whose limit could be told"};
  }
  if (const Reason why = cpu_limit(use, figures, median)) return {"client-cpu", *why};
  if (const Reason why = network_limit(use, figures, median)) return {"client-network", *why};
  const std::string room =
      fmt::format("this client's busiest thread was busy for {} of the time", percent(figures.busy));
  if (kept_up(total)) {
    return {
        "unknown",
        fmt::format("nothing was at its limit: the storage kept up with the rate that was asked for, and {}; "
                    "a higher rate would find the limit",
                    room)};
  }
  if (figures.busy > most_busy_with_room) {
    return {"unknown", fmt::format("{}, too much to rule out that the storage was waiting for it", room)};
  }
  if (figures.waiting >= most_of) {
    std::string what = fmt::format("{} of the clients waited for the storage at a time, while {}",
                                   percent(figures.waiting), room);
    if (figures.window_limited >= most_of && figures.sending >= sending_matters) {
      what +=
          fmt::format("; it did not read what was sent for {} of the time", percent(figures.window_limited));
    }
    return {"storage", what + ", and the network showed no limit"};
  }
  if (const Histogram lag = lag_of_open_loop(total); !lag.empty()) {
    return {"unknown",
            fmt::format("the storage fell behind the rate that was asked for in a part of the run, in which "
                        "starts waited for up to {}, and not in the rest; {}",
                        format_latency(lag.max()), room)};
  }
  return {
      "unknown",
      fmt::format("nothing was at its limit: {} of the clients waited for the storage at a time, the others "
                  "for their turn, and {}",
                  percent(figures.waiting), room)};
}

}  // namespace s3lt
