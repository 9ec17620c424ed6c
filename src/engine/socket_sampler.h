// Looks at the connections of one thread: how many wait for the storage, and what the kernel says of some of
// them. Once a second, on the loop's thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "measure/client_use.h"
#include "net/loop.h"
#include "net/tcp_state.h"

namespace s3lt {

class SocketSampler {
 public:
  static constexpr std::size_t most_asked = 32;

  // `clients`: how many requests can be under way at a time.
  SocketUse look(const Loop& loop, std::uint64_t clients);

 private:
  struct Known {
    TcpState state;
    std::string peer;
  };
  std::unordered_map<int, Known> known_;  // as they were when last asked, by descriptor
};

}  // namespace s3lt
