#include "measure/sample.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace s3lt {

// Each phase lasts to the next instant that is known. Taken from the microseconds since the start, so that
// what is rounded off one phase comes to the next.
PhaseTimes phase_times(const PhaseInstants& at) {
  PhaseTimes phases;
  TimePoint now_at = at.start;
  const auto until = [&](TimePoint t, std::int64_t& phase) {
    if (t <= now_at) return;  // did not happen, or before its turn: an answer that came while we sent
    phase += to_micros(t - at.start) - to_micros(now_at - at.start);
    now_at = t;
  };
  until(at.first_begun, phases.queue);
  until(at.begun, phases.retry);
  // What failed in a phase ended in it.
  until(at.connected, phases.connect);
  until(at.secured, phases.tls);
  if (at.sent == TimePoint{}) {
    const bool in_tls = at.connected != TimePoint{};
    until(at.end, in_tls ? phases.tls : phases.connect);
    return phases;
  }
  until(at.sent, phases.queue);
  until(at.let_go, phases.go_ahead);
  const bool answered = at.first_byte != TimePoint{};
  const TimePoint sent = at.request_sent != TimePoint{} ? at.request_sent : answered ? at.first_byte : at.end;
  until(sent, phases.send);
  until(answered ? at.first_byte : at.end, phases.wait);
  until(at.end, phases.receive);
  return phases;
}

void keep_slowest(std::vector<OperationSample>& into, const std::vector<OperationSample>& more) {
  if (more.empty()) return;
  into.insert(into.end(), more.begin(), more.end());
  const auto before = [](const OperationSample& a, const OperationSample& b) {
    return std::tie(b.micros, a.at, a.pattern, a.key, a.local) <
           std::tie(a.micros, b.at, b.pattern, b.key, b.local);
  };
  std::ranges::sort(into, before);
  std::map<std::string_view, std::size_t> kept;
  std::vector<OperationSample> slowest;
  for (OperationSample& sample : into) {
    if (std::size_t& n = kept[sample.pattern]; n < slowest_kept) {
      ++n;
      slowest.push_back(sample);
    }
  }
  into = std::move(slowest);
}

}  // namespace s3lt
