#include "results/proxy_verdict.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/units.h"

namespace s3lt {
namespace {

// With so much of its CPUs in use a machine has none to spare for what is waiting.
constexpr double full_machine = 0.9;
// Less than this of what was used is not what filled it.
constexpr double part_that_matters = 0.2;

std::string stopped(const ProxyRecord& proxy) {
  return fmt::format("s3pool (process {}) was stopped (state T: by SIGSTOP or a debugger) for {:.1f}s",
                     proxy.stopped_pid, proxy.stopped_seconds);
}

std::string started_again(const ProxyRecord& proxy) {
  if (proxy.starts == 0) return "not there again";
  return proxy.starts == 1 ? "started again once" : fmt::format("started again {} times", proxy.starts);
}

std::string away_for(const ProxyRecord& proxy) {
  return format_duration(seconds(std::max(0.1, proxy.down_seconds)));
}

// Half of the clients and more waited for it until the end; empty where they did not.
std::string gave_no_answer(const Snapshot& total, const SilentEndpoints& silent, std::uint64_t clients) {
  SilentEndpoint all;
  for (const auto& [url, of] : silent) {
    all.attempts += of.attempts;
    all.seconds = std::max(all.seconds, of.seconds);
  }
  // Who waits until the end has waited for all of the grace.
  if (all.attempts == 0 || all.attempts * 2 < clients ||
      !made_the_figures(all.seconds - to_seconds(total.grace), total.loaded()))
    return {};
  return fmt::format(
      "s3pool did not answer: attempts waited for up to {:.1f}s until the end of the run cut them ({}), and "
      "whether s3pool or the storage behind it was silent cannot be told",
      all.seconds, format_count(all.attempts));
}

}  // namespace

Verdict through_proxy(Verdict verdict, const ProxyRecord& proxy, const Snapshot& total,
                      const SilentEndpoints& silent, std::uint64_t clients) {
  const HostUse& host = total.client.use.host;
  const double all = host.used + host.stolen + host.idle, busy = host.used + host.stolen;
  const bool judged = verdict.bottleneck == "storage" || verdict.bottleneck == "unknown";
  if (judged && proxy.observed && all > 0 && busy >= full_machine * all &&
      proxy.cpu_seconds >= part_that_matters * host.used) {
    return {"client-cpu",
            fmt::format(
                "this machine's CPUs were busy for {:.0f}% of the time, and s3pool, which shares them with "
                "this client, used {:.0f}% of what was used; a machine with more CPUs would show more",
                100 * busy / all, 100 * proxy.cpu_seconds / host.used)};
  }
  if (judged && made_the_figures(proxy.stopped_seconds, total.loaded())) {
    return {"unknown", fmt::format("{} of {:.1f}s, which says nothing of the storage", stopped(proxy),
                                   to_seconds(total.loaded()))};
  }
  // Every connection is one to s3pool.
  if (verdict.away) {
    const Absence away = absence(total);
    verdict.why = fmt::format(
        "s3pool was away: for {:.1f}s of {:.1f}s it did not answer (operations that failed: {}), which says "
        "nothing of "
        "the storage",
        away.seconds, to_seconds(total.to - total.from), away.outcomes);
  }
  if (std::string why = gave_no_answer(total, silent, clients); judged && !verdict.away && !why.empty())
    return {"unknown", std::move(why)};
  if (verdict.bottleneck == "storage")
    verdict.why += "; what the storage is said to have done is s3pool's and the storage's together";
  return verdict;
}

std::vector<std::string> notes_on_proxy(const ProxyRecord& proxy, std::size_t endpoints) {
  std::vector<std::string> notes;
  if (proxy.deaths > 0) {
    notes.push_back(fmt::format(
        "s3pool died {} and was {}; for {} it was not there, and what failed then is not the storage's doing "
        "(it {})",
        proxy.deaths == 1 ? "once" : fmt::format("{} times", proxy.deaths), started_again(proxy),
        away_for(proxy), fmt::join(proxy.how_it_died, "; it ")));
  } else if (proxy.down_seconds > 0) {
    notes.push_back(fmt::format(
        "s3pool had died before what was measured began (it {}) and was {}; for {} of it s3pool was "
        "not there, and what failed then is not the storage's doing",
        fmt::join(proxy.how_it_died, "; it "), started_again(proxy), away_for(proxy)));
  }
  if (proxy.stopped_seconds > 0)
    notes.push_back(stopped(proxy) + ": what waited or failed then is not the storage's doing");
  if (proxy.own_answers > 0) {
    const std::string_view when =
        endpoints == 1
            ? "with one endpoint it says 503 for whatever 429, 503 or broken connection it met first, and "
              "tries nothing again"
            : "it says so where every endpoint has failed or was given up";
    notes.push_back(
        fmt::format("{} attempts got an answer of s3pool's own instead of the storage's (code s3pool): {}",
                    format_count(proxy.own_answers), when));
  }
  if (!proxy.gave_up.empty()) {
    std::string_view then = "while another one works it is never tried again: the load went to the others";
    if (endpoints == 1) {
      then = "an error of the storage's or two more";
    } else if (proxy.gave_up_all) {
      then = "that is all of them: from then on it sent everything to one";
    }
    notes.push_back(fmt::format("s3pool took {} for unhealthy: one connection that fails is enough, and {}",
                                fmt::join(proxy.gave_up, ", "), then));
  }
  return notes;
}

}  // namespace s3lt
