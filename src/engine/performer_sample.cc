// What is taken down of an operation: figures, and samples of errors and of the slowest.
#include "engine/performer_state.h"

namespace s3lt {
namespace {

// What a sample keeps of the storage's words.
constexpr std::size_t most_message = 1024;

template <class Attempt>
PhaseTimes phases_of(const Attempt& a, TimePoint start, TimePoint first_begun) {
  return phase_times({.start = start,
                      .first_begun = first_begun,
                      .begun = a.begun,
                      .connected = a.connected,
                      .secured = a.secured,
                      .sent = a.sent,
                      .request_sent = a.request_sent,
                      .first_byte = a.first_byte,
                      .end = a.end});
}

}  // namespace

void Performer::record(const Operation& op, const Attempt& last, unsigned number) {
  if (!recording_) {
    if (is_error(last.outcome)) thread_.note_prefill_problem(last.trouble().problem);
    return;
  }
  if (last.outcome == Outcome::cancelled) {
    op.recorder.cancelled(op.cell);
    return;
  }
  const std::int64_t response_us = to_micros(last.end - op.start);
  op.recorder.operation(
      op.cell, {.outcome = last.outcome,
                .bytes = last.bytes,
                .response_us = response_us,
                .service_us = to_micros(last.end - last.sent),
                .ttfb_us = last.first_byte == TimePoint{} ? -1 : to_micros(last.first_byte - last.sent),
                .lag_us = op.lag_us,
                .seeded = op.step.seeded,
                .behind = last.behind});
  if (op.recorder.is_slow(response_us)) {
    OperationSample& slow = op.recorder.slow(response_us);
    describe(op, last, number, slow);
    slow.micros = response_us;
    slow.phases = phases_of(last, op.start, op.first_begun);
  }
}

void Performer::sample(const Operation& op, const Attempt& attempt, unsigned number) {
  const auto& [problem, s3, wrong] = attempt.trouble();
  const std::string_view reason = wrong ? name(wrong->kind) : std::string_view(s3.code);
  if (!op.recorder.wants_error(op.cell, attempt.outcome, attempt.status, reason)) return;
  OperationSample sample;
  describe(op, attempt, number, sample);
  sample.micros = to_micros(attempt.end - attempt.begun);
  sample.phases = phases_of(attempt, attempt.begun, attempt.begun);
  op.recorder.error(std::move(sample));
}

// All but its times. Writes over what a sample held before, and keeps the room of its strings.
void Performer::describe(const Operation& op, const Attempt& attempt, unsigned number,
                         OperationSample& sample) const {
  const auto& [problem, s3, wrong] = attempt.trouble();
  const HttpConnection& connection = connections_[op.endpoint];
  sample.at = wall_now();
  sample.pattern = share_.pattern.name;
  sample.operation = name(op.step.kind);
  if (op.step.space == nullptr) {
    sample.size.clear();
    sample.key = op.step.prefix;
  } else {
    sample.size = share_.space.sizes[op.step.size_class].label;
    sample.key = key_;
  }
  sample.endpoint = thread_.plan().endpoints[op.endpoint].url;
  sample.outcome = attempt.outcome;
  sample.status = attempt.status;
  sample.code = s3.code;
  sample.message.assign(problem, 0, most_message);
  sample.request_id = s3.request_id;
  if (sample.request_id.empty() && attempt.head != nullptr)
    sample.request_id = attempt.head->headers.find("x-amz-request-id");
  sample.attempt = number;
  sample.local = connection.local();
  sample.remote = connection.remote();
  sample.request_on_connection = connection.requests();
  sample.wrong = wrong;
}

}  // namespace s3lt
