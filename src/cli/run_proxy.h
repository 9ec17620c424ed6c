// The s3pool of a run with backend proxy (docs/proxy.md): has it started or uses the one that runs, watches
// it from a thread of its own while the load goes on, and gives it back. Used by one thread, but for what
// says otherwise.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/run_flags.h"
#include "config/settings.h"
#include "process/s3pool_lease.h"
#include "results/run_record.h"

namespace s3lt {

class RunProxy {
 public:
  // Returns once it listens. Errors: one sentence each (docs/errors.md).
  static Result<std::unique_ptr<RunProxy>> start(const Settings& settings, const RunFlags& flags);
  ~RunProxy();  // as end()

  // Asks the storage through it (`ask`), and then begins to watch it. Where a new one has given up every
  // endpoint by then, which it does for good, it is started anew and asked once more: the error is that of
  // the last time.
  Result<void> first_questions(const std::function<Result<void>()>& ask);
  // What is measured begins, and is over: CPU time, deaths and stops count in between. What comes later is
  // for the log. May be called from another thread than the one that watches.
  void begin();
  void stop_counting();
  // What happened since the last call, for the log: sentences without their end.
  std::vector<std::string> take_news();
  // Ends it, unless another run uses it; its figures, of what was measured.
  ProxyRecord end();

 private:
  struct Use {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;    // with it, which process it is
    double at_first = 0, latest = 0;  // CPU seconds
  };
  RunProxy(S3poolRequest request, std::string address)
      : request_(std::move(request)), address_(std::move(address)) {}
  void watch();
  void catch_up();
  bool new_one_gave_up_all();
  Result<void> start_anew();
  void take(const S3poolLease::Event& event);
  void take_what_comes(TimePoint deadline);
  void adopt(S3poolLease lease);
  bool gave_up_all() const { return endpoints_ > 0 && gave_up_.size() >= endpoints_; }
  void ask_again();
  void look();
  void find_another();
  ProxyRecord until_now() const;
  void say(std::string news);

  const S3poolRequest request_;
  const std::string address_;
  std::size_t endpoints_ = 0;
  std::optional<S3poolLease> lease_;  // the watching thread's while it runs; none with --no-proxy
  std::string ip_;                    // with --no-proxy, where it listens
  std::uint16_t port_ = 0;
  std::atomic<bool> over_ = false;
  std::mutex mutex_;  // of what follows
  ProxyRecord record_;
  std::optional<ProxyRecord> measured_;  // once that is over
  bool awaited_ = false;                 // as that ended it was away
  bool others_ = false;                  // use it, too, at this moment
  Use use_;                              // of the process that is there
  bool gone_ = false;                    // it is not, with --no-proxy
  double cpu_before_ = 0;                // of those before it
  std::vector<std::string> gave_up_;     // by the process that is there
  std::optional<TimePoint> down_at_, stopped_at_;
  std::vector<std::string> news_;
  std::thread watch_;
};

// What the keeper of an address does (`s3loadtest keep-s3pool ADDRESS`, not in the help).
int keep_s3pool_command(const std::vector<std::string>& words);

}  // namespace s3lt
