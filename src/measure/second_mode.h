// A second mode in a distribution of service times, at a place that TCP is known for: answers that took 40 ms
// more (delayed ACK) or 200 ms more (retransmission timeout) than most. docs/measurement.md, "A second mode",
// has the rule. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "measure/histogram.h"

namespace s3lt {

enum class ModeCause : std::uint8_t { delayed_ack, retransmission_timeout };

struct SecondMode {
  ModeCause cause{};
  std::uint64_t samples = 0;       // in the second mode
  double share = 0;                // of all, 0 to 1
  std::int64_t low = 0, high = 0;  // microseconds between which nine in ten of them lie
  std::int64_t usual = 0;          // the median of all, microseconds
};

// Nothing where there is no bump at that place that stands for itself.
std::optional<SecondMode> second_mode(const Histogram& service, ModeCause cause);

}  // namespace s3lt
