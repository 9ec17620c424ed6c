// A server that does what a test tells it: each accepted connection gets a thread that plays the script with
// plain blocking calls. Everything is bounded: a peer that says nothing for ten seconds ends the script's
// read.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace s3lt {

// The script's side of one connection. Belongs to the script's thread.
class ScriptedPeer {
 public:
  explicit ScriptedPeer(int fd) : fd_(fd) {}
  int fd() const { return fd_; }

  // Up to and with the empty line; what came behind it stays for read_body(). Empty: the client ended it.
  std::string read_head() {
    std::size_t end;
    while ((end = received_.find("\r\n\r\n")) == received_.npos) {
      if (!read_some()) return {};
    }
    std::string head = received_.substr(0, end + 4);
    received_.erase(0, end + 4);
    return head;
  }
  // How many of the next `n` bytes came.
  std::uint64_t read_body(std::uint64_t n) {
    std::uint64_t got = 0;
    while (got < n) {
      if (received_.empty() && !read_some()) break;
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(received_.size(), n - got));
      received_.erase(0, taken);
      got += taken;
    }
    return got;
  }
  // How many of the next `n` bytes came, not a byte more taken from the kernel: what is left there makes the
  // closing a reset.
  std::uint64_t read_only(std::uint64_t n) {
    std::string taken(n, '\0');
    std::uint64_t got = 0;
    while (got < n) {
      const ssize_t some = ::recv(fd_, taken.data(), n - got, 0);
      if (some <= 0) break;
      got += static_cast<std::uint64_t>(some);
    }
    return got;
  }
  // Whether the client sends a byte (or ends the connection) within this time.
  bool hears_something_within(int milliseconds) {
    if (!received_.empty()) return true;
    pollfd p{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&p, 1, milliseconds) > 0;
  }
  // Until the client closes; false: it did not within ten seconds.
  bool await_close() {
    while (read_some()) received_.clear();
    return !timed_out_;
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // A segment for each byte.
  bool write_bytewise(std::string_view text) {
    return std::ranges::all_of(text, [this](const char& c) { return write({&c, 1}); });
  }
  // Says that nothing more will be written; the client may still write.
  void end() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  bool read_some() {
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) {
      timed_out_ = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
      return false;
    }
    received_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  int fd_;
  bool timed_out_ = false;
  std::string received_;
};

class ScriptedServer {
 public:
  // Plays `script` for every connection; it is closed when the script returns. `number` counts from 0.
  using Script = std::function<void(ScriptedPeer& peer, int number)>;

  explicit ScriptedServer(Script script)
      : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* sa = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, sa, size), 0);
    EXPECT_EQ(::listen(listener_, 128), 0);
    getsockname(listener_, sa, &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  int accepted() {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      const timeval patience{.tv_sec = 10, .tv_usec = 0};
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = accepted_++] { play(fd, number); });
    }
  }
  void play(int fd, int number) {
    ScriptedPeer peer(fd);
    script_(peer, number);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  Script script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  int accepted_ = 0;
};

}  // namespace s3lt
