// The least that a client can do to PUT: N connections that send the same head and body from one buffer, over
// and over, by plain send() in one epoll loop. No signature, no unique bytes, no clock but for the end.
//
//   raw_send PORT CONNECTIONS BYTES SECONDS     prints {"operations": n, "bytes": n}
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  std::size_t sent = 0;  // of the request under way
  std::string answer;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

int check(int result, const char* what) {
  if (result < 0) die(what);
  return result;
}

// A head as long as a signed one, and a body that does not compress.
std::string make_request(std::size_t size) {
  std::string out = "PUT /bench/raw HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Padding: " + std::string(400, 'x') +
                    "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  out.reserve(out.size() + size);
  std::uint64_t state = 88172645463325252;
  for (std::size_t i = 0; i < size; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    out += static_cast<char>(state);
  }
  return out;
}

int connect_to(std::uint16_t port) {
  const int fd = check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  check(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void send_some(Connection& c, std::string_view request) {
  while (c.sent < request.size()) {
    const ssize_t n =
        ::send(c.fd, request.data() + c.sent, request.size() - c.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) die("send");
    c.sent += static_cast<std::size_t>(n);
  }
}

// True when the whole answer is there.
bool receive_answer(Connection& c) {
  char buffer[1024];
  const ssize_t n = ::recv(c.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN) return false;
  if (n < 0) die("recv");
  c.answer.append(buffer, static_cast<std::size_t>(n));
  const bool good = std::string_view(c.answer).starts_with("HTTP/1.1 200 ");
  if (n == 0 || (c.answer.ends_with("\r\n\r\n") && !good)) {
    std::fprintf(stderr, "raw_send: the sink did not answer 200: %s\n", c.answer.c_str());
    std::exit(1);
  }
  return c.answer.ends_with("\r\n\r\n");
}

std::uint64_t run(std::uint16_t port, std::size_t connections, std::string_view request,
                  Clock::duration time) {
  const int poll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  std::vector<Connection> all(connections);
  for (Connection& c : all) {
    c.fd = connect_to(port);
    // Edge-triggered, once: the loop needs no further epoll_ctl.
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &c}};
    check(epoll_ctl(poll, EPOLL_CTL_ADD, c.fd, &event), "epoll_ctl");
  }
  const Clock::time_point end = Clock::now() + time;
  std::uint64_t operations = 0;
  std::size_t open = all.size();
  while (open > 0) {
    epoll_event events[64];
    const int n = epoll_wait(poll, events, 64, -1);
    if (n < 0 && errno != EINTR) die("epoll_wait");
    const bool over = Clock::now() >= end;
    for (int i = 0; i < n; ++i) {
      Connection& c = *static_cast<Connection*>(events[i].data.ptr);
      if (c.sent < request.size()) {
        send_some(c, request);
      } else if ((events[i].events & EPOLLIN) != 0 && receive_answer(c)) {
        ++operations;
        c.answer.clear();
        c.sent = 0;
        if (over) {
          ::close(c.fd);
          --open;
        } else {
          send_some(c, request);
        }
      }
    }
  }
  return operations;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: raw_send PORT CONNECTIONS BYTES SECONDS\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const auto connections = static_cast<std::size_t>(std::max(1, std::atoi(argv[2])));
  const std::size_t size = std::strtoull(argv[3], nullptr, 10);
  const auto time =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(argv[4])));
  const std::string request = make_request(size);
  const std::uint64_t operations = run(port, connections, request, time);
  std::printf("{\"operations\": %llu, \"bytes\": %llu}\n", static_cast<unsigned long long>(operations),
              static_cast<unsigned long long>(operations * size));
}
