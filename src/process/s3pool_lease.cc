#include "process/s3pool_lease.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <thread>

namespace s3lt {
namespace {

// Longer than the keeper itself waits for a start.
constexpr auto patience_for_an_answer = std::chrono::seconds(25);
constexpr auto patience_for_the_end = std::chrono::seconds(8);
constexpr auto patience_for_a_keeper = std::chrono::seconds(10);
constexpr auto look_again = std::chrono::milliseconds(10);

// In a session of its own, with nothing of ours: no descriptor, no variable, no disposition of a signal.
// posix_spawn neither copies our memory nor minds our threads.
pid_t spawn_keeper(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/bin:/bin", locale = "LC_ALL=C.UTF-8";
  char* environment[] = {path.data(), locale.data(), nullptr};
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  if (::posix_spawn(&pid, arguments[0], &files, &attributes, arguments.data(), environment) != 0) pid = -1;
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return pid;
}

void reap(pid_t pid, TimePoint deadline) {
  if (pid <= 0) return;
  while (::waitpid(pid, nullptr, WNOHANG) == 0 && now() < deadline) std::this_thread::sleep_for(look_again);
}

S3poolFailure failure_named(const std::string& name) {
  const auto found = std::ranges::find(s3pool_failure_names, name);
  return static_cast<S3poolFailure>(
      found == s3pool_failure_names.end() ? 0 : found - s3pool_failure_names.begin());
}

}  // namespace

std::expected<S3poolLease, S3poolProblem> S3poolLease::take(const std::string& address,
                                                            const S3poolRequest& request,
                                                            const std::vector<std::string>& keeper) {
  const std::string name = keeper_name(address);
  const TimePoint deadline = now() + patience_for_an_answer;
  TimePoint spawn_again{};
  S3poolLease lease;
  // A keeper that is just about to go says nothing; the next one is asked then.
  while (now() < deadline) {
    lease.socket_ = PacketSocket::connect(name);
    if (!lease.socket_) {
      // One that met a keeper on its way out has gone again.
      const bool gone = lease.keeper_ > 0 && ::waitpid(lease.keeper_, nullptr, WNOHANG) == lease.keeper_;
      if (gone) spawn_again = std::min(spawn_again, now() + std::chrono::milliseconds(100));
      if (gone) lease.keeper_ = -1;
      if (now() >= spawn_again) {
        reap(lease.keeper_, now());
        lease.keeper_ = spawn_keeper(keeper);
        if (lease.keeper_ < 0)
          return std::unexpected(S3poolProblem{S3poolFailure::start, std::strerror(errno)});
        spawn_again = now() + patience_for_a_keeper;
      }
      std::this_thread::sleep_for(look_again);
      continue;
    }
    lease.socket_.send(packet_of(request));
    Packet answer;
    const auto got = lease.socket_.receive(answer, deadline);
    if (got == PacketSocket::Got::packet && answer.size() >= 4 && answer[0] == "ready") {
      lease.take_ready(answer);
      return lease;
    }
    if (got == PacketSocket::Got::packet && answer.size() >= 3 && answer[0] == "failed") {
      lease.socket_ = {};
      reap(lease.keeper_, now() + patience_for_the_end);
      return std::unexpected(S3poolProblem{failure_named(answer[1]), answer[2]});
    }
    lease.socket_ = {};
    spawn_again = {};
  }
  return std::unexpected(S3poolProblem{
      S3poolFailure::silent, std::to_string(std::chrono::seconds(patience_for_an_answer).count()) + " s"});
}

void S3poolLease::take_ready(const Packet& packet) {
  std::from_chars(packet[1].data(), packet[1].data() + packet[1].size(), pid_);
  log_ = packet[2];
  shared_ = packet[3] == "1";
}

std::optional<S3poolLease::Event> S3poolLease::next(TimePoint deadline) {
  Packet packet;
  switch (socket_.receive(packet, deadline)) {
    case PacketSocket::Got::nothing:
      return std::nullopt;
    case PacketSocket::Got::closed:
      socket_ = {};
      reap(keeper_, now() + look_again);
      return Event{Event::Kind::keeper_gone, {}};
    case PacketSocket::Got::packet:
      break;
  }
  if (packet.size() >= 4 && packet[0] == "ready") {
    take_ready(packet);
    return Event{Event::Kind::ready, {}};
  }
  if (packet.size() >= 2 && packet[0] == "ended") return Event{Event::Kind::ended, packet[1]};
  if (packet.size() >= 2 && packet[0] == "gave-up") return Event{Event::Kind::gave_up, packet[1]};
  if (packet.size() >= 2 && packet[0] == "users") return Event{Event::Kind::users, packet[1]};
  if (packet.size() == 1 && packet[0] == "looked") return Event{Event::Kind::looked, {}};
  return std::nullopt;
}

void S3poolLease::give_back() {
  if (!socket_) return;
  socket_.end_sending();
  const TimePoint deadline = now() + patience_for_the_end;
  Packet ignored;
  PacketSocket::Got got{};
  do {
    got = socket_.receive(ignored, deadline);
  } while (got == PacketSocket::Got::packet);
  socket_ = {};
  // A keeper of ours that others still need lives on.
  reap(keeper_, now() + std::chrono::milliseconds(200));
}

}  // namespace s3lt
