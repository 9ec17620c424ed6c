#include "engine/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <optional>

#include "base/log.h"
#include "engine/refusal.h"
#include "net/http_connection.h"
#include "s3/classify.h"
#include "s3/trailer_coding.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

// Asks one endpoint, on a connection of its own.
class Asker {
 public:
  Asker(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint)
      : loop_(loop),
        plan_(plan),
        endpoint_(endpoint),
        connection_(loop),
        signer_(plan.credentials, plan.region) {
    connection_.set_stall_deadline(preflight_silence);
  }

  template <class Request>
  Task<StorageAnswer> ask(const Request& request, std::string_view method, std::string_view question,
                          std::string_view body = {}) {
    std::string head;
    plan_.profile->encode(request,
                          {.signer = signer_,
                           .host = endpoint_.host_header,
                           .time = wall_now(),
                           .invocation_id = "00000000-0000-4000-8000-000000000000",
                           .attempt = 1,
                           .max_attempts = 1,
                           .tls = endpoint_.tls},
                          head);
    head += body;
    StorageAnswer answer;
    // A server may close a kept connection just as the next request leaves: that one goes out once more.
    for (bool again = true; again;) {
      answer = StorageAnswer{};
      answer.question = question;
      again = connection_.is_open();
      co_await connect(connection_, endpoint_.tls ? plan_.tls.get() : nullptr, answer);
      if (answer.connected) co_await exchange(connection_, method, head, answer);
      again = again && (answer.error == StreamError::closed || answer.error == StreamError::reset);
    }
    co_return answer;
  }

  // Whether this address answers to the other scheme; where it does, the URL has the wrong one.
  Task<bool> answers_to_other_scheme() {
    if (endpoint_.tls) {
      const bool http = co_await answers_to_http();
      co_return http;
    }
    const auto tls = TlsClient::create({.verify = false, .ca_bundle = {}});
    for (const Address& address : endpoint_.addresses) {
      if (!tls || cancelled_) break;
      Stream stream;
      const ConnectOptions options{
          .tls = tls->get(), .server_name = endpoint_.host, .deadline = now() + second_look};
      const StreamError error = co_await stream.connect(loop_, address, options);
      if (error == StreamError::none) co_return true;
    }
    co_return false;
  }

  bool sends_trailers() const { return plan_.profile->traits(endpoint_.tls).crc32_behind; }

  // Ends what is under way; nothing more is asked.
  void cancel() {
    cancelled_ = true;
    connection_.cancel();
  }

 private:
  // How long a look at what else an address may speak may take; it follows on a failure.
  static constexpr auto second_look = std::chrono::seconds(2);

  Task<bool> answers_to_http() {
    HttpConnection plain(loop_);
    plain.set_stall_deadline(second_look);
    StorageAnswer answer;
    co_await connect(plain, nullptr, answer);
    const std::string head = "GET / HTTP/1.1\r\nHost: " + endpoint_.host_header + "\r\n\r\n";
    if (answer.connected) co_await exchange(plain, "GET", head, answer);
    // Servers of TLS tell those who speak plain HTTP so in a 400.
    co_return answer.status != 0 && answer.status != 400;
  }

  Task<void> connect(HttpConnection& connection, TlsClient* tls, StorageAnswer& answer) {
    answer.connected = connection.is_open();
    for (const Address& address : endpoint_.addresses) {
      if (answer.connected) co_return;
      answer.error = StreamError::cancelled;
      if (cancelled_) co_return;
      answer.error = co_await connection.connect(address, tls, endpoint_.host);
      answer.problem = connection.problem();
      answer.connected = answer.error == StreamError::none;
    }
  }

  Task<void> exchange(HttpConnection& connection, std::string_view method, std::string_view head,
                      StorageAnswer& answer) {
    const ExchangeRequest request{.method = method, .head = head, .keep_body = true};
    const ExchangeResult result = co_await connection.exchange(request);
    answer.error = result.error;
    answer.malformed = result.malformed;
    answer.begun = result.answered;
    if (result.error != StreamError::none || result.malformed) {
      answer.problem = result.problem;
      co_return;
    }
    answer.status = result.status;
    answer.at = wall_now();
    if (auto document = parse_error(result.body)) answer.error_document = std::move(*document);
    answer.from_s3 = result.status == 200 && parse_list(result.body).has_value();
    const http::Headers& headers = result.head->headers;
    for (const char* name : {"x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region"}) {
      if (headers.has(name)) answer.from_s3 = true;
    }
    answer.content_type = headers.find("content-type");
    answer.location = headers.find("location");
    answer.bucket_region = headers.find("x-amz-bucket-region");
    answer.date = headers.find("date");
  }

  Loop& loop_;
  const RunPlan& plan_;
  const ResolvedEndpoint& endpoint_;
  HttpConnection connection_;
  Signer signer_;
  bool cancelled_ = false;
};

// What came out of asking one endpoint.
struct Verdict {
  bool answered = false;
  std::optional<Error> problem;
};

// All endpoints at once; the first that answers decides.
class Preflight {
 public:
  Preflight(const RunPlan& plan, bool create_bucket) : plan_(plan), create_bucket_(create_bucket) {}

  Result<void> run() {
    for (const ResolvedEndpoint& endpoint : plan_.endpoints) askers_.emplace_back(loop_, plan_, endpoint);
    verdicts_.resize(askers_.size());
    running_ = askers_.size() + 1;
    loop_.post([this] {
      std::size_t index = 0;
      for (Asker& asker : askers_) {
        spawn(judge(asker, index));
        ++index;
      }
      spawn(watch());
    });
    loop_.run();
    return outcome();
  }

 private:
  Result<void> outcome() const {
    if (decided_) {
      const auto& problem = verdicts_[*decided_].problem;
      if (problem) return std::unexpected(*problem);
      return {};
    }
    Error first = *verdicts_.front().problem;
    if (verdicts_.size() > 1) {
      first.message = fmt::format("none of the {} endpoints can be used; of the first: {}", verdicts_.size(),
                                  first.message);
    }
    return std::unexpected(std::move(first));
  }

  Task<void> judge(Asker& asker, std::size_t index) {
    Verdict verdict = co_await ask_endpoint(asker, plan_.endpoints[index]);
    if (verdict.answered && !decided_) {
      decided_ = index;
      for (Asker& other : askers_) other.cancel();
    }
    verdicts_[index] = std::move(verdict);
    if (--running_ == 1) patience_.cancel();
    if (running_ == 0) loop_.stop();
  }

  // Ends what never ends by itself.
  Task<void> watch() {
    const bool too_long = co_await patience_.until(now() + preflight_patience);
    if (too_long) {
      for (Asker& asker : askers_) asker.cancel();
    }
    if (--running_ == 0) loop_.stop();
  }

  Task<Verdict> ask_endpoint(Asker& asker, const ResolvedEndpoint& endpoint) {
    const HeadBucket head{.bucket = plan_.bucket};
    StorageAnswer answer = co_await asker.ask(head, "HEAD", "HEAD");
    if (answer.status == 200 && is_s3(answer)) co_return Verdict{.answered = true, .problem = {}};
    if (answer.status != 0) {
      // HEAD carries no reason: a listing does. 404 need not mean the bucket: VersityGW says it of access
      // keys too.
      const ListObjects list{.bucket = plan_.bucket, .prefix = plan_.prefix, .max_keys = 1};
      answer = co_await asker.ask(list, "GET", "LIST");
    }
    if (answer.status == 0) {
      const bool look = answer.error == StreamError::tls
                            ? !certificate_refused(answer)
                            : answer.connected && !endpoint.tls && answer.error != StreamError::timed_out;
      if (look) answer.other_scheme = co_await asker.answers_to_other_scheme();
      co_return Verdict{.answered = false, .problem = unreachable(endpoint, answer)};
    }
    if (!is_s3(answer)) {
      if (answer.status == 400 && !endpoint.tls)
        answer.other_scheme = co_await asker.answers_to_other_scheme();
      co_return Verdict{.answered = true, .problem = refusal(plan_, endpoint, answer)};
    }
    Verdict verdict{.answered = true, .problem = {}};
    verdict.problem = co_await judge_listing(asker, endpoint, answer);
    co_return verdict;
  }

  Task<std::optional<Error>> judge_listing(Asker& asker, const ResolvedEndpoint& endpoint,
                                           const StorageAnswer& answer) {
    const std::string& code = answer.error_document.code;
    if (answer.status == 200 && code.empty()) co_return std::nullopt;
    const Outcome outcome = classify(answer.status, code);
    if (outcome == Outcome::throttled || outcome == Outcome::full || outcome == Outcome::server_error) {
      log_warning(fmt::format("{} answered {} to the first question; the load begins all the same",
                              endpoint.url, status_text(answer)));
      co_return std::nullopt;
    }
    if (code == "AccessDenied") {
      bool may_begin = !writes();
      if (!may_begin) may_begin = co_await can_write(asker);
      if (may_begin) {
        log_warning(
            fmt::format("{} does not let this access key list bucket {} ({}); the load begins all "
                        "the same",
                        endpoint.url, plan_.bucket, status_text(answer)));
        co_return std::nullopt;
      }
    }
    const bool no_bucket = code == "NoSuchBucket" || (answer.status == 404 && code.empty());
    if (!no_bucket || !create_bucket_) co_return refusal(plan_, endpoint, answer);
    const std::string body = create_bucket_body(plan_.region);
    const CreateBucket create{.bucket = plan_.bucket, .body = body};
    const StorageAnswer created = co_await asker.ask(create, "PUT", "creation", body);
    if (created.status == 200 || created.error_document.code == "BucketAlreadyOwnedByYou")
      co_return std::nullopt;
    if (created.status == 0) co_return unreachable(endpoint, created);
    co_return no_new_bucket(plan_, endpoint, created);
  }

  bool writes() const {
    return std::any_of(plan_.patterns.begin(), plan_.patterns.end(),
                       [](const PlannedPattern& p) { return p.pattern.share(OperationKind::put) > 0; });
  }

  // A key that may not list may still write: an empty object, deleted again, under a key like all others.
  Task<bool> can_write(Asker& asker) {
    const std::string key =
        fmt::format("{}{}/0B/preflight/{}/00000000", plan_.prefix, plan_.worker, unix_micros(wall_now()));
    const PutObject put{.bucket = plan_.bucket,
                        .key = key,
                        .size = 0,
                        .sha256_hex = empty_sha256,
                        .crc32_base64 = "AAAAAA=="};
    std::string body;
    if (asker.sends_trailers()) {
      const TrailerCoding coding(0, put.crc32_base64);
      while (body.size() < coding.wire_size()) coding.at(body.size(), body);
    }
    const StorageAnswer written = co_await asker.ask(put, "PUT", "PUT", body);
    if (written.status != 200) co_return false;
    const DeleteObject remove{.bucket = plan_.bucket, .key = key};
    const StorageAnswer removed = co_await asker.ask(remove, "DELETE", "DELETE");
    if (removed.status / 100 != 2) {
      log_warning(fmt::format("the empty object {} stays: this access key may not delete it ({})", key,
                              status_text(removed)));
    }
    co_return true;
  }

  const RunPlan& plan_;
  const bool create_bucket_;
  Loop loop_;
  Timer patience_{loop_};
  std::list<Asker> askers_;
  std::vector<Verdict> verdicts_;
  std::optional<std::size_t> decided_;
  std::size_t running_ = 0;  // coroutines
};

}  // namespace

Result<void> preflight(const RunPlan& plan, bool create_bucket) {
  return Preflight(plan, create_bucket).run();
}

}  // namespace s3lt
