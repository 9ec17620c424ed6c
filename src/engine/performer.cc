#include "engine/performer.h"

#include "base/encoding.h"
#include "engine/multipart_upload.h"
#include "engine/performer_operation.h"

namespace s3lt {
namespace {

// A transfer of a slow client that ends so much after it was due met something slower than the client.
constexpr Duration slack_of_slow_client = std::chrono::milliseconds(250);

// With --verify sample, one read in so many is checked whole.
constexpr std::uint64_t sampled_reads = 64;

}  // namespace

Performer::Performer(LoadThread& thread, PatternShare& share, std::uint64_t index)
    : thread_(thread),
      share_(share),
      requester_(thread, share, index),
      log_(thread, share),
      timer_(thread.loop()) {}

void Performer::cut() {
  timer_.cancel();
  if (upload_ != nullptr) upload_->cut();
  requester_.connections().cut(thread_.abandoned());
}

Task<Performed> Performer::perform(const Step& step) {
  Operation op(*this, step);
  op.start = now();
  if (step.intended != TimePoint{}) {
    op.lag_us = to_micros(op.start - step.intended);
    op.start = step.intended;
  }
  op.subject = {.kind = step.kind, .cell = share_.cell(step.kind, step.size_class), .size = {}, .key = {}};
  key_.clear();
  if (step.space != nullptr) {
    step.space->names.write(step.entry.id, key_);
    op.size = step.space->sizes[step.entry.id.size_class].bytes;
    op.subject.size = share_.space.sizes[step.size_class].label;
  }
  op.subject.key = step.space != nullptr ? std::string_view(key_) : step.prefix;
  std::uint64_t part_size = 0;
  if (step.kind == OperationKind::put)
    part_size = thread_.plan().profile->part_size(op.size, thread_.plan().multipart_size);
  prepare(op);
  if (step.kind == OperationKind::put && part_size == 0 && any_digest(requester_.needed()))
    co_await digest_payload(thread_, share_.number, requester_.needed(), op.content, 0, op.size, digests_);
  if (!requester_.connections().next_endpoint(op.endpoint))
    co_await requester_.connections().await_endpoint(op.endpoint, timer_);
  Attempt last;
  if (part_size == 0) {
    last = co_await requester_.run(op);
  } else {
    last = co_await upload(op, part_size);
  }
  log_.ended(op.subject, last, op.endpoint, op.number,
             {.start = op.start, .first_begun = op.first_begun, .lag_us = op.lag_us, .seeded = step.seeded});
  co_return Performed{.outcome = last.outcome,
                      .may_exist = op.may_exist,
                      .answered = deletion_.deleted > 0 || !deletion_.refused.empty()};
}

// What all tries have in common, but for the digests of a body.
void Performer::prepare(Operation& op) {
  const Step& step = op.step;
  deletion_ = {};
  if (step.kind == OperationKind::put || step.kind == OperationKind::get) {
    op.content = {
        .key_hash = hash64(key_), .size = op.size, .mode = mode_at(thread_.plan().content, op.size)};
  }
  if (step.kind == OperationKind::delete_batch)
    batch_ = thread_.plan().profile->delete_objects_body(step.keys, requester_.traits(false).quiet_batches);
}

Task<Attempt> Performer::upload(Operation& op, std::uint64_t part_size) {
  MultipartUpload upload(thread_, share_, requester_, log_,
                         {.put = op.subject,
                          .part = {.kind = OperationKind::part,
                                   .cell = share_.cell(OperationKind::part, op.step.size_class),
                                   .size = op.subject.size,
                                   .key = op.subject.key},
                          .content = op.content,
                          .part_size = part_size,
                          .endpoint = op.endpoint,
                          .observer = op});
  upload_ = &upload;
  Attempt last = co_await upload.run();
  upload_ = nullptr;
  op.first_begun = upload.first_begun();
  op.may_exist = upload.may_exist();
  co_return last;
}

// ---- one request

void Performer::Operation::encode(const RequestContext& context, std::string& head) {
  const RunPlan& plan = performer.thread_.plan();
  const WireProfile& profile = *plan.profile;
  const std::string_view bucket = plan.bucket, key = performer.key_;
  switch (step.kind) {
    case OperationKind::put:
      profile.encode(PutObject{.bucket = bucket,
                               .key = key,
                               .size = size,
                               .sha256_hex = performer.digests_.sha256,
                               .crc32_base64 = performer.digests_.crc32,
                               .md5_base64 = performer.digests_.md5},
                     context, head);
      break;
    case OperationKind::get:
      profile.encode(GetObject{.bucket = bucket, .key = key}, context, head);
      break;
    case OperationKind::head:
      profile.encode(HeadObject{.bucket = bucket, .key = key}, context, head);
      break;
    case OperationKind::list:
      profile.encode(ListObjects{.bucket = bucket,
                                 .prefix = step.prefix,
                                 .max_keys = performer.share_.pattern.list_page,
                                 .continuation_token = step.token},
                     context, head);
      break;
    case OperationKind::delete_batch:
      profile.encode(DeleteObjects{.bucket = bucket, .body = performer.batch_}, context, head);
      break;
    default:
      profile.encode(DeleteObject{.bucket = bucket, .key = key}, context, head);
      break;
  }
}

ExchangeRequest Performer::Operation::ask(bool tls) {
  static constexpr std::string_view methods[] = {"PUT",  "GET", "HEAD",   "DELETE",
                                                 "POST", "GET", "DELETE", "PUT"};
  LoadThread& thread = performer.thread_;
  const ContentPool& pool = *thread.plan().pool;
  const WireTraits& traits = performer.requester_.traits(tls);
  const bool is_put = step.kind == OperationKind::put, is_batch = step.kind == OperationKind::delete_batch;
  BodySource* body = nullptr;
  if (is_put && traits.crc32_behind) {
    body = &coded.emplace(thread.gather(), pool, content, performer.digests_.crc32, 0, size);
  } else if (is_put) {
    body = &plain.emplace(thread.gather(), pool, content, 0, size);
  } else if (is_batch) {
    body = &batch.emplace(performer.batch_);
  }
  check.reset();
  if (const auto depth = performer.check_depth(*this)) check.emplace(pool, content, *depth);
  return {.method = methods[static_cast<std::size_t>(step.kind)],
          .body = body,
          .expect_continue = is_put && traits.expect_continue,
          .keep_body = is_batch || step.kind == OperationKind::list,
          .sink = check ? &*check : nullptr,
          .observer = this,
          .limiter = performer.share_.limiter.get(),
          .speed = performer.share_.pattern.client_speed};
}

void Performer::Operation::judge(const ExchangeResult& result, Attempt& attempt) {
  attempt.behind = result.behind > slack_of_slow_client;
  if (judge_broken(result, attempt)) return;
  if (result.status >= 200 && result.status < 300) {
    performer.judge_success(*this, result, attempt);
  } else {
    judge_refusal(result, attempt, performer.thread_.plan().profile->traits(false).through_s3pool);
    if (attempt.outcome == Outcome::missing) performer.judge_missing(*this, attempt);
  }
}

void Performer::Operation::tried(const Attempt& attempt) {
  if (step.kind == OperationKind::put && attempt.requests > 0 &&
      may_have_happened(attempt.outcome, attempt.status))
    may_exist = true;
  performer.log_.tried(subject, attempt, endpoint, number);
}

void Performer::Operation::moved(std::uint64_t bytes) {
  if (!performer.log_.recording() || step.space == nullptr) return;  // of objects only, not of lists
  performer.thread_.recorder().moved(subject.cell, bytes);
  Budget& budget = performer.thread_.budget();
  if (budget.limits_bytes()) budget.spend_bytes(bytes);
}

// How far the bytes that this operation reads are checked; nothing where they are not.
std::optional<ContentCheck::Depth> Performer::check_depth(const Operation& op) {
  const Verify verify = thread_.plan().verify;
  if (op.step.kind != OperationKind::get || !op.step.ours || verify == Verify::off) return std::nullopt;
  const bool whole = verify == Verify::all || requester_.random().below(sampled_reads) == 0;
  return whole ? ContentCheck::Depth::bytes : ContentCheck::Depth::stamps;
}

}  // namespace s3lt
