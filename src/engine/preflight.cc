#include "engine/preflight.h"

#include <fmt/format.h>

#include <optional>

#include "net/http_connection.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

struct Answer {
  int status = 0;       // 0: none
  std::string problem;  // then: why
  bool tls = false;     // then: it is the TLS handshake that failed
  S3Error error;
};

// One request and its answer, on a connection of its own.
class Asker {
 public:
  Asker(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint)
      : plan_(plan), endpoint_(endpoint), connection_(loop), signer_(plan.credentials, plan.region) {
    connection_.set_stall_deadline(std::chrono::seconds(10));
  }

  template <class Request>
  Task<Answer> ask(const Request& request, std::string_view method, std::string_view body = {}) {
    Answer answer;
    if (!connection_.is_open()) {
      StreamError failed = StreamError::other;
      for (const Address& address : endpoint_.addresses) {
        failed =
            co_await connection_.connect(address, endpoint_.tls ? plan_.tls.get() : nullptr, endpoint_.host);
        if (failed == StreamError::none) break;
      }
      if (failed != StreamError::none) {
        answer.problem = connection_.problem();
        answer.tls = failed == StreamError::tls;
        co_return answer;
      }
    }
    std::string head;
    plan_.profile->encode(request,
                          {.signer = signer_,
                           .host = endpoint_.host_header,
                           .time = wall_now(),
                           .invocation_id = "00000000-0000-4000-8000-000000000000",
                           .attempt = 1,
                           .max_attempts = 1},
                          head);
    head += body;
    const ExchangeRequest exchange{.method = method, .head = head, .keep_body = true};
    const ExchangeResult result = co_await connection_.exchange(exchange);
    answer.status = result.status;
    if (result.error != StreamError::none || result.malformed) {
      answer.status = 0;
      answer.problem = result.malformed ? fmt::format("it does not speak HTTP/1.1 ({})", result.problem)
                                        : std::string(result.problem);
    } else if (auto error = parse_error(result.body)) {
      answer.error = std::move(*error);
    }
    co_return answer;
  }

 private:
  const RunPlan& plan_;
  const ResolvedEndpoint& endpoint_;
  HttpConnection connection_;
  Signer signer_;
};

Error error(std::string message) {
  return {ErrorKind::unavailable, std::move(message)};
}

// What a refusal of the bucket means for the user.
Error refusal(const RunPlan& plan, const ResolvedEndpoint& endpoint, const Answer& answer) {
  const std::string& code = answer.error.code;
  const std::string who = fmt::format("{} refused access to bucket {}", endpoint.url, plan.bucket);
  // The second is what VersityGW says.
  if (code == "InvalidAccessKeyId" || code == "XAdminUserNotFound")
    return error(who + ": it does not know this access key; check AWS_ACCESS_KEY_ID");
  if (code == "SignatureDoesNotMatch") {
    return error(who + ": the signature does not match; check AWS_SECRET_ACCESS_KEY");
  }
  if (code == "RequestTimeTooSkewed") {
    const std::string server =
        answer.error.server_time.empty() ? "" : fmt::format(" ({} there)", answer.error.server_time);
    return error(fmt::format("{}: this machine's clock ({}) is too far from the server's{}; set the clock",
                             who, format_rfc3339(wall_now()), server));
  }
  if (code == "AuthorizationHeaderMalformed" && !answer.error.region.empty()) {
    return error(fmt::format("{}: its region is {}, not {}; set AWS_REGION={}", who, answer.error.region,
                             plan.region, answer.error.region));
  }
  if (answer.status == 403) {
    return error(
        fmt::format("{} ({}); this key needs permission for the bucket", who, code.empty() ? "403" : code));
  }
  return error(fmt::format("{}: status {}{}{}; is it an S3 endpoint?", who, answer.status,
                           code.empty() ? "" : " ", code));
}

Error unreachable(const ResolvedEndpoint& endpoint, const Answer& answer) {
  const std::string what = fmt::format("cannot reach {}: {}; ", endpoint.url, answer.problem);
  // Only a verification speaks of the certificate.
  if (answer.tls && answer.problem.find("certificate") != std::string::npos) {
    return error(what +
                 "name the file of its issuer's certificate in AWS_CA_BUNDLE, or set S3_VERIFY_SSL=false");
  }
  if (answer.tls) return error(what + "does it speak https there?");
  return error(what + "check S3_ENDPOINTS and that the storage runs");
}

Task<std::optional<Error>> ask_endpoint(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint,
                                        bool create_bucket, bool& answered) {
  Asker asker(loop, plan, endpoint);
  const HeadBucket head{.bucket = plan.bucket};
  Answer answer = co_await asker.ask(head, "HEAD");
  if (answer.status == 0) co_return unreachable(endpoint, answer);
  answered = true;
  if (answer.status == 200) co_return std::nullopt;
  // HEAD carries no reason: a listing does. 404 need not mean the bucket: VersityGW says it of access keys
  // too.
  const ListObjects list{.bucket = plan.bucket, .prefix = plan.prefix, .max_keys = 1};
  answer = co_await asker.ask(list, "GET");
  if (answer.status == 0) co_return unreachable(endpoint, answer);
  if (answer.status == 200) co_return std::nullopt;
  const bool no_bucket = answer.error.code.empty() || answer.error.code == "NoSuchBucket";
  if (answer.status != 404 || !no_bucket) co_return refusal(plan, endpoint, answer);
  if (!create_bucket) {
    co_return error(
        fmt::format("bucket {} does not exist on {}; --create-bucket makes it", plan.bucket, endpoint.url));
  }
  const std::string body = create_bucket_body(plan.region);
  const CreateBucket create{.bucket = plan.bucket, .body = body};
  answer = co_await asker.ask(create, "PUT", body);
  if (answer.status == 200 || answer.error.code == "BucketAlreadyOwnedByYou") co_return std::nullopt;
  co_return error(fmt::format("cannot create bucket {} on {}: {}", plan.bucket, endpoint.url,
                              answer.status == 0 ? answer.problem
                              : answer.error.message.empty()
                                  ? fmt::format("{} {}", answer.status, answer.error.code)
                                  : answer.error.code + ": " + answer.error.message));
}

Task<void> ask_all(Loop& loop, const RunPlan& plan, bool create_bucket, std::optional<Error>& problem) {
  for (const ResolvedEndpoint& endpoint : plan.endpoints) {
    bool answered = false;
    problem = co_await ask_endpoint(loop, plan, endpoint, create_bucket, answered);
    if (answered) break;
  }
  loop.stop();
}

}  // namespace

Result<void> preflight(const RunPlan& plan, bool create_bucket) {
  Loop loop;
  std::optional<Error> problem;
  loop.post([&] { spawn(ask_all(loop, plan, create_bucket, problem)); });
  loop.run();
  if (problem) return std::unexpected(*problem);
  return {};
}

}  // namespace s3lt
