#include "engine/refusal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/units.h"
#include "http/head.h"
#include "net/http_connection.h"
#include "s3/classify.h"
#include "s3/s3pool_answer.h"

namespace s3lt {
namespace {

Error error(std::string message) {
  return {ErrorKind::unavailable, std::move(message)};
}

// The same address under the other scheme.
std::string other_url(const ResolvedEndpoint& endpoint) {
  std::string authority = endpoint.url.substr(endpoint.url.find("://") + 3);
  // A port that the scheme implied has to be said now.
  if (authority == endpoint.host || authority == "[" + endpoint.host + "]") {
    authority += endpoint.tls ? ":443" : ":80";
  }
  return (endpoint.tls ? "http://" : "https://") + authority;
}

// A server's time in RFC 3339 or HTTP's form.
ParsedTime parse_server_time(const StorageAnswer& answer) {
  std::string basic;
  for (const char c : answer.error_document.server_time.substr(0, 19)) {
    if (c != '-' && c != ':') basic += c;
  }
  const ParsedTime said = parse_basic_utc(basic + "Z");
  return said.ok ? said : parse_http_date(std::string(answer.header("date")));
}

Error skewed_clock(const ResolvedEndpoint& endpoint, const StorageAnswer& answer) {
  const ParsedTime there = parse_server_time(answer);
  std::string by = "too far from the server's";
  if (there.ok) {
    const Duration ahead = std::chrono::duration_cast<std::chrono::seconds>(answer.at - there.time);
    by = fmt::format("{} {} the server's (here {}, there {})", format_duration(std::max(ahead, -ahead)),
                     ahead > Duration::zero() ? "ahead of" : "behind", format_rfc3339(answer.at),
                     format_rfc3339(there.time));
  }
  return error(
      fmt::format("{} refused the request's time ({}): this machine's clock is {}; set it, best "
                  "by NTP",
                  endpoint.url, status_text(answer), by));
}

Error not_s3(const ResolvedEndpoint& endpoint, const StorageAnswer& answer) {
  if (answer.other_scheme) {
    return error(fmt::format("{} speaks TLS, not plain http; write {}", endpoint.url, other_url(endpoint)));
  }
  const std::string_view location = answer.header("location"), type = answer.header("content-type");
  if (answer.status >= 300 && answer.status < 400 && !location.empty()) {
    return error(
        fmt::format("{} redirects to {} and is no S3 endpoint itself; set the endpoint to where the "
                    "S3 API is",
                    endpoint.url, location.substr(0, 200)));
  }
  const std::string_view what = type.empty() ? "no S3 document" : type.substr(0, 80);
  if (answer.status >= 500) {
    return error(
        fmt::format("{} answered {} with {} instead of S3's XML: what stands before the storage "
                    "does not reach it; check that the storage runs",
                    endpoint.url, answer.status, what));
  }
  return error(
      fmt::format("{} is no S3 endpoint: it answered {} with {} instead of S3's XML; check host and "
                  "port of the endpoint",
                  endpoint.url, answer.status, what));
}

// A server's words within ours.
std::string_view sentence_part(std::string_view message) {
  message = message.substr(0, 300);
  while (message.ends_with('.')) message.remove_suffix(1);
  return message;
}

// Refusals of the credentials and the time; no message: the code is none of theirs.
std::string credentials_refused(const std::string& code) {
  // The second is what VersityGW says.
  if (code == "InvalidAccessKeyId" || code == "XAdminUserNotFound" || code == "InvalidClientTokenId")
    return "does not know this access key ({}); check AWS_ACCESS_KEY_ID";
  if (code == "SignatureDoesNotMatch") {
    return "knows this access key by another secret ({}); check AWS_SECRET_ACCESS_KEY, and that nothing in "
           "between changes requests";
  }
  if (code == "ExpiredToken" || code == "TokenRefreshRequired")
    return "says that the session token has expired ({}); get new temporary credentials";
  if (code == "InvalidToken" || code == "InvalidSecurity") {
    return "refused the session token ({}); unset AWS_SESSION_TOKEN where the keys are permanent ones, or "
           "get "
           "new temporary credentials";
  }
  return {};
}

}  // namespace

std::string_view StorageAnswer::header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const auto& h) { return http::iequals(h.first, name); });
  return found != headers.end() ? std::string_view(found->second) : std::string_view();
}

bool StorageAnswer::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& h) { return http::iequals(h.first, name); });
}

std::string status_text(const StorageAnswer& answer) {
  const std::string& code = answer.error_document.code;
  return code.empty() ? fmt::format("{}", answer.status) : fmt::format("{} {}", answer.status, code);
}

std::string expected_region(const RunPlan& plan, const StorageAnswer& answer) {
  std::string region = answer.error_document.region;
  if (region.empty()) region = answer.header("x-amz-bucket-region");
  const bool about_region =
      answer.error_document.code == "AuthorizationHeaderMalformed" || answer.status / 100 == 3;
  return about_region && region != plan.region ? region : std::string();
}

bool no_such_bucket(const StorageAnswer& answer) {
  const std::string& code = answer.error_document.code;
  return code == "NoSuchBucket" || (answer.status == 404 && code.empty());
}

bool certificate_refused(const StorageAnswer& answer) {
  return answer.error == StreamError::tls && answer.certificate.has_value();
}

Error untrusted(const ResolvedEndpoint& endpoint, const CertificateProblem& problem) {
  return error(
      fmt::format("the certificate of {} {}; {}, or set S3_VERIFY_SSL=false to test without verifying it",
                  endpoint.url, words(problem), remedy(problem)));
}

bool is_s3(const StorageAnswer& answer) {
  return answer.from_s3 || !answer.error_document.code.empty();
}

Error unresolved(const std::string& url, const std::string& reason) {
  return error(fmt::format(
      "cannot find the host of {}: {}; check its name, and this machine's name service (DNS, /etc/hosts)",
      url, reason));
}

Error unreachable(const ResolvedEndpoint& endpoint, const StorageAnswer& answer) {
  const std::string& url = endpoint.url;
  if (certificate_refused(answer)) return untrusted(endpoint, *answer.certificate);
  if (answer.other_scheme) {
    return error(endpoint.tls
                     ? fmt::format("{} speaks plain http, not TLS; write {}", url, other_url(endpoint))
                     : fmt::format("{} speaks TLS, not plain http; write {}", url, other_url(endpoint)));
  }
  if (answer.problem == no_modern_tls) {
    return error(
        fmt::format("the TLS handshake with {} failed: {}; turn one of them on there", url, no_modern_tls));
  }
  if (answer.problem == wants_certificate) {
    return error(
        fmt::format("the TLS handshake with {} failed: {}; use an address of the storage that asks for none",
                    url, wants_certificate));
  }
  if (answer.error == StreamError::tls) {
    return error(
        fmt::format("the TLS handshake with {} failed: {}; check that this is the storage's https "
                    "port",
                    url, answer.problem));
  }
  if (answer.malformed) {
    return error(
        fmt::format("{} is no S3 endpoint: its answer is no valid HTTP ({}); check host and port of "
                    "the endpoint",
                    url, answer.problem));
  }
  if (answer.problem == no_handshake_in_time) {
    return error(
        fmt::format("{} accepts connections but ended no TLS handshake within {}; check that this is the "
                    "storage's https port, and that the storage is alive",
                    url, format_duration(HttpConnection::connect_deadline)));
  }
  if (!answer.connected && answer.error == StreamError::timed_out) {
    return error(
        fmt::format("cannot reach {}: nothing answered a connection within {}; check host and port, "
                    "and that no firewall drops the packets",
                    url, format_duration(HttpConnection::connect_deadline)));
  }
  if (!answer.connected) {
    return error(fmt::format("cannot reach {}: {}; check host and port, and that the storage runs", url,
                             answer.problem));
  }
  if (answer.error == StreamError::timed_out) {
    return error(
        fmt::format("{} accepts connections but said nothing for {}; check that the storage is "
                    "alive and that this is its S3 port",
                    url, format_duration(preflight_silence)));
  }
  if (answer.error == StreamError::cancelled) {
    return error(
        fmt::format("{} did not come to the end of its answer within {}; check that this is an S3 "
                    "endpoint",
                    url, format_duration(preflight_patience)));
  }
  return error(
      fmt::format("{} ended the connection {} ({}); check that the storage runs and that this is its S3 port",
                  url, answer.begun ? "in the middle of its answer" : "without an answer", answer.problem));
}

Error refusal(const RunPlan& plan, const ResolvedEndpoint& endpoint, const StorageAnswer& answer) {
  const std::string& code = answer.error_document.code;
  const std::string said = status_text(answer);
  if (!is_s3(answer)) return not_s3(endpoint, answer);
  if (code == "RequestTimeTooSkewed") return skewed_clock(endpoint, answer);
  if (const std::string why = credentials_refused(code); !why.empty())
    return error(fmt::format("{} {}", endpoint.url, fmt::format(fmt::runtime(why), said)));
  if (const std::string region = expected_region(plan, answer); !region.empty()) {
    return error(fmt::format("{} expects requests signed for region {}, not {} ({}); set AWS_REGION={}",
                             endpoint.url, region, plan.region, said, region));
  }
  if (no_such_bucket(answer)) {
    return error(
        fmt::format("bucket {} does not exist on {}; check S3_BUCKET, or make it with run --create-bucket",
                    plan.bucket, endpoint.url));
  }
  if (code == "InvalidBucketName") {
    return error(fmt::format("{} does not take {} for a bucket's name ({}); check S3_BUCKET", endpoint.url,
                             plan.bucket, said));
  }
  if (classify(answer.status, code) == Outcome::auth) {
    return error(
        fmt::format("{} lets this access key neither list bucket {} nor write to it ({}); check "
                    "S3_BUCKET, or grant the key s3:ListBucket, s3:GetObject, s3:PutObject and "
                    "s3:DeleteObject there",
                    endpoint.url, plan.bucket, said));
  }
  const std::string& message = answer.error_document.message;
  return error(fmt::format("{} refused the {} of bucket {} with {}{}{}; the storage's log says more",
                           endpoint.url, answer.question, plan.bucket, said, message.empty() ? "" : ": ",
                           sentence_part(message)));
}

Error unexplained(const RunPlan& plan, const ResolvedEndpoint& endpoint, const std::string& said,
                  bool any_key) {
  if (any_key) {
    return error(
        fmt::format("{} answers {} whoever asks, also with a key that nobody has, so it does not say what is "
                    "wrong; check "
                    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the key's rights on bucket {}",
                    endpoint.url, said, plan.bucket));
  }
  return error(fmt::format(
      "{} knows this access key, but answers {} whatever the secret, so it does not say what is wrong; "
      "check AWS_SECRET_ACCESS_KEY and the key's rights on bucket {}",
      endpoint.url, said, plan.bucket));
}

Error no_s3pool(const ResolvedEndpoint& endpoint, const StorageAnswer& answer) {
  return error(
      fmt::format("no s3pool listens on {} ({}); start it, or leave --no-proxy out and one is started",
                  endpoint.host_header, answer.problem));
}

Error other_than_s3pool(const ResolvedEndpoint& endpoint) {
  return error(
      fmt::format("{} is no s3pool: its answers lack the header {}; set S3LOADTEST_PROXY_ADDR to where one "
                  "listens, or to a free address and leave --no-proxy out, and one is started",
                  endpoint.host_header, s3pool_header));
}

Error not_behind_s3pool(const RunPlan& plan, int status, const std::string& words,
                        const std::vector<std::string>& why_not) {
  const std::string said = status != 0 ? fmt::format("{}: {}", status, words) : "no answer in time";
  return error(fmt::format(
      "s3pool at {} reaches no endpoint of the storage ({}): {}; check that the storage runs, and "
      "S3_ENDPOINTS",
      plan.endpoints.front().host_header, said, fmt::join(why_not, ", ")));
}

Error no_new_bucket(const RunPlan& plan, const ResolvedEndpoint& endpoint, const StorageAnswer& answer) {
  const std::string& code = answer.error_document.code;
  const std::string what =
      fmt::format("cannot create bucket {} on {} ({})", plan.bucket, endpoint.url, status_text(answer));
  if (code == "BucketAlreadyExists")
    return error(what + ": somebody else has one of this name; choose another with S3_BUCKET or --bucket");
  if (code == "InvalidBucketName") return error(what + ": the name is not allowed there; check S3_BUCKET");
  if (code == "IllegalLocationConstraintException" || code == "InvalidLocationConstraint") {
    return error(fmt::format("{}: it is not made for region {}; check AWS_REGION", what, plan.region));
  }
  if (classify(answer.status, code) == Outcome::auth) {
    return error(what + ": this access key may not; grant it s3:CreateBucket, or have the bucket made");
  }
  const std::string& message = answer.error_document.message;
  return error(fmt::format("{}{}{}; the storage's log says more", what, message.empty() ? "" : ": ",
                           sentence_part(message)));
}

}  // namespace s3lt
