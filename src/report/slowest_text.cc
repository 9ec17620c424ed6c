#include "report/slowest_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

namespace s3lt {
namespace {

// What a user reads for the name of a phase.
std::string_view words(std::string_view phase) {
  if (phase == "queue") return "before it was sent";
  if (phase == "retry") return "in earlier attempts and the pauses after them";
  if (phase == "connect") return "connecting";
  if (phase == "tls") return "in the TLS handshake";
  if (phase == "continue") return "waiting for the 100 Continue that it asked for";
  if (phase == "send") return "sending";
  if (phase == "wait") return "waiting for the answer's first byte";
  return "receiving";
}

}  // namespace

std::string slowest_sentence(const Snapshot& total, std::string_view pattern) {
  const auto slowest = std::ranges::find(total.slowest, pattern, &OperationSample::pattern);
  if (slowest == total.slowest.end()) return {};
  const OperationSample& s = *slowest;
  auto most = phase_names[0];
  for (const auto& phase : phase_names) {
    if (s.phases.*phase.second > s.phases.*most.second) most = phase;
  }
  std::string out = fmt::format("slowest: {}{}{} at {}, {}", s.operation, s.key.empty() ? "" : " of ", s.key,
                                s.endpoint, format_latency(s.micros));
  if (s.phases.*most.second > 0)
    out += fmt::format(", of them {} {}", format_latency(s.phases.*most.second), words(most.first));
  return out + "; errors.jsonl has the slowest with their request ids";
}

}  // namespace s3lt
