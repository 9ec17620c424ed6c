// How an answer goes out that a fault touches on its way. A value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "server/fault_rules.h"

namespace s3lt::server {

struct Delivery {
  enum class End : std::uint8_t { whole, close, reset };
  struct Flip {
    std::uint64_t offset;
    unsigned char mask;
    bool operator==(const Flip&) const = default;
  };
  std::uint64_t body = 0;  // bytes of the body that go out
  End end = End::whole;
  double rate = 0;  // of the body, bytes a second; 0: as fast as it goes
  std::vector<Flip> flips;

  // Chooses the bits of a body of that length; false: there are not as many.
  bool flip_bits(const FaultRule& rule, std::uint64_t length, Random random) {
    const std::uint64_t first = rule.at ? 8 * rule.at->in(length) : 0;
    const std::uint64_t past = rule.at ? first + 8 : 8 * length;
    if (past > 8 * length || past - first < rule.bits) return false;
    while (flips.size() < rule.bits) {
      const std::uint64_t bit = first + random.below(past - first);
      const Flip flip{bit / 8, static_cast<unsigned char>(1U << bit % 8)};
      if (std::ranges::find(flips, flip) == flips.end()) flips.push_back(flip);
    }
    return true;
  }
};

}  // namespace s3lt::server
