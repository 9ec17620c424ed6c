#include "check/checker.h"

#include <fmt/format.h>

#include <list>

#include "check/prober.h"

namespace s3lt {
namespace {

constexpr auto tick_period = std::chrono::milliseconds(100);
constexpr auto last_word = std::chrono::seconds(5);  // for what is under way when the user has had enough

class Checker {
 public:
  Checker(const CheckTask& task, const std::function<bool()>& go_on) : go_on_(go_on) {
    facts_.resize(task.endpoints.size());
    // In the place of a worker's number stands one that no worker has, so that each endpoint's keys are its
    // own and look like those of a run to whoever cleans up.
    const std::uint64_t number = unix_micros(wall_now()) * 1000;
    for (std::size_t i = 0; i < task.endpoints.size(); ++i) {
      const NamedEndpoint& one = task.endpoints[i];
      facts_[i].url = one.endpoint.url;
      if (!one.name_problem.empty()) {
        facts_[i].problem = one.name_problem;
        continue;
      }
      probers_.emplace_back(loop_, task.plan, one.endpoint, task.observer, task.verifies,
                            fmt::format("{}{}/", task.plan.prefix, number + i), facts_[i]);
    }
  }

  std::vector<EndpointFacts> run() {
    if (probers_.empty()) return std::move(facts_);
    running_ = probers_.size() + 1;
    loop_.post([this] {
      for (Prober& prober : probers_) spawn(probe(prober));
      spawn(watch());
    });
    loop_.run();
    return std::move(facts_);
  }

 private:
  Task<void> probe(Prober& prober) {
    co_await prober.run();
    if (--running_ == 1) ticker_.cancel();
    if (running_ == 0) loop_.stop();
  }

  Task<void> watch() {
    TimePoint cut_at = TimePoint::max();
    while (running_ > 1) {
      const bool in_time = co_await ticker_.until(now() + tick_period);
      if (!in_time) break;
      if (cut_at == TimePoint::max() && !go_on_()) {
        for (Prober& prober : probers_) prober.stop();
        cut_at = now() + last_word;
      }
      if (now() < cut_at) continue;
      for (Prober& prober : probers_) prober.cut();
      cut_at = now() + last_word;
    }
    if (--running_ == 0) loop_.stop();
  }

  const std::function<bool()>& go_on_;
  Loop loop_;
  Timer ticker_{loop_};
  std::vector<EndpointFacts> facts_;
  std::list<Prober> probers_;
  std::size_t running_ = 0;
};

}  // namespace

std::vector<EndpointFacts> check_endpoints(const CheckTask& task, const std::function<bool()>& go_on) {
  return Checker(task, go_on).run();
}

}  // namespace s3lt
