#include "engine/requester.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "s3/admin_requests.h"

namespace s3lt {
namespace {

// That of settings which name none.
constexpr std::string_view default_region = "us-east-1";

// GetBucketLocation's answer: the default region goes without its name, and an old one has another.
std::string region_of_location(std::string_view constraint) {
  if (constraint.empty()) return std::string(default_region);
  return std::string(constraint == "EU" ? "eu-west-1" : constraint);
}

}  // namespace

Requester::Requester(LoadThread& thread, PatternShare& share, std::uint64_t index)
    : thread_(thread),
      random_(
          Random::stream(thread.plan().seed, {thread.plan().worker, hash64(share.pattern.name), index, 1})),
      connections_(thread, share, index) {
  const RunPlan& plan = thread.plan();
  over_http_ = plan.profile->traits(false);
  over_https_ = plan.profile->traits(true);
  for (const ResolvedEndpoint& endpoint : plan.endpoints) {
    const WireTraits& of = traits(endpoint.tls);
    needed_.sha256 = needed_.sha256 || of.sha256;
    needed_.crc32 = needed_.crc32 || of.crc32;
    needed_.md5 = needed_.md5 || of.md5;
    needed_.crc32_behind = needed_.crc32_behind || of.crc32_behind;
    needed_.invocation_id = needed_.invocation_id || of.invocation_id;
  }
  // Who was told a region does not ask.
  asks_location_ = over_http_.asks_location && plan.region == default_region;
  if (plan.sdk_retries) quotas_.assign(plan.endpoints.size(), SdkQuota(*plan.sdk_retries));
}

void Requester::write_invocation_id(std::string& out) {
  // A random UUID (RFC 9562, version 4).
  const std::uint64_t high = (random_.next() & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (random_.next() & ~(3ULL << 62)) | (2ULL << 62);
  out.clear();
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                 high >> 16 & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffffULL);
}

Task<Attempt> Requester::run(ClientRequest& request) {
  if (needed_.invocation_id) write_invocation_id(request.texts.invocation_id);
  for (request.number = 1;; ++request.number) {
    Attempt last = co_await attempt(request);
    request.tried(last);
    const std::optional<Duration> delay = retry_delay(request, last);
    if (!delay) {
      if (thread_.plan().sdk_retries && last.outcome == Outcome::ok)
        quotas_[request.endpoint].succeeded(*thread_.plan().sdk_retries, request.tokens);
      co_return last;
    }
    request.after_response = last.status != 0;
    const bool in_time = co_await request.timer.until(now() + *delay);
    if (!in_time || is_cut(request)) {
      last.outcome = Outcome::cancelled;
      co_return last;
    }
    // An SDK's client object has one endpoint.
    if (!thread_.plan().sdk_retries && !connections_.next_endpoint(request.endpoint))
      request.endpoint = connections_.any_endpoint();
  }
}

// How long to wait before the next try; nothing: this was the last one.
std::optional<Duration> Requester::retry_delay(ClientRequest& request, const Attempt& last) {
  const RunPlan& plan = thread_.plan();
  if (!plan.sdk_retries) {
    if (!last.retryable || request.number > plan.retry.retries) return std::nullopt;
    return plan.retry.delay(request.number - 1, random_.uniform());
  }
  if (!is_error(last.outcome)) return std::nullopt;
  const auto header = [&](std::string_view name) {
    return last.head != nullptr ? std::string_view(last.head->headers.find(name)) : std::string_view();
  };
  const FailedAttempt failed{.outcome = last.outcome,
                             .status = last.status,
                             .code = last.trouble().s3.code,
                             .is_post = request.is_post,
                             .streamed = request.streams,
                             .retry_after = header("retry-after"),
                             .amz_retry_after = header("x-amz-retry-after")};
  const auto granted =
      quotas_[request.endpoint].retry(*plan.sdk_retries, failed, request.number - 1, random_.uniform());
  if (!granted) return std::nullopt;
  request.tokens = granted->tokens;
  return granted->delay;
}

Task<Attempt> Requester::attempt(ClientRequest& request) {
  const RunPlan& plan = thread_.plan();
  const ResolvedEndpoint& endpoint = plan.endpoints[request.endpoint];
  ClientConnection& taken = connections_.take(request.endpoint, request.outlives_cut);
  HttpConnection& connection = taken.http;
  Attempt result;
  TimePoint begun{}, secured{};  // of a connect
  bool sent_again = false, says_nothing = false;
  for (;;) {
    if (is_cut(request)) {
      result.outcome = Outcome::cancelled;
      break;
    }
    if (!connection.is_open()) {
      const ClientConnections::Opened opened = co_await connections_.open(taken);
      begun = opened.begun;
      secured = opened.done;
      if (request.first_begun == TimePoint{}) request.first_begun = begun;
      if (opened.error != StreamError::none) {
        result.begun = begun;
        result.connected = connection.connected_at();
        result.end = secured;
        result.outcome = outcome_of(opened.error, true);
        result.trouble().problem = opened.problem;
        if (result.outcome == Outcome::cancelled) {
          result.silent = secured - begun;
        } else {
          pause_ = connect_backoff_.failed(random_.uniform());
        }
        result.connection = &connection;
        connections_.give_back(taken);  // open() has said what that means for the endpoint
        co_return result;
      }
    } else {
      connections_.begins(taken);
    }
    if (request.signed_at == WallTime{} || !plan.sdk_retries || !plan.sdk_retries->repeats_signature)
      request.signed_at = wall_now();
    std::uint32_t before = result.requests;
    request.streams = false;
    if (asks_location_) {
      const RequestContext unlocated = context_of(request, thread_.signer());
      Attempt located = co_await locate(connection, unlocated, request.texts.head);
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
    request.encode(context_of(request, located_ ? *located_ : thread_.signer()), request.texts.head);
    const bool connects = begun != TimePoint{};
    const bool reused = connection.was_used();
    ExchangeRequest asked = request.ask(endpoint.tls);
    asked.head = request.texts.head;
    request.streams = asked.method == "GET" && !asked.keep_body;
    const ExchangeResult exchanged = co_await connection.exchange(asked);
    result = attempt_of(exchanged);
    request.judge(exchanged, result);
    result.requests += before;
    result.begun = connects ? begun : result.sent;
    if (connects) {
      result.connected = endpoint.tls ? connection.connected_at() : secured;
      if (endpoint.tls) result.secured = secured;
    }
    if (request.first_begun == TimePoint{}) request.first_begun = result.begun;
    begun = {};
    if (result.status != 0) connect_backoff_.succeeded();
    // A new connection that brought no answer (a 100 Continue is none): no better than no connection, and to
    // be asked for as gently.
    if (!reused && result.status == 0 && result.outcome != Outcome::cancelled)
      pause_ = connect_backoff_.failed(random_.uniform());
    // A server may close an idle connection just as a request leaves: that says nothing about the storage.
    if (!reused || !result.unused_close || sent_again) break;
    // An SDK looks at the connection before it sends, and counts what fails from then on.
    if (plan.sdk_retries && !result.unsent) {
      says_nothing = true;
      break;
    }
    sent_again = true;
    thread_.recorder().reconnect();
  }
  result.connection = &connection;
  if (says_nothing) {
    connections_.withdrew(taken);
  } else if (result.requests > 0) {
    connections_.ended(taken, result);
  }
  connections_.give_back(taken);
  co_return result;
}

RequestContext Requester::context_of(const ClientRequest& request, Signer& signer) const {
  const RunPlan& plan = thread_.plan();
  const ResolvedEndpoint& endpoint = plan.endpoints[request.endpoint];
  return {.signer = signer,
          .host = endpoint.host_header,
          .time = request.signed_at,
          .invocation_id = request.texts.invocation_id,
          .attempt = request.number,
          .max_attempts = plan.most_attempts(),
          .after_response = request.after_response,
          .tls = endpoint.tls};
}

// The first request of a client of some SDKs, which sign all others for the region that it brings. An answer
// other than ok is that of the request.
Task<Attempt> Requester::locate(HttpConnection& connection, const RequestContext& context,
                                std::string& head) {
  thread_.plan().profile->encode(GetBucketLocation{.bucket = thread_.plan().bucket}, context, head);
  const ExchangeRequest request{.method = "GET", .head = head, .keep_body = true};
  const ExchangeResult result = co_await connection.exchange(request);
  Attempt attempt = attempt_of(result);
  attempt.begun = attempt.sent;
  if (judge_broken(result, attempt)) co_return attempt;
  if (result.status / 100 == 2) {
    attempt.outcome = Outcome::ok;
    const std::string region = region_of_location(parse_location(result.body).value_or(""));
    if (region != thread_.signer().region())
      located_ = std::make_unique<Signer>(thread_.plan().credentials, region);
  } else {
    judge_refusal(result, attempt);
    if (attempt.outcome == Outcome::missing) attempt.outcome = Outcome::client_error;
  }
  co_return attempt;
}

}  // namespace s3lt
