// A storage that costs as little as one can: takes PUT bodies without looking at them (MSG_TRUNC), answers
// everything with an empty success, and counts. One thread, epoll, HTTP/1.1 with Content-Length, no Expect.
//
//   sink        prints its port on a line; at SIGTERM its counts as JSON, and ends with 0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

struct Counts {
  std::uint64_t put = 0, put_bytes = 0, head = 0, del = 0, other = 0;
};

struct Connection {
  int fd;
  std::string received;         // of a head that is not whole yet
  std::uint64_t body_left = 0;  // of the request under way
  bool in_body = false;
  std::string_view method;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int check(int result, const char* what) {
  if (result < 0) die(what);
  return result;
}

std::string_view known_method(std::string_view head) {
  for (const std::string_view method : {"PUT", "HEAD", "DELETE"}) {
    if (head.starts_with(method)) return method;
  }
  return "other";
}

// The value of Content-Length, 0 where there is none.
std::uint64_t content_length(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2);
    if (line.size() < name.size() || strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::uint64_t value = 0;
    std::from_chars(line.data(), line.data() + line.size(), value);
    return value;
  }
  return 0;
}

bool answer(Connection& c, Counts& counts) {
  std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  if (c.method == "PUT") {
    ++counts.put;
  } else if (c.method == "HEAD") {
    ++counts.head;
    // By such a header our client knows S3.
    text = "HTTP/1.1 200 OK\r\nx-amz-request-id: sink\r\nContent-Length: 0\r\n\r\n";
  } else if (c.method == "DELETE") {
    ++counts.del;
    text = "HTTP/1.1 204 No Content\r\n\r\n";
  } else {
    ++counts.other;
  }
  c.in_body = false;
  // An empty answer always fits the send buffer of a client that waits for it.
  return ::send(c.fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Takes the requests that stand in `received`; what is there of a body counts as read.
bool take_heads(Connection& c, Counts& counts) {
  while (!c.in_body) {
    const std::size_t end = c.received.find("\r\n\r\n");
    if (end == std::string::npos) return c.received.size() < 64 * 1024;
    const std::string_view head(c.received.data(), end + 2);
    c.method = known_method(head);
    c.body_left = content_length(head);
    if (c.method == "PUT") counts.put_bytes += c.body_left;
    c.received.erase(0, end + 4);
    const std::uint64_t at_hand = std::min<std::uint64_t>(c.body_left, c.received.size());
    c.received.erase(0, at_hand);
    c.body_left -= at_hand;
    c.in_body = c.body_left > 0;
    if (!c.in_body && !answer(c, counts)) return false;
  }
  return true;
}

// What a readable connection asks for. False: it is over.
bool serve(Connection& c, Counts& counts) {
  if (c.in_body) {
    const ssize_t n = ::recv(c.fd, nullptr, std::min<std::uint64_t>(c.body_left, INT_MAX), MSG_TRUNC);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    c.body_left -= static_cast<std::uint64_t>(n);
    return c.body_left > 0 || answer(c, counts);
  }
  char buffer[4096];
  const ssize_t n = ::recv(c.fd, buffer, sizeof buffer, 0);
  if (n <= 0) return n < 0 && errno == EAGAIN;
  c.received.append(buffer, static_cast<std::size_t>(n));
  return take_heads(c, counts);
}

void watch(int poll, int fd, Connection* connection) {
  epoll_event event{.events = EPOLLIN, .data = {.ptr = connection}};
  check(epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

int listen_on_loopback() {
  const int fd = check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  check(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), "bind");
  check(::listen(fd, 1024), "listen");
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  std::printf("%u\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

int block_and_watch_sigterm() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  return check(signalfd(-1, &ends, SFD_CLOEXEC), "signalfd");
}

void print(const Counts& counts) {
  std::printf("{\"PUT\": %llu, \"PUT_bytes\": %llu, \"HEAD\": %llu, \"DELETE\": %llu, \"other\": %llu}\n",
              static_cast<unsigned long long>(counts.put), static_cast<unsigned long long>(counts.put_bytes),
              static_cast<unsigned long long>(counts.head), static_cast<unsigned long long>(counts.del),
              static_cast<unsigned long long>(counts.other));
}

}  // namespace

int main() {
  Connection ends{.fd = block_and_watch_sigterm()};
  Connection listener{.fd = listen_on_loopback()};
  const int poll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  watch(poll, ends.fd, &ends);
  watch(poll, listener.fd, &listener);
  Counts counts;
  for (;;) {
    epoll_event events[64];
    const int n = epoll_wait(poll, events, 64, -1);
    if (n < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < n; ++i) {
      auto* c = static_cast<Connection*>(events[i].data.ptr);
      if (c == &ends) {
        print(counts);
        return 0;
      }
      if (c == &listener) {
        const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) continue;
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(poll, fd, new Connection{.fd = fd});
      } else if (!serve(*c, counts)) {
        ::close(c->fd);
        delete c;
      }
    }
  }
}
