// A run's use of the s3pool that is kept for an address: asks its keeper (process/s3pool_keeper.h) for it,
// and starts a keeper where there is none. When the run ends in whatever way, its use does. One object
// belongs to one thread; a keeper may be started while the process has others.
#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "process/packet_socket.h"
#include "process/s3pool_keeper.h"
#include "process/s3pool_order.h"

namespace s3lt {

struct S3poolProblem {
  S3poolFailure what{};
  std::string text;  // see S3poolFailure
};

class S3poolLease {
 public:
  // `keeper` is the command of this program that is a keeper. Waits until the s3pool listens.
  static std::expected<S3poolLease, S3poolProblem> take(const std::string& address,
                                                        const S3poolRequest& request,
                                                        const std::vector<std::string>& keeper);

  pid_t pid() const { return pid_; }  // of the s3pool; changes with a `ready`
  const std::filesystem::path& log() const { return log_; }
  bool shared() const { return shared_; }  // another run has started it

  struct Event {
    enum class Kind : std::uint8_t { ready, ended, gave_up, users, looked, keeper_gone } kind{};
    std::string text;  // ended: how; gave_up: the endpoint; users: how many runs use it now
  };
  // Waits until the deadline. After keeper_gone the lease is over.
  std::optional<Event> next(TimePoint deadline);
  // Has `looked` come behind all that has happened until now.
  void look() { socket_.send({"look"}); }
  // Returns once the s3pool has ended, where this was its last user.
  void give_back();

 private:
  PacketSocket socket_;
  pid_t keeper_ = -1, pid_ = -1;  // the keeper that we started; another's has no number here
  std::filesystem::path log_;
  bool shared_ = false;
  void take_ready(const Packet& packet);
};

}  // namespace s3lt
