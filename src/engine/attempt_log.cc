#include "engine/attempt_log.h"

#include "s3/s3pool_answer.h"

namespace s3lt {
namespace {

// What a sample keeps of the storage's words.
constexpr std::size_t most_message = 1024;
// No endpoint's place in the recorder's list.
constexpr std::uint32_t no_endpoint = 0xffffffff;

PhaseTimes phases_of(const Attempt& a, TimePoint start, TimePoint first_begun) {
  return phase_times({.start = start,
                      .first_begun = first_begun,
                      .begun = a.begun,
                      .connected = a.connected,
                      .secured = a.secured,
                      .sent = a.sent,
                      .let_go = a.let_go,
                      .request_sent = a.request_sent,
                      .first_byte = a.first_byte,
                      .end = a.end});
}

}  // namespace

void AttemptLog::tried(const Subject& subject, const Attempt& attempt, std::size_t endpoint, unsigned number,
                       bool at_endpoint) {
  if (!recording_) return;
  Recorder& recorder = thread_.recorder();
  recorder.attempt(subject.cell,
                   {.outcome = attempt.outcome,
                    .status = attempt.status,
                    .requests = attempt.requests,
                    .endpoint = at_endpoint ? static_cast<std::uint32_t>(endpoint) : no_endpoint,
                    .service_us = to_micros(attempt.end - attempt.sent),
                    .silent_us = to_micros(attempt.silent)});
  const auto& wrong = attempt.trouble().wrong;
  if (attempt.checked) recorder.checked(subject.cell, wrong ? std::optional(wrong->kind) : std::nullopt);
  if (is_error(attempt.outcome) && attempt.trouble().s3.code == s3pool_code) recorder.proxy_answer();
  if (at_endpoint && is_error(attempt.outcome)) sample(subject, attempt, endpoint, number);
}

void AttemptLog::ended(const Subject& subject, const Attempt& last, std::size_t endpoint, unsigned number,
                       const End& end) {
  if (!recording_) {
    if (is_error(last.outcome)) thread_.note_prefill_problem(last.trouble().problem);
    return;
  }
  Recorder& recorder = thread_.recorder();
  if (last.outcome == Outcome::cancelled) {
    recorder.cancelled(subject.cell);
    return;
  }
  const std::int64_t response_us = to_micros(last.end - end.start);
  recorder.operation(subject.cell,
                     {.outcome = last.outcome,
                      .bytes = last.bytes,
                      .response_us = response_us,
                      .service_us = to_micros(last.end - last.sent),
                      .ttfb_us = last.first_byte == TimePoint{} ? -1 : to_micros(last.first_byte - last.sent),
                      .lag_us = end.lag_us,
                      .seeded = end.seeded,
                      .behind = last.behind});
  if (end.may_be_slow && recorder.is_slow(subject.cell, response_us)) {
    OperationSample& slow = recorder.slow(subject.cell, response_us);
    describe(subject, last, endpoint, number, slow);
    slow.micros = response_us;
    slow.phases = phases_of(last, end.start, end.first_begun);
  }
}

void AttemptLog::sample(const Subject& subject, const Attempt& attempt, std::size_t endpoint,
                        unsigned number) {
  const auto& [problem, s3, wrong] = attempt.trouble();
  const std::string_view reason = wrong ? name(wrong->kind) : std::string_view(s3.code);
  if (!thread_.recorder().wants_error(subject.cell, attempt.outcome, attempt.status, reason)) return;
  OperationSample sample;
  describe(subject, attempt, endpoint, number, sample);
  sample.micros = to_micros(attempt.end - attempt.begun);
  sample.phases = phases_of(attempt, attempt.begun, attempt.begun);
  thread_.recorder().error(std::move(sample));
}

// All but its times. Writes over what a sample held before, and keeps the room of its strings.
void AttemptLog::describe(const Subject& subject, const Attempt& attempt, std::size_t endpoint,
                          unsigned number, OperationSample& sample) const {
  const auto& [problem, s3, wrong] = attempt.trouble();
  sample.at = wall_now();
  sample.pattern = share_.pattern.name;
  sample.operation = name(subject.kind);
  sample.size = subject.size;
  sample.key = subject.key;
  sample.endpoint = thread_.plan().endpoints[endpoint].url;
  sample.outcome = attempt.outcome;
  sample.status = attempt.status;
  sample.code = s3.code;
  sample.message.assign(problem, 0, most_message);
  sample.request_id = s3.request_id;
  if (sample.request_id.empty() && attempt.head != nullptr)
    sample.request_id = attempt.head->headers.find("x-amz-request-id");
  sample.attempt = number;
  if (attempt.connection != nullptr) {
    sample.local = attempt.connection->local();
    sample.remote = attempt.connection->remote();
    sample.request_on_connection = attempt.connection->requests();
  }
  sample.wrong = wrong;
}

}  // namespace s3lt
