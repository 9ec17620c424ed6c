#include "engine/multipart_upload.h"

#include <algorithm>

#include "engine/request_body.h"
#include "s3/admin_requests.h"

namespace s3lt {
namespace {

// A transfer of a slow client that ends so much after it was due met something slower than the client.
constexpr Duration slack_of_slow_client = std::chrono::milliseconds(250);
// Between looks for an upload that may stay, as a storage may still be at what was cut; and for how long none
// may be seen. What comes back once is gone within LoadThread's time_to_abort.
constexpr Duration between_looks = std::chrono::milliseconds(250), settled = 2 * between_looks;
constexpr unsigned most_looks = 8;

}  // namespace

// ---- the requests

// POST ?uploads. It may end after the cut: an upload whose id is known can be aborted.
class MultipartUpload::Create final : public ClientRequest {
 public:
  explicit Create(MultipartUpload& u) : ClientRequest(u.texts_, u.timer_, true), u_(u) {
    outlives_cut = true;
  }
  void encode(const RequestContext& context, std::string& head) override {
    u_.thread_.plan().profile->encode(
        CreateUpload{.bucket = u_.thread_.plan().bucket, .key = u_.job_.put.key}, context, head);
  }
  ExchangeRequest ask(bool) override { return {.method = "POST", .keep_body = true}; }
  void judge(const ExchangeResult& result, Attempt& attempt) override {
    if (judge_broken(result, attempt)) return;
    if (result.status / 100 != 2) return u_.judge_refused(result, attempt);
    u_.id_ = parse_upload_id(result.body);
    if (!u_.id_.empty()) {
      attempt.outcome = Outcome::ok;
    } else {
      judge_error_in_success(result, attempt, "the answer is no InitiateMultipartUploadResult");
    }
  }
  void tried(const Attempt& attempt) override {
    if (attempt.requests > 0 && may_have_happened(attempt.outcome, attempt.status)) u_.may_stay_ = true;
    u_.tried(*this, attempt);
  }

 private:
  MultipartUpload& u_;
};

// What uploads one part after another: its texts and digests, kept for their room.
struct MultipartUpload::Worker {
  explicit Worker(Loop& loop) : timer(loop) {}
  RequestTexts texts;
  PayloadDigests digests;
  Timer timer;
};

// PUT ?partNumber=…&uploadId=…
class MultipartUpload::Part final : public ClientRequest, TransferObserver {
 public:
  Part(MultipartUpload& u, Worker& worker, unsigned part, std::uint64_t offset, std::uint64_t length)
      : ClientRequest(worker.texts, worker.timer),
        u_(u),
        digests_(worker.digests),
        part_(part),
        length_(length),
        plain_(u.thread_.gather(), *u.thread_.plan().pool, u.job_.content, offset, length) {
    if (!u.requester_.needed().crc32_behind) return;
    coded_.emplace(u.thread_.gather(), *u.thread_.plan().pool, u.job_.content, digests_.crc32, offset,
                   length);
  }
  void encode(const RequestContext& context, std::string& head) override {
    u_.thread_.plan().profile->encode(UploadPart{.bucket = u_.thread_.plan().bucket,
                                                 .key = u_.job_.put.key,
                                                 .upload = u_.id_,
                                                 .number = part_,
                                                 .size = length_,
                                                 .sha256_hex = digests_.sha256,
                                                 .crc32_base64 = digests_.crc32,
                                                 .md5_base64 = digests_.md5},
                                      context, head);
  }
  ExchangeRequest ask(bool tls) override {
    const WireTraits& traits = u_.requester_.traits(tls);
    return {.method = "PUT",
            .body = traits.crc32_behind ? static_cast<BodySource*>(&*coded_) : &plain_,
            .expect_continue = traits.expect_continue,
            .observer = this,
            .limiter = u_.share_.limiter.get(),
            .speed = u_.share_.pattern.client_speed,
            .pace = u_.pace_ ? &*u_.pace_ : nullptr};
  }
  void judge(const ExchangeResult& result, Attempt& attempt) override {
    if (judge_broken(result, attempt)) return;
    if (result.status / 100 != 2) return u_.judge_refused(result, attempt);
    UploadedPart& part = u_.parts_[part_ - 1];
    part = {part_, std::string(result.head->headers.find("etag")),
            std::string(result.head->headers.find("x-amz-checksum-crc32"))};
    attempt.behind = result.behind > slack_of_slow_client;
    if (part.etag.empty()) {
      attempt.outcome = Outcome::client_error;
      attempt.trouble().problem = "the answer to a part has no ETag";
      return;
    }
    attempt.outcome = Outcome::ok;
    attempt.bytes = length_;
  }
  void tried(const Attempt& attempt) override {
    if (attempt.requests > 0 && may_have_happened(attempt.outcome, attempt.status)) u_.part_open_ = true;
    u_.log_.tried(u_.job_.part, attempt, endpoint, number);
  }
  void moved(std::uint64_t bytes) override {
    if (u_.log_.recording()) u_.thread_.recorder().moved(u_.job_.part.cell, bytes);
    u_.job_.observer.moved(bytes);
  }

 private:
  MultipartUpload& u_;
  const PayloadDigests& digests_;
  const unsigned part_;
  const std::uint64_t length_;
  ContentBody plain_;
  std::optional<CodedBody> coded_;
};

// POST ?uploadId=…
class MultipartUpload::Complete final : public ClientRequest {
 public:
  explicit Complete(MultipartUpload& u)
      : ClientRequest(u.texts_, u.timer_, true),
        u_(u),
        text_(u.thread_.plan().profile->complete_upload_body(u.parts_)),
        body_(text_) {}
  void encode(const RequestContext& context, std::string& head) override {
    u_.thread_.plan().profile->encode(
        CompleteUpload{
            .bucket = u_.thread_.plan().bucket, .key = u_.job_.put.key, .upload = u_.id_, .body = text_},
        context, head);
  }
  ExchangeRequest ask(bool) override { return {.method = "POST", .body = &body_, .keep_body = true}; }
  void judge(const ExchangeResult& result, Attempt& attempt) override {
    if (judge_broken(result, attempt)) return;
    if (result.status / 100 != 2) return u_.judge_refused(result, attempt);
    if (is_completed_upload(result.body)) {
      attempt.outcome = Outcome::ok;
      attempt.bytes = u_.job_.content.size;
    } else {
      judge_error_in_success(result, attempt, "the answer is no CompleteMultipartUploadResult");
    }
  }
  void tried(const Attempt& attempt) override {
    if (attempt.requests > 0 && may_have_happened(attempt.outcome, attempt.status)) u_.may_exist_ = true;
    u_.tried(*this, attempt);
  }

 private:
  MultipartUpload& u_;
  std::string text_;
  TextBody body_;
};

// DELETE ?uploadId=…
class MultipartUpload::Abort final : public ClientRequest {
 public:
  Abort(MultipartUpload& u, std::string id) : ClientRequest(u.texts_, u.timer_), u_(u), id_(std::move(id)) {
    outlives_cut = true;
  }
  void encode(const RequestContext& context, std::string& head) override {
    const RunPlan& plan = u_.thread_.plan();
    plan.profile->encode(AbortUpload{.bucket = plan.bucket, .key = u_.job_.put.key, .upload = id_}, context,
                         head);
  }
  ExchangeRequest ask(bool) override { return {.method = "DELETE"}; }
  void judge(const ExchangeResult& result, Attempt& attempt) override {
    if (judge_broken(result, attempt)) return;
    if (result.status / 100 != 2 && result.status != 404) return u_.judge_refused(result, attempt);
    attempt.outcome = result.status == 404 ? Outcome::not_found : Outcome::ok;
  }
  void tried(const Attempt& attempt) override { u_.tried(*this, attempt); }

 private:
  MultipartUpload& u_;
  const std::string id_;
};

// GET ?uploads&prefix=KEY: the first page has all of a key that nobody else has.
class MultipartUpload::ListUploads final : public ClientRequest {
 public:
  explicit ListUploads(MultipartUpload& u) : ClientRequest(u.texts_, u.timer_), u_(u) { outlives_cut = true; }
  void encode(const RequestContext& context, std::string& head) override {
    s3lt::encode(list_uploads(u_.job_.put.key, {}, {}), u_.thread_.plan().bucket, context, head);
  }
  ExchangeRequest ask(bool) override { return {.method = "GET", .keep_body = true}; }
  void judge(const ExchangeResult& result, Attempt& attempt) override {
    if (judge_broken(result, attempt)) return;
    if (result.status / 100 != 2) return u_.judge_refused(result, attempt);
    if (auto page = parse_uploads(result.body)) {
      found = std::move(page->uploads);
      attempt.outcome = Outcome::ok;
    } else {
      judge_error_in_success(result, attempt, "the answer is no ListMultipartUploadsResult");
    }
  }
  void tried(const Attempt& attempt) override { u_.tried(*this, attempt); }
  std::vector<Upload> found;

 private:
  MultipartUpload& u_;
};

// ---- their order

MultipartUpload::MultipartUpload(LoadThread& thread, PatternShare& share, Requester& requester,
                                 AttemptLog& log, Job job)
    : thread_(thread),
      share_(share),
      requester_(requester),
      log_(log),
      job_(job),
      count_(static_cast<unsigned>(parts_of(job.content.size, job.part_size))),
      endpoint_(job.endpoint),
      timer_(thread.loop()) {
  if (share.pattern.client_speed > 0) pace_.emplace(share.pattern.client_speed);
}
MultipartUpload::~MultipartUpload() = default;

void MultipartUpload::cut() {
  timer_.cancel();
  for (const auto& worker : workers_) worker->timer.cancel();
}

void MultipartUpload::judge_refused(const ExchangeResult& result, Attempt& attempt) const {
  judge_refusal(result, attempt, thread_.plan().profile->traits(false).through_s3pool);
  // No key can be missing here: NoSuchUpload, NoSuchBucket.
  if (attempt.outcome == Outcome::missing) attempt.outcome = Outcome::client_error;
}

// A try of a request that is none of a part.
void MultipartUpload::tried(const ClientRequest& request, const Attempt& attempt) {
  if (first_begun_ == TimePoint{}) first_begun_ = request.first_begun;
  if (attempt.outcome == Outcome::ok || attempt.outcome == Outcome::not_found ||
      attempt.outcome == Outcome::cancelled) {
    requests_ += attempt.requests;
  } else {
    log_.tried(job_.put, attempt, request.endpoint, request.number);
  }
}

Task<Attempt> MultipartUpload::run() {
  Attempt created = co_await create();
  Attempt last;
  if (created.outcome != Outcome::ok) {
    last = std::move(created);
  } else if (thread_.cut()) {
    last.outcome = Outcome::cancelled;
  } else {
    co_await upload_parts();
    if (failed_) {
      last = std::move(*failed_);
    } else {
      Attempt completed = co_await complete();
      last = completed.outcome == Outcome::ok ? whole(created, std::move(completed)) : std::move(completed);
    }
  }
  const bool completed = last.outcome == Outcome::ok;
  take_down(last);
  co_await clean_up(completed);
  co_return last;
}

Task<Attempt> MultipartUpload::create() {
  Create request(*this);
  request.endpoint = endpoint_;
  Attempt created = co_await requester_.run(request);
  endpoint_ = request.endpoint;
  co_return created;
}

Task<Attempt> MultipartUpload::complete() {
  Complete request(*this);
  request.endpoint = endpoint_;
  Attempt completed = co_await requester_.run(request);
  co_return completed;
}

// The attempt of the whole: begun as its create was, ended as its complete.
Attempt MultipartUpload::whole(const Attempt& created, Attempt completed) const {
  completed.begun = created.begun;
  completed.connected = created.connected;
  completed.secured = created.secured;
  completed.sent = created.sent;
  completed.behind = behind_;
  return completed;
}

// A failure of create and complete is taken down already, that of a part with the part.
void MultipartUpload::take_down(const Attempt& last) {
  const bool by_part = failed_.has_value();
  if (is_error(last.outcome) && !by_part) return;
  Attempt attempt{.outcome = last.outcome,
                  .status = last.outcome == Outcome::ok ? last.status : 0,
                  .requests = std::exchange(requests_, 0),
                  .sent = last.sent,
                  .end = last.end,
                  .silent = last.silent};
  log_.tried(job_.put, attempt, endpoint_, 1, !by_part);
}

Task<void> MultipartUpload::upload_parts() {
  parts_.resize(count_);
  const unsigned parallel = std::min(requester_.traits(false).parallel_parts, count_);
  working_ = parallel;
  for (unsigned i = 0; i < parallel; ++i) workers_.push_back(std::make_unique<Worker>(thread_.loop()));
  for (const auto& worker : workers_) spawn(work(*worker));
  co_await AllEnded{*this};
}

Task<void> MultipartUpload::work(Worker& worker) {
  while (!failed_ && next_part_ < count_ && !thread_.cut()) {
    const unsigned number = ++next_part_;
    co_await upload_part(worker, number);
  }
  if (thread_.cut() && !failed_) failed_.emplace().outcome = Outcome::cancelled;
  // Not from here: this worker's frame goes first.
  if (--working_ == 0 && waiting_) thread_.loop().post(std::exchange(waiting_, {}));
}

Task<void> MultipartUpload::upload_part(Worker& worker, unsigned number) {
  const TimePoint start = now();
  const std::uint64_t offset = (number - 1) * job_.part_size;
  const std::uint64_t length = std::min(job_.part_size, job_.content.size - offset);
  if (any_digest(requester_.needed()))
    co_await digest_payload(thread_, share_.number, requester_.needed(), job_.content, offset, length,
                            worker.digests);
  Part request(*this, worker, number, offset, length);
  request.endpoint = endpoint_;
  Attempt last = co_await requester_.run(request);
  behind_ = behind_ || last.behind;
  log_.ended(job_.part, last, request.endpoint, request.number,
             {.start = start, .first_begun = request.first_begun, .may_be_slow = false});
  if (last.outcome != Outcome::ok && !failed_) failed_ = std::move(last);
}

// ---- what stays

// Aborts what was not completed, also where its id never came. What cannot be aborted is counted.
Task<void> MultipartUpload::clean_up(bool completed) {
  bool clean = true;
  if (!completed && !id_.empty()) {
    clean = co_await abort(id_);
    may_stay_ = may_stay_ || part_open_;
  }
  if (may_stay_) clean = co_await abort_until_gone();
  if (!clean) ++share_.keys.unaborted;
  if (log_.recording()) thread_.recorder().requests(job_.put.cell, std::exchange(requests_, 0));
}

Task<bool> MultipartUpload::abort(std::string id) {
  Abort request(*this, std::move(id));
  request.endpoint = endpoint_;
  const Attempt last = co_await requester_.run(request);
  co_return last.outcome == Outcome::ok || last.outcome == Outcome::not_found;
}

// Uploads of this key, which is nobody else's: those of creates whose answers were lost, and those to which a
// part that was cut came after the abort (S3 API reference, AbortMultipartUpload: "it might be necessary to
// abort a given multipart upload multiple times").
Task<bool> MultipartUpload::abort_until_gone() {
  TimePoint last_seen = now();
  bool seen = false;  // at the last look
  for (unsigned looks = 0; looks < most_looks; ++looks) {
    if (looks > 0) co_await timer_.until(now() + between_looks);
    ListUploads request(*this);
    request.endpoint = endpoint_;
    const Attempt listed = co_await requester_.run(request);
    // Out of time: as the last look saw it.
    if (listed.outcome == Outcome::cancelled && looks > 0) co_return !seen;
    if (listed.outcome != Outcome::ok) co_return false;
    seen = false;
    for (const Upload& upload : request.found) {
      if (upload.key != job_.put.key) continue;
      const bool aborted = co_await abort(upload.id);
      if (!aborted) co_return false;
      last_seen = now();
      seen = true;
    }
    if (now() - last_seen >= settled) co_return true;
  }
  co_return false;
}

}  // namespace s3lt
