// A few clients that work jobs off together, on the calling thread: listings bring pages, pages bring work.
// Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "bucket/bucket_client.h"

namespace s3lt {

class Crew {
 public:
  using Job = std::function<Task<void>(BucketClient&)>;

  Crew(const RunPlan& plan, unsigned hands);

  // Listings are worked off first, as long as they do not bring more work than the hands can do.
  void add_listing(Job job) { add(listings_, std::move(job)); }
  void add_work(Job job) { add(work_, std::move(job)); }
  // No further job is begun; what is under way ends. The first error is the one that run() gives.
  void stop(std::optional<Error> error = {});
  bool stopping() const { return stopping_; }

  // Until there are no jobs left. `tick` is called ten times a second: false stops the crew.
  Result<void> run(const std::function<bool()>& tick);

 private:
  struct Hand {
    Hand(Loop& loop, const RunPlan& plan, std::size_t index) : client(loop, plan, index), timer(loop) {}
    BucketClient client;
    Timer timer;
    bool idle = false;
  };
  void add(std::deque<Job>& jobs, Job job);
  std::optional<Job> take();
  Task<void> work(Hand& hand);
  Task<void> watch(const std::function<bool()>& tick);
  void wake_all();

  Loop loop_;
  std::list<Hand> hands_;
  Timer ticker_{loop_};
  std::deque<Job> listings_, work_;
  std::size_t busy_ = 0, running_ = 0;
  bool stopping_ = false;
  std::optional<Error> error_;
};

}  // namespace s3lt
