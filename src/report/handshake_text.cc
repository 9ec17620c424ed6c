#include "report/handshake_text.h"

#include <fmt/format.h>

#include "base/units.h"

namespace s3lt {

std::string handshake_line(const ClientCounters& client) {
  const Histogram& times = client.handshakes;
  if (times.empty()) return {};
  return fmt::format("TLS: {} handshake{}, {} of them resumed; they took p50 {}, p99 {}, at most {}",
                     format_count(times.count()), times.count() == 1 ? "" : "s",
                     format_count(client.resumed_handshakes), format_latency(times.percentile(50)),
                     format_latency(times.percentile(99)), format_latency(times.max()));
}

}  // namespace s3lt
