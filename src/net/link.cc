#include "net/link.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace s3lt {
namespace {

std::optional<std::int64_t> read_number(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::int64_t number = 0;
  if (!(in >> number)) return std::nullopt;
  return number;
}

bool same_host(const sockaddr* a, const sockaddr* b) {
  if (a == nullptr || a->sa_family != b->sa_family) return false;
  if (a->sa_family == AF_INET) {
    return std::memcmp(&reinterpret_cast<const sockaddr_in*>(a)->sin_addr,
                       &reinterpret_cast<const sockaddr_in*>(b)->sin_addr, sizeof(in_addr)) == 0;
  }
  return a->sa_family == AF_INET6 &&
         std::memcmp(&reinterpret_cast<const sockaddr_in6*>(a)->sin6_addr,
                     &reinterpret_cast<const sockaddr_in6*>(b)->sin6_addr, sizeof(in6_addr)) == 0;
}

}  // namespace

std::string interface_to(const Address& address) {
  const auto* to = reinterpret_cast<const sockaddr*>(address.storage);
  // Connecting a datagram socket chooses a route, and sends nothing.
  const int fd = ::socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  Address own;
  auto* from = reinterpret_cast<sockaddr*>(own.storage);
  socklen_t size = sizeof own.storage;
  const bool routed = ::connect(fd, to, address.size) == 0 && getsockname(fd, from, &size) == 0;
  ::close(fd);
  ifaddrs* interfaces = nullptr;
  if (!routed || getifaddrs(&interfaces) != 0) return {};
  std::string name;
  for (const ifaddrs* i = interfaces; i != nullptr && name.empty(); i = i->ifa_next) {
    if (same_host(i->ifa_addr, from)) name = i->ifa_name;
  }
  freeifaddrs(interfaces);
  return name;
}

std::optional<Link> Link::open(const std::string& name, const std::filesystem::path& root) {
  Link link;
  link.name_ = name;
  link.directory_ = root / name;
  std::error_code ignored;
  const bool real = std::filesystem::exists(link.directory_ / "device", ignored) ||
                    std::filesystem::exists(link.directory_ / "bonding", ignored);
  // /sys may show another network namespace than this process is in.
  const auto index = read_number(link.directory_ / "ifindex");
  const bool here = root != all || (index && *index == if_nametoindex(name.c_str()));
  const auto megabits = read_number(link.directory_ / "speed");  // -1: not known
  if (name.empty() || !real || !here || !megabits || *megabits <= 0) return std::nullopt;
  link.bytes_per_second_ = static_cast<double>(*megabits) * 1e6 / 8;
  return link;
}

std::optional<LinkCounters> Link::read() const {
  const auto received = read_number(directory_ / "statistics" / "rx_bytes");
  const auto sent = read_number(directory_ / "statistics" / "tx_bytes");
  if (!received || !sent) return std::nullopt;
  return LinkCounters{static_cast<std::uint64_t>(*received), static_cast<std::uint64_t>(*sent)};
}

}  // namespace s3lt
