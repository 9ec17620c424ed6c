#include "process/s3pool_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <list>
#include <optional>

#include "process/child.h"
#include "process/listening_process.h"
#include "process/s3pool_log.h"
#include "process/s3pool_order.h"

namespace s3lt {
namespace {

constexpr auto patience_for_a_start = std::chrono::seconds(15);
constexpr auto patience_for_an_end = std::chrono::seconds(5);
constexpr auto patience_for_the_first_user = std::chrono::seconds(15);
constexpr auto look_again = std::chrono::milliseconds(20);
constexpr auto steady_after = std::chrono::seconds(30);  // up for so long, its next death is a first one

volatile std::sig_atomic_t told_to_end = 0;

class Keeper {
 public:
  Keeper(PacketSocket names, std::string ip, std::uint16_t port)
      : listener_(std::move(names)), ip_(std::move(ip)), port_(port) {}

  void keep() {
    const TimePoint first_user_by = now() + patience_for_the_first_user;
    while (told_to_end == 0) {
      wait();
      for (PacketSocket user = listener_.accept(); user; user = listener_.accept())
        users_.emplace_back(std::move(user));
      for (User& user : users_) listen_to(user);
      leave();
      watch();
      tell_users();
      if (!users_.empty() || (!had_users_ && now() <= first_user_by)) continue;
      // Who came while the last one's s3pool ended is not sent away.
      PacketSocket late = listener_.accept();
      if (!late) break;
      users_.emplace_back(std::move(late));
    }
    end_child();
  }

 private:
  struct User {
    explicit User(PacketSocket s) : socket(std::move(s)) {}
    PacketSocket socket;
    bool asked = false, waits = false, gone = false, shares = false;
    std::ptrdiff_t told_users = 0;
    bool uses() const { return asked && !waits && !gone; }
  };
  enum class State : std::uint8_t { none, starting, up, down };

  // Until something happens, or it is time to look again.
  void wait() {
    std::vector<pollfd> fds{{listener_.fd(), POLLIN, 0}};
    for (const User& user : users_) fds.push_back({user.socket.fd(), POLLIN, 0});
    if (log_ && log_->fd() >= 0) fds.push_back({log_->fd(), POLLIN, 0});
    if (ended_fd_ >= 0) fds.push_back({ended_fd_, POLLIN, 0});
    Duration most = std::chrono::seconds(1);
    if (state_ == State::starting) most = look_again;
    if (state_ == State::down) most = std::clamp<Duration>(start_at_ - now(), Duration::zero(), most);
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(most).count();
    const timespec timeout{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    sigset_t none;
    ::sigemptyset(&none);
    ::ppoll(fds.data(), fds.size(), &timeout, &none);  // SIGTERM comes here and nowhere else
  }

  void listen_to(User& user) {
    Packet packet;
    for (;;) {
      const auto got = user.socket.receive(packet);
      if (got == PacketSocket::Got::nothing) return;
      if (got == PacketSocket::Got::closed) {
        user.gone = true;
        return;
      }
      if (!user.asked) {
        serve(user, packet);
      } else if (packet == Packet{"look"}) {
        read_log();
        user.socket.send({"looked"});
      }
    }
  }

  void serve(User& user, const Packet& packet) {
    user.asked = had_users_ = true;
    auto request = request_in(packet);
    if (!request) return refuse(user, S3poolFailure::version, "");
    const bool alone = std::ranges::none_of(
        users_, [&](const User& other) { return &other != &user && other.asked && !other.gone; });
    const bool same = state_ != State::none && request->order == request_.order;
    if (!same && !alone) return refuse(user, S3poolFailure::settings, endpoints());
    user.waits = true;
    if (same && !request->restart) {
      user.shares = true;
      if (state_ == State::up) tell_ready(user);
      return;
    }
    if (state_ != State::none) {
      end_child();
      tell("ended", "was restarted by a run with --force-restart-proxy");
    }
    request_ = std::move(*request);
    was_up_ = false;
    failures_ = 0;
    start();
  }

  // A socket is closed when nothing of its user's is left to be done.
  void leave() {
    const bool any_left = std::ranges::any_of(users_, [](const User& user) { return !user.gone; });
    if (users_.empty()) return;
    if (!any_left) end_child();
    std::erase_if(users_, [](const User& user) { return user.gone; });
  }

  void watch() {
    read_log();
    if (state_ == State::starting) look_for_listener();
    if (state_ == State::starting || state_ == State::up) look_for_end();
    if (state_ == State::down && now() >= start_at_ && !users_.empty()) start();
  }

  void read_log() {
    if (!log_) return;
    log_->read();
    for (std::string& url : log_->take_given_up()) {
      tell("gave-up", url);
      given_up_.push_back(std::move(url));
    }
  }

  void look_for_listener() {
    const ListeningProcess found = listening_process(ip_, port_);
    if (found.pid > 0 && (found.pid == child_->pid() || ::getsid(found.pid) == child_->pid())) {
      state_ = State::up;
      listener_pid_ = found.pid;
      was_up_ = true;
      up_since_ = now();
      for (User& user : users_) {
        if (user.asked && !user.gone) tell_ready(user);
      }
    } else if (now() > start_by_) {
      end_child();
      failed(S3poolFailure::silent, fmt::format("{} s", patience_for_a_start.count()));
    }
  }

  void look_for_end() {
    const auto status = child_->status();
    if (!status) return;
    log_->read();
    const std::string words = log_->last_words();
    const std::string how = *status > 128 ? fmt::format("was ended by signal {}", *status - 128)
                                          : fmt::format("ended with status {}", *status);
    if (state_ == State::up && now() - up_since_ >= steady_after) failures_ = 0;
    forget_child();
    failed(S3poolFailure::ended, words.empty() ? how : fmt::format("{}: {}", how, words));
  }

  void start() {
    if (const ListeningProcess other = listening_process(ip_, port_); other.any)
      return failed(S3poolFailure::address, who(other));
    auto opened = S3poolLog::open(request_.log, secrets());
    auto room = opened ? private_directory() : Result<std::string>(std::unexpected(opened.error()));
    if (!room) return failed(S3poolFailure::start, room.error().message);
    log_.emplace(std::move(*opened));
    given_up_.clear();
    room_ = *room;
    auto child = Child::start({.command = request_.order.command,
                               .environment = request_.order.environment,
                               .out = {},
                               .err = {},
                               .output = log_->child_end(),
                               .directory = room_,
                               .orphan_signal = SIGKILL});
    log_->close_child_end();
    if (!child) {
      forget_child();
      return failed(S3poolFailure::start, child.error().message);
    }
    child_ = std::move(*child);
    ended_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, child_->pid(), 0));
    log_->note(fmt::format("started as process {}", child_->pid()));
    state_ = State::starting;
    start_by_ = now() + patience_for_a_start;
  }

  // Before it ever ran, its users are told and that is all; later it is tried again and again.
  void failed(S3poolFailure what, const std::string& text) {
    ++failures_;
    state_ = was_up_ ? State::down : State::none;
    start_at_ = now() + restart_delay(failures_);
    if (was_up_) return tell("ended", words_of(what, text));
    for (User& user : users_) {
      if (user.waits && !user.gone) refuse(user, what, text);
    }
  }

  static std::string words_of(S3poolFailure what, const std::string& text) {
    switch (what) {
      case S3poolFailure::address:
        return fmt::format("cannot listen, for its address is used by {}", text);
      case S3poolFailure::start:
        return fmt::format("cannot be started: {}", text);
      case S3poolFailure::silent:
        return fmt::format("did not listen within {}", text);
      default:
        return text;
    }
  }

  void refuse(User& user, S3poolFailure what, const std::string& text) {
    user.waits = false;
    user.socket.send({"failed", std::string(s3pool_failure_names[static_cast<std::size_t>(what)]), text});
    user.gone = true;
  }
  void tell_ready(User& user) {
    user.waits = false;
    user.socket.send(
        {"ready", std::to_string(listener_pid_), request_.log.string(), user.shares ? "1" : "0"});
    for (const std::string& url : given_up_) user.socket.send({"gave-up", url});
  }
  void tell(const std::string& what, const std::string& text) {
    for (User& user : users_) {
      if (user.uses()) user.socket.send({what, text});
    }
  }
  void tell_users() {
    const auto count = std::ranges::count_if(users_, &User::uses);
    for (User& user : users_) {
      if (!user.uses() || user.told_users == count) continue;
      user.told_users = count;
      user.socket.send({"users", std::to_string(count)});
    }
  }

  void end_child() {
    if (child_) child_->end(patience_for_an_end);
    forget_child();
    state_ = State::none;
  }
  void forget_child() {
    if (log_) log_->read();
    child_.reset();
    if (ended_fd_ >= 0) ::close(std::exchange(ended_fd_, -1));
    log_.reset();
    std::error_code ignored;
    if (!room_.empty()) std::filesystem::remove_all(std::exchange(room_, {}), ignored);
  }

  // An `.env` of its own, empty, keeps it from looking for one in the directories above.
  Result<std::string> private_directory() const {
    std::string name = (request_.directory / "s3loadtest-s3pool-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return unavailable(fmt::format("cannot create {}: {}", name, std::strerror(errno)));
    const int file = ::open((name + "/.env").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return unavailable(fmt::format("cannot write {}/.env: {}", name, std::strerror(errno)));
    ::close(file);
    return name;
  }

  std::string variable(std::string_view name) const {
    for (const auto& [known, value] : request_.order.environment) {
      if (known == name) return value;
    }
    return {};
  }
  std::string endpoints() const { return variable("S3_POOL"); }
  std::vector<std::string> secrets() const {
    return {variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_ACCESS_KEY_ID")};
  }

  PacketSocket listener_;
  const std::string ip_;
  const std::uint16_t port_;
  std::list<User> users_;
  bool had_users_ = false;
  S3poolRequest request_;
  State state_ = State::none;
  std::optional<Child> child_;
  pid_t listener_pid_ = 0;  // the child, or what that started, where it is a script
  std::optional<S3poolLog> log_;
  std::vector<std::string> given_up_;  // by this s3pool
  std::string room_;
  int ended_fd_ = -1;
  bool was_up_ = false;
  unsigned failures_ = 0;
  TimePoint start_by_{}, start_at_{}, up_since_{};
};

}  // namespace

std::string keeper_name(const std::string& address) {
  return fmt::format("s3loadtest/s3pool/{}/{}", ::geteuid(), address);
}

Duration restart_delay(unsigned failures) {
  constexpr Duration first = std::chrono::milliseconds(200), most = std::chrono::seconds(10);
  return std::min<Duration>(most, first * (1 << std::clamp(failures, 1U, 10U)) / 2);
}

int keep_s3pool(const std::string& ip, std::uint16_t port) {
  PacketSocket names = PacketSocket::listen(keeper_name(address_text(ip, port)));
  if (!names || ::chdir("/") != 0) return 1;
  struct sigaction action{};
  action.sa_handler = [](int) { told_to_end = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigaddset(&ends, SIGINT);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  // It takes a descriptor for each client and one to the storage.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  Keeper(std::move(names), ip, port).keep();
  return 0;
}

}  // namespace s3lt
