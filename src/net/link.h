// The network interfaces of this machine: which one leads to an address, and what it carried. Reads files of
// /sys: once a second, not for the path of a request. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "net/stream.h"

namespace s3lt {

// The name of the interface over which the kernel would reach it; empty: not found. Sends nothing.
std::string interface_to(const Address& address);

struct LinkCounters {
  std::uint64_t received = 0, sent = 0;  // bytes since the interface came up
};

// An interface that is a device of its own (or a bond of some) and knows its speed. Virtual ones state speeds
// that mean nothing.
class Link {
 public:
  static constexpr const char* all = "/sys/class/net";
  // None where the interface is not of that kind. `root` is for tests.
  static std::optional<Link> open(const std::string& name, const std::filesystem::path& root = all);
  const std::string& name() const { return name_; }
  double bytes_per_second() const { return bytes_per_second_; }  // each way
  std::optional<LinkCounters> read() const;

 private:
  std::string name_;
  std::filesystem::path directory_;
  double bytes_per_second_ = 0;
};

}  // namespace s3lt
