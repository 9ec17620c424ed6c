// What the answer to an operation that is one request meant.
#include <fmt/format.h>

#include "engine/performer_operation.h"
#include "s3/classify.h"

namespace s3lt {

void Performer::judge_success(Operation& op, const ExchangeResult& result, Attempt& attempt) {
  attempt.outcome = Outcome::ok;
  switch (op.step.kind) {
    case OperationKind::put:
      attempt.bytes = op.size;
      break;
    case OperationKind::get:
      judge_read(op, result, attempt);
      break;
    case OperationKind::list:
      judge_page(result, attempt);
      break;
    case OperationKind::delete_batch:
      judge_deletion(op, result, attempt);
      break;
    default:
      break;
  }
}

void Performer::judge_read(Operation& op, const ExchangeResult& result, Attempt& attempt) {
  attempt.bytes = result.body_bytes;
  if (!op.step.ours) return;
  const ReadCheck* check = op.check ? &*op.check : nullptr;
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
void Performer::judge_deletion(const Operation& op, const ExchangeResult& result, Attempt& attempt) {
  auto deletion = parse_delete_result(result.body);
  if (!deletion) {
    judge_error_in_success(result, attempt, "the answer is no DeleteResult");
    return;
  }
  deletion_ = std::move(*deletion);
  // Asked to be quiet, the storage tells of those alone that it did not delete.
  if (requester_.traits(false).quiet_batches && op.step.keys.size() > deletion_.refused.size())
    deletion_.deleted = op.step.keys.size() - deletion_.refused.size();
  if (deletion_.deleted > 0 || deletion_.refused.empty()) return;
  const DeleteResult::Refused& first = deletion_.refused.front();
  attempt.outcome = classify(result.status, first.code);
  attempt.retryable = is_retryable(result.status, first.code);
  auto& [problem, s3, wrong] = attempt.trouble();
  s3 = {.code = first.code, .message = first.message, .request_id = {}, .region = {}, .server_time = {}};
  problem =
      fmt::format("none of {} keys was deleted; {}: {}", deletion_.refused.size(), first.key, first.message);
}

// A delete of ours, or of another process, may have taken the key while we asked for it; deleting what is
// gone is no error at all; and whatever asks for no key that exists can miss none.
void Performer::judge_missing(const Operation& op, Attempt& attempt) const {
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
