#include "engine/performer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/performer_state.h"
#include "engine/request_body.h"

namespace s3lt {
namespace {

// A transfer of a slow client that ends so much after it was due met something slower than the client.
constexpr Duration slack_of_slow_client = std::chrono::milliseconds(250);

// What is hashed at a time; the thread's other clients are served in between.
constexpr std::uint64_t hash_slice = 128 << 10;

// That of settings which name none.
constexpr std::string_view default_region = "us-east-1";

// With --verify sample, one read in so many is checked whole.
constexpr std::uint64_t sampled_reads = 64;

// Whether a PUT whose attempt ended so may have stored its object all the same.
bool may_have_stored(Outcome outcome, int status) {
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

}  // namespace

Performer::Attempt Performer::attempt_of(const ExchangeResult& result) {
  Attempt attempt{.status = result.status,
                  .requests = 1,
                  .sent = result.first_byte_sent,
                  .request_sent = result.request_sent,
                  .end = result.end,
                  .head = result.head};
  if (result.status != 0) attempt.first_byte = result.first_byte_received;
  return attempt;
}

Performer::Performer(LoadThread& thread, PatternShare& share, std::uint64_t index)
    : thread_(thread),
      share_(share),
      random_(
          Random::stream(thread.plan().seed, {thread.plan().worker, hash64(share.pattern.name), index, 1})),
      next_endpoint_(index),
      next_address_(thread.plan().endpoints.size(), static_cast<std::uint32_t>(index)),
      timer_(thread.loop()) {
  const WireProfile& profile = *thread.plan().profile;
  over_http_ = profile.traits(false);
  over_https_ = profile.traits(true);
  for (const ResolvedEndpoint& endpoint : thread.plan().endpoints) {
    const WireTraits& traits = endpoint.tls ? over_https_ : over_http_;
    needed_.sha256 = needed_.sha256 || traits.sha256;
    needed_.crc32 = needed_.crc32 || traits.crc32;
    needed_.md5 = needed_.md5 || traits.md5;
    needed_.invocation_id = needed_.invocation_id || traits.invocation_id;
  }
  // Who was told a region does not ask.
  asks_location_ = over_http_.asks_location && thread.plan().region == default_region;
  connections_.reserve(thread.plan().endpoints.size());
  for (std::size_t i = 0; i < thread.plan().endpoints.size(); ++i) {
    connections_.emplace_back(thread.loop());
    connections_.back().set_stall_deadline(thread.plan().stall);
  }
  if (thread.plan().sdk_retries) quotas_.assign(connections_.size(), SdkQuota(*thread.plan().sdk_retries));
  if (share.pattern.client_speed > 0) {
    for (HttpConnection& connection : connections_) connection.be_slow(share.pattern.client_speed);
  }
}

void Performer::cut() {
  timer_.cancel();
  if (active_ != nullptr) active_->cancel();
}

// Round-robin over the endpoints, past suspect ones unless all are; or always the client's own.
std::size_t Performer::next_endpoint() {
  if (over_http_.one_endpoint) return next_endpoint_ % connections_.size();
  const std::size_t count = connections_.size();
  if (count > 1) {
    const TimePoint t = now();
    for (std::size_t tried = 0; tried < count; ++tried) {
      const std::size_t endpoint = next_endpoint_++ % count;
      if (!thread_.is_suspect(endpoint, t)) return endpoint;
    }
  }
  return next_endpoint_++ % count;
}

std::string_view Performer::invocation_id() {
  // A random UUID (RFC 9562, version 4).
  const std::uint64_t high = (random_.next() & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (random_.next() & ~(3ULL << 62)) | (2ULL << 62);
  uuid_.clear();
  fmt::format_to(std::back_inserter(uuid_), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                 high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffffULL);
  return uuid_;
}

Task<Performed> Performer::perform(const Step& step) {
  Operation op(thread_.recorder(), thread_.budget(), recording_);
  op.step = step;
  op.cell = share_.cell(step.kind, step.size_class);
  op.start = now();
  if (step.intended != TimePoint{}) {
    op.lag_us = to_micros(op.start - step.intended);
    op.start = step.intended;
  }
  co_await prepare(op);
  if (needed_.invocation_id) invocation_id();
  op.endpoint = next_endpoint();

  Performed done;
  Attempt last;
  unsigned number = 1;
  for (;; ++number) {
    last = co_await attempt(op, number);
    if (step.kind == OperationKind::put && last.requests > 0 && may_have_stored(last.outcome, last.status))
      done.may_exist = true;
    if (recording_) {
      op.recorder.attempt(op.cell, {.outcome = last.outcome,
                                    .status = last.status,
                                    .requests = last.requests,
                                    .endpoint = static_cast<std::uint32_t>(op.endpoint),
                                    .service_us = to_micros(last.end - last.sent)});
      const auto& wrong = last.trouble().wrong;
      if (last.checked) op.recorder.checked(op.cell, wrong ? std::optional(wrong->kind) : std::nullopt);
      if (is_error(last.outcome)) sample(op, last, number);
    }
    const std::optional<Duration> delay = retry_delay(op, last, number);
    if (!delay) break;
    op.after_response = last.status != 0;
    const bool in_time = co_await timer_.until(now() + *delay);
    if (!in_time || thread_.cut()) {
      last.outcome = Outcome::cancelled;
      break;
    }
    // An SDK's client object has one endpoint.
    if (!thread_.plan().sdk_retries) op.endpoint = next_endpoint();
  }
  if (thread_.plan().sdk_retries && last.outcome == Outcome::ok)
    quotas_[op.endpoint].succeeded(*thread_.plan().sdk_retries, number - 1);
  record(op, last, number);
  done.outcome = last.outcome;
  done.answered = deletion_.deleted > 0 || !deletion_.refused.empty();
  co_return done;
}

// How long to wait before the next attempt; nothing: this was the last one.
std::optional<Duration> Performer::retry_delay(const Operation& op, const Attempt& last, unsigned number) {
  const RunPlan& plan = thread_.plan();
  if (!plan.sdk_retries) {
    if (!last.retryable || number > plan.retry.retries) return std::nullopt;
    return plan.retry.delay(number - 1, random_.uniform());
  }
  if (!is_error(last.outcome)) return std::nullopt;
  const auto header = [&](std::string_view name) {
    return last.head != nullptr ? std::string_view(last.head->headers.find(name)) : std::string_view();
  };
  const FailedAttempt failed{.outcome = last.outcome,
                             .status = last.status,
                             .code = last.trouble().s3.code,
                             .is_post = op.step.kind == OperationKind::delete_batch,
                             .retry_after = header("retry-after"),
                             .amz_retry_after = header("x-amz-retry-after")};
  return quotas_[op.endpoint].retry(*plan.sdk_retries, failed, number - 1, random_.uniform());
}

// What all attempts have in common: the key, the body and its hashes.
Task<void> Performer::prepare(Operation& op) {
  const Step& step = op.step;
  key_.clear();
  if (step.space != nullptr) {
    step.space->names.write(step.entry.id, key_);
    op.size = step.space->sizes[step.entry.id.size_class].bytes;
  }
  deletion_ = {};
  if (step.kind == OperationKind::put || step.kind == OperationKind::get) {
    op.content = {
        .key_hash = hash64(key_), .size = op.size, .mode = mode_at(thread_.plan().content, op.size)};
  }
  if (step.kind == OperationKind::put) {
    if (needed_.sha256 || needed_.crc32 || needed_.md5) co_await hash_payload(op);
  } else if (step.kind == OperationKind::delete_batch) {
    batch_ = thread_.plan().profile->delete_objects_body(step.keys, false);
  }
}

Task<void> Performer::hash_payload(Operation& op) {
  SharedHashes& kept = thread_.shared_hashes();
  PayloadHash hash;
  // What the objects of this size have in common was hashed with the first of them.
  const std::uint64_t common = SharedHashes::common_bytes(op.content);
  std::uint64_t offset = common > 0 && kept.find(op.size, hash) ? common : 0;
  // A short one is hashed at once.
  const bool waits = op.size - offset > hash_slice;
  const std::uint64_t arrival = waits ? thread_.hash_queue().arrive() : 0;
  while (offset < op.size) {
    if (waits) co_await thread_.hash_queue().turn(share_.number, arrival, op.size - offset);
    if (thread_.cut()) co_return;  // the attempt will not be made
    const std::uint64_t end = offset < common ? common : op.size;
    const std::uint64_t length = std::min(hash_slice, end - offset);
    for (const iovec& piece : thread_.gather().gather(*thread_.plan().pool, op.content, offset, length)) {
      if (needed_.sha256) hash.sha256.update(piece.iov_base, piece.iov_len);
      if (needed_.md5) hash.md5.update(piece.iov_base, piece.iov_len);
      if (needed_.crc32) hash.crc32 = crc32(hash.crc32, piece.iov_base, piece.iov_len);
      offset += piece.iov_len;
    }
    if (offset == common) kept.keep(op.size, hash);
  }
  sha256_.resize(64);
  write_hex(hash.sha256.finish(), sha256_.data());
  crc32_ = crc32_base64(hash.crc32);
  if (needed_.md5) md5_ = hash.md5.finish_base64();
}

void Performer::encode(const Operation& op, const RequestContext& context) {
  const WireProfile& profile = *thread_.plan().profile;
  const std::string_view bucket = thread_.plan().bucket;
  switch (op.step.kind) {
    case OperationKind::put:
      profile.encode(PutObject{.bucket = bucket,
                               .key = key_,
                               .size = op.size,
                               .sha256_hex = sha256_,
                               .crc32_base64 = crc32_,
                               .md5_base64 = md5_},
                     context, head_);
      break;
    case OperationKind::get:
      profile.encode(GetObject{.bucket = bucket, .key = key_}, context, head_);
      break;
    case OperationKind::head:
      profile.encode(HeadObject{.bucket = bucket, .key = key_}, context, head_);
      break;
    case OperationKind::list:
      profile.encode(ListObjects{.bucket = bucket,
                                 .prefix = op.step.prefix,
                                 .max_keys = share_.pattern.list_page,
                                 .continuation_token = op.step.token},
                     context, head_);
      break;
    case OperationKind::delete_batch:
      profile.encode(DeleteObjects{.bucket = bucket, .body = batch_}, context, head_);
      break;
    default:
      profile.encode(DeleteObject{.bucket = bucket, .key = key_}, context, head_);
      break;
  }
}

Task<Performer::Attempt> Performer::attempt(Operation& op, unsigned number) {
  const RunPlan& plan = thread_.plan();
  const ResolvedEndpoint& endpoint = plan.endpoints[op.endpoint];
  HttpConnection& connection = connections_[op.endpoint];
  Attempt result;
  TimePoint begun{}, secured{};  // of a connect
  bool sent_again = false;
  active_ = &connection;
  for (;;) {
    if (thread_.cut()) {
      result.outcome = Outcome::cancelled;
      break;
    }
    if (!connection.is_open()) {
      const Address& address = endpoint.addresses[next_address_[op.endpoint] % endpoint.addresses.size()];
      begun = now();
      if (op.first_begun == TimePoint{}) op.first_begun = begun;
      const StreamError error =
          co_await connection.connect(address, endpoint.tls ? plan.tls.get() : nullptr, endpoint.host);
      secured = now();
      if (error != StreamError::none) {
        result.begun = begun;
        result.connected = connection.connected_at();
        result.end = secured;
        ++next_address_[op.endpoint];
        result.outcome = outcome_of(error, true);
        result.trouble().problem = fmt::format("{}: {}", address.text(), connection.problem());
        if (result.outcome == Outcome::cancelled) break;
        thread_.connect_failed(op.endpoint);
        pause_ = connect_backoff_.failed(random_.uniform());
        break;
      }
      thread_.connect_succeeded(op.endpoint);
      thread_.recorder().connection();
      if (endpoint.tls)
        thread_.recorder().handshake(to_micros(secured - connection.connected_at()),
                                     connection.stream().tls_resumed());
    }
    if (op.signed_at == WallTime{} || !plan.sdk_retries || !plan.sdk_retries->repeats_signature)
      op.signed_at = wall_now();
    const RequestContext context{.signer = thread_.signer(),
                                 .host = endpoint.host_header,
                                 .time = op.signed_at,
                                 .invocation_id = uuid_,
                                 .attempt = number,
                                 .max_attempts = plan.most_attempts(),
                                 .after_response = op.after_response,
                                 .tls = endpoint.tls};
    std::uint32_t before = result.requests;
    if (asks_location_) {
      Attempt located = co_await locate(op, connection, context);
      ++before;
      if (located.outcome != Outcome::ok) {
        result = std::move(located);
        result.requests = before;
        break;
      }
      asks_location_ = false;
      if (!connection.is_open()) {  // the server closed it behind that answer
        result.requests = before;
        continue;
      }
    }
    encode(op, context);
    const bool connects = begun != TimePoint{};
    const bool reused = connection.was_used();
    result = co_await exchange(op, connection);
    result.requests += before;
    result.begun = connects ? begun : result.sent;
    if (connects) {
      result.connected = endpoint.tls ? connection.connected_at() : secured;
      if (endpoint.tls) result.secured = secured;
    }
    if (op.first_begun == TimePoint{}) op.first_begun = result.begun;
    begun = {};
    if (result.status != 0) connect_backoff_.succeeded();
    // A new connection that brought no answer (a 100 Continue is none): no better than no connection, and to
    // be asked for as gently.
    if (!reused && result.status == 0 && result.outcome != Outcome::cancelled)
      pause_ = connect_backoff_.failed(random_.uniform());
    // A server may close an idle connection just as a request leaves: that says nothing about the storage.
    if (!reused || !result.unused_close || sent_again) break;
    sent_again = true;
    thread_.recorder().reconnect();
  }
  active_ = nullptr;
  co_return result;
}

// The first request of a client of some SDKs. An answer other than ok is that of the operation.
Task<Performer::Attempt> Performer::locate(const Operation& op, HttpConnection& connection,
                                           const RequestContext& context) {
  thread_.plan().profile->encode(GetBucketLocation{.bucket = thread_.plan().bucket}, context, head_);
  const ExchangeRequest request{.method = "GET", .head = head_, .keep_body = true};
  const ExchangeResult result = co_await connection.exchange(request);
  Attempt attempt = attempt_of(result);
  attempt.begun = attempt.sent;
  if (result.status / 100 == 2 && result.error == StreamError::none && !result.malformed && !result.truncated)
    attempt.outcome = Outcome::ok;
  else
    judge(op, result, nullptr, attempt);
  co_return attempt;
}

Task<Performer::Attempt> Performer::exchange(Operation& op, HttpConnection& connection) {
  static constexpr std::string_view methods[] = {"PUT",  "GET", "HEAD",   "DELETE",
                                                 "POST", "GET", "DELETE", "PUT"};
  const bool is_put = op.step.kind == OperationKind::put;
  const bool is_batch = op.step.kind == OperationKind::delete_batch;
  const WireTraits& traits = thread_.plan().endpoints[op.endpoint].tls ? over_https_ : over_http_;
  ContentBody content(thread_.gather(), *thread_.plan().pool, op.content);
  std::optional<CodedBody> coded;
  if (is_put && traits.crc32_behind)
    coded.emplace(thread_.gather(), *thread_.plan().pool, op.content, crc32_);
  TextBody batch(batch_);
  BodySource* const bodies[] = {nullptr, coded ? static_cast<BodySource*>(&*coded) : &content, &batch};
  std::optional<ReadCheck> check;
  if (const auto depth = check_depth(op)) check.emplace(*thread_.plan().pool, op.content, *depth);
  const ExchangeRequest request{.method = methods[static_cast<std::size_t>(op.step.kind)],
                                .head = head_,
                                .body = bodies[is_put     ? 1
                                               : is_batch ? 2
                                                          : 0],
                                .expect_continue = is_put && traits.expect_continue,
                                .keep_body = is_batch || op.step.kind == OperationKind::list,
                                .sink = check ? &*check : nullptr,
                                .observer = &op,
                                .limiter = share_.limiter.get(),
                                .speed = share_.pattern.client_speed};
  const ExchangeResult result = co_await connection.exchange(request);
  Attempt attempt = attempt_of(result);
  attempt.behind = result.behind > slack_of_slow_client;
  judge(op, result, check ? &*check : nullptr, attempt);
  co_return attempt;
}

// How far the bytes that this operation reads are checked; nothing where they are not.
std::optional<ContentCheck::Depth> Performer::check_depth(const Operation& op) {
  const Verify verify = thread_.plan().verify;
  if (op.step.kind != OperationKind::get || !op.step.ours || verify == Verify::off) return std::nullopt;
  const bool whole = verify == Verify::all || random_.below(sampled_reads) == 0;
  return whole ? ContentCheck::Depth::bytes : ContentCheck::Depth::stamps;
}

}  // namespace s3lt
