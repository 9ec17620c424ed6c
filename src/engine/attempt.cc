#include "engine/attempt.h"

#include <fmt/format.h>

#include "s3/classify.h"
#include "s3/s3pool_answer.h"

namespace s3lt {

Outcome outcome_of(StreamError error, bool connecting) {
  switch (error) {
    case StreamError::cancelled:
      return Outcome::cancelled;
    case StreamError::tls:
      return Outcome::tls;
    case StreamError::timed_out:
      return connecting ? Outcome::connect : Outcome::timeout;
    default:
      return connecting ? Outcome::connect : Outcome::reset;
  }
}

Attempt attempt_of(const ExchangeResult& result) {
  Attempt attempt{.status = result.status,
                  .requests = 1,
                  .sent = result.first_byte_sent,
                  .let_go = result.let_go,
                  .request_sent = result.request_sent,
                  .end = result.end,
                  .silent = result.silent,
                  .head = result.head};
  if (result.status != 0) attempt.first_byte = result.first_byte_received;
  return attempt;
}

bool judge_broken(const ExchangeResult& result, Attempt& attempt) {
  if (result.error == StreamError::none && !result.malformed && !result.truncated) return false;
  attempt.outcome = outcome_of(result.error, false);
  if (result.truncated && result.error == StreamError::closed) attempt.outcome = Outcome::truncated;
  if (result.malformed) attempt.outcome = Outcome::client_error;
  attempt.trouble().problem = result.problem;
  const bool closed = result.error == StreamError::closed || result.error == StreamError::reset;
  attempt.unsent = result.unsent;
  attempt.unused_close = closed && !result.answered && !result.interim && !result.malformed;
  return true;
}

void judge_refusal(const ExchangeResult& result, Attempt& attempt, bool through_s3pool) {
  auto& [problem, s3, wrong] = attempt.trouble();
  const http::Headers& headers = result.head->headers;
  if (through_s3pool && is_s3pools_own(headers.has(s3pool_header), headers.find("content-type"))) {
    // The storage did not throttle, and it did not refuse.
    s3.code = s3pool_code;
    problem = fmt::format("s3pool's own answer: {}", result.body.empty() ? result.head->reason : result.body);
    attempt.outcome = Outcome::server_error;
    attempt.retryable = is_retryable(result.status, {});
    return;
  }
  if (auto error = parse_error(result.body)) s3 = std::move(*error);
  if (s3.request_id.empty()) s3.request_id = std::string(result.head->headers.find("x-amz-request-id"));
  attempt.outcome = classify(result.status, s3.code);
  attempt.retryable = is_retryable(result.status, s3.code);
  problem = s3.message.empty() ? std::string(result.head->reason) : s3.message;
}

void judge_error_in_success(const ExchangeResult& result, Attempt& attempt, std::string_view otherwise) {
  auto& [problem, s3, wrong] = attempt.trouble();
  problem = otherwise;
  attempt.outcome = Outcome::client_error;
  if (auto error = parse_error(result.body)) {
    s3 = std::move(*error);
    problem = s3.message;
    attempt.outcome = classify(result.status, s3.code);
    attempt.retryable = is_retryable(result.status, s3.code);
  }
}

bool may_have_happened(Outcome outcome, int status) {
  switch (outcome) {
    case Outcome::server_error:
    case Outcome::reset:
    case Outcome::timeout:
    case Outcome::truncated:
    case Outcome::tls:
    case Outcome::cancelled:
      return true;
    case Outcome::client_error:
      return status < 300;  // not refused: the answer was no HTTP
    default:
      return false;
  }
}

}  // namespace s3lt
