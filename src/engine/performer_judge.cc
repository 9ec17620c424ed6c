// What an exchange meant: outcome, whether it is tried again, bytes, words.
#include <fmt/format.h>

#include "engine/performer_state.h"
#include "s3/classify.h"

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

// What the exchange means: outcome, retry, bytes, words.
void Performer::judge(const Operation& op, const ExchangeResult& result, const ReadCheck* check,
                      Attempt& attempt) {
  if (result.error != StreamError::none || result.malformed || result.truncated) {
    attempt.outcome = outcome_of(result.error, false);
    if (result.truncated && result.error == StreamError::closed) attempt.outcome = Outcome::truncated;
    if (result.malformed) attempt.outcome = Outcome::client_error;
    attempt.trouble().problem = result.problem;
    const bool closed = result.error == StreamError::closed || result.error == StreamError::reset;
    attempt.unused_close = closed && !result.answered && !result.interim && !result.malformed;
    return;
  }
  if (result.status >= 200 && result.status < 300) {
    judge_success(op, result, check, attempt);
  } else {
    judge_refusal(op, result, attempt);
  }
}

void Performer::judge_success(const Operation& op, const ExchangeResult& result, const ReadCheck* check,
                              Attempt& attempt) {
  attempt.outcome = Outcome::ok;
  switch (op.step.kind) {
    case OperationKind::put:
      attempt.bytes = op.size;
      break;
    case OperationKind::get:
      judge_read(op, result, check, attempt);
      break;
    case OperationKind::list:
      judge_page(result, attempt);
      break;
    case OperationKind::delete_batch:
      judge_deletion(result, attempt);
      break;
    default:
      break;
  }
}

void Performer::judge_read(const Operation& op, const ExchangeResult& result, const ReadCheck* check,
                           Attempt& attempt) {
  attempt.bytes = result.body_bytes;
  if (!op.step.ours) return;
  attempt.checked = check != nullptr && !check->unverifiable();
  auto wrong = judge_object(op.content, result.body_bytes, check);
  if (!wrong) return;
  attempt.outcome = wrong->outcome;
  attempt.trouble().problem = std::move(wrong->problem);
  attempt.trouble().wrong = std::move(wrong->wrong);
}

void Performer::judge_page(const ExchangeResult& result, Attempt& attempt) {
  if (auto page = parse_list(result.body)) {
    page_ = std::move(*page);
    return;
  }
  judge_error_in_success(result, attempt, "the answer is no ListBucketResult");
}

// Keys that the storage refused to delete make an error only where it deleted none.
void Performer::judge_deletion(const ExchangeResult& result, Attempt& attempt) {
  auto deletion = parse_delete_result(result.body);
  if (!deletion) {
    judge_error_in_success(result, attempt, "the answer is no DeleteResult");
    return;
  }
  deletion_ = std::move(*deletion);
  if (deletion_.deleted > 0 || deletion_.refused.empty()) return;
  const DeleteResult::Refused& first = deletion_.refused.front();
  attempt.outcome = classify(result.status, first.code);
  attempt.retryable = is_retryable(result.status, first.code);
  auto& [problem, s3, wrong] = attempt.trouble();
  s3 = {.code = first.code, .message = first.message, .request_id = {}, .region = {}, .server_time = {}};
  problem =
      fmt::format("none of {} keys was deleted; {}: {}", deletion_.refused.size(), first.key, first.message);
}

// S3 may send 200 before it knows how the operation ends, and an error document then.
void Performer::judge_error_in_success(const ExchangeResult& result, Attempt& attempt,
                                       std::string_view otherwise) {
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

void Performer::judge_refusal(const Operation& op, const ExchangeResult& result, Attempt& attempt) const {
  auto& [problem, s3, wrong] = attempt.trouble();
  if (auto error = parse_error(result.body)) s3 = std::move(*error);
  if (s3.request_id.empty()) s3.request_id = std::string(result.head->headers.find("x-amz-request-id"));
  attempt.outcome = classify(result.status, s3.code);
  attempt.retryable = is_retryable(result.status, s3.code);
  problem = s3.message.empty() ? std::string(result.head->reason) : s3.message;
  if (attempt.outcome != Outcome::missing) return;
  // A delete of ours, or of another process, may have taken the key while we asked for it; deleting what is
  // gone is no error at all; and whatever asks for no key that exists can miss none.
  const bool read = op.step.kind == OperationKind::get || op.step.kind == OperationKind::head;
  const bool deletes = op.step.kind == OperationKind::del || op.step.kind == OperationKind::trim;
  if (!deletes && !read) {
    attempt.outcome = Outcome::client_error;
  } else if (deletes || !op.step.space->catalog.alive(op.step.entry) ||
             thread_.keys().may_be_deleted(*op.step.space, op.step.entry.id)) {
    attempt.outcome = Outcome::not_found;
  }
}

}  // namespace s3lt
