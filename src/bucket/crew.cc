#include "bucket/crew.h"

#include <algorithm>
#include <utility>

namespace s3lt {
namespace {

constexpr auto tick_period = std::chrono::milliseconds(100);

}  // namespace

Crew::Crew(const RunPlan& plan, unsigned hands) {
  for (unsigned i = 0; i < std::max(hands, 1U); ++i) hands_.emplace_back(loop_, plan, i);
}

void Crew::add(std::deque<Job>& jobs, Job job) {
  jobs.push_back(std::move(job));
  const auto idle = std::ranges::find(hands_, true, &Hand::idle);
  if (idle != hands_.end()) idle->timer.cancel();
}

void Crew::stop(std::optional<Error> error) {
  stopping_ = true;
  if (!error_) error_ = std::move(error);
  wake_all();
}

void Crew::wake_all() {
  for (Hand& hand : hands_) hand.timer.cancel();
}

std::optional<Crew::Job> Crew::take() {
  if (stopping_) return std::nullopt;
  auto& jobs = work_.size() >= hands_.size() || listings_.empty() ? work_ : listings_;
  if (jobs.empty()) return std::nullopt;
  Job job = std::move(jobs.front());
  jobs.pop_front();
  return job;
}

Task<void> Crew::work(Hand& hand) {
  for (;;) {
    std::optional<Job> job = take();
    if (job) {
      ++busy_;
      co_await (*job)(hand.client);
      --busy_;
    } else if (busy_ == 0) {
      break;  // nobody is left who could bring a job
    } else {
      hand.idle = true;
      co_await hand.timer.until(TimePoint::max());
      hand.idle = false;
    }
  }
  wake_all();
  if (--running_ == 1) ticker_.cancel();
  if (running_ == 0) loop_.stop();
}

Task<void> Crew::watch(const std::function<bool()>& tick) {
  for (;;) {
    const bool in_time = co_await ticker_.until(now() + tick_period);
    if (!in_time || running_ == 1) break;
    if (!tick()) stop();
  }
  if (--running_ == 0) loop_.stop();
}

Result<void> Crew::run(const std::function<bool()>& tick) {
  running_ = hands_.size() + 1;
  loop_.post([this, &tick] {
    for (Hand& hand : hands_) spawn(work(hand));
    spawn(watch(tick));
  });
  loop_.run();
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace s3lt
