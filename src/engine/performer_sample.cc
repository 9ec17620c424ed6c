// What is taken down of an operation: figures, and samples of errors.
#include "engine/performer_state.h"

namespace s3lt {
namespace {

// What a sample keeps of the storage's words.
constexpr std::size_t most_message = 1024;

}  // namespace

void Performer::record(const Operation& op, const Attempt& last) {
  if (!recording_) {
    if (is_error(last.outcome)) thread_.note_prefill_problem(last.trouble().problem);
    return;
  }
  if (last.outcome == Outcome::cancelled) {
    op.recorder.cancelled(op.cell);
    return;
  }
  op.recorder.operation(
      op.cell, {.outcome = last.outcome,
                .bytes = last.bytes,
                .response_us = to_micros(now() - op.start),
                .service_us = to_micros(last.end - last.sent),
                .ttfb_us = last.first_byte == TimePoint{} ? -1 : to_micros(last.first_byte - last.sent),
                .lag_us = op.lag_us,
                .seeded = op.step.seeded,
                .behind = last.behind});
}

void Performer::sample(const Operation& op, const Attempt& attempt, unsigned number) {
  const auto& [problem, s3, wrong] = attempt.trouble();
  const std::string_view reason = wrong ? name(wrong->kind) : std::string_view(s3.code);
  if (!op.recorder.wants_error(op.cell, attempt.outcome, attempt.status, reason)) return;
  op.recorder.error(
      {.at = wall_now(),
       .pattern = share_.pattern.name,
       .operation = std::string(name(op.step.kind)),
       .size = op.step.space == nullptr ? std::string() : share_.space.sizes[op.step.size_class].label,
       .key = op.step.space == nullptr ? std::string(op.step.prefix) : key_,
       .endpoint = thread_.plan().endpoints[op.endpoint].url,
       .outcome = attempt.outcome,
       .status = attempt.status,
       .code = s3.code,
       .message = problem.substr(0, most_message),
       .request_id = s3.request_id,
       .attempt = number,
       .seconds = attempt.sent == TimePoint{} ? 0 : to_seconds(attempt.end - attempt.sent),
       .wrong = wrong});
}

}  // namespace s3lt
