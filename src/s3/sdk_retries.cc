#include "s3/sdk_retries.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace s3lt {
namespace {

constexpr auto longest_lengthening = std::chrono::seconds(5);

// botocore's lists of the standard mode; whatever the status is.
constexpr std::array<std::string_view, 14> throttling_codes = {"Throttling",
                                                               "ThrottlingException",
                                                               "ThrottledException",
                                                               "RequestThrottledException",
                                                               "TooManyRequestsException",
                                                               "ProvisionedThroughputExceededException",
                                                               "TransactionInProgressException",
                                                               "RequestLimitExceeded",
                                                               "BandwidthLimitExceeded",
                                                               "LimitExceededException",
                                                               "RequestThrottled",
                                                               "SlowDown",
                                                               "PriorRequestNotComplete",
                                                               "EC2ThrottledException"};
constexpr std::array<std::string_view, 2> transient_codes = {"RequestTimeout", "RequestTimeoutException"};

bool is_throttling(const FailedAttempt& failed) {
  return failed.status == 429 || std::ranges::find(throttling_codes, failed.code) != throttling_codes.end();
}

bool is_server_error(const FailedAttempt& failed) {
  const int s = failed.status;
  // An error document behind a 200 (of a CompleteMultipartUpload, say): botocore takes it for a 500.
  if (s / 100 == 2 && !failed.streamed && !failed.code.empty()) return true;
  return s == 500 || s == 502 || s == 503 || s == 504 ||
         std::ranges::find(transient_codes, failed.code) != transient_codes.end();
}

// Nothing was sent yet. A handshake that fails is no better than a connect that does.
bool is_unsent(const FailedAttempt& failed) {
  return failed.outcome == Outcome::connect || failed.outcome == Outcome::tls;
}

// Without an answer, or with one that did not come whole; that of a body that is streamed is the caller's to
// see.
bool is_connection(const FailedAttempt& failed) {
  const bool broke = failed.outcome == Outcome::reset || failed.outcome == Outcome::timeout;
  if (failed.status == 0) return broke || is_unsent(failed);
  return !failed.streamed && (broke || failed.outcome == Outcome::truncated);
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

}  // namespace

std::optional<SdkRetry> SdkQuota::retry(const SdkRetryRules& rules, const FailedAttempt& failed,
                                        unsigned retry, double random) {
  if (retry + 1 >= rules.attempts) return std::nullopt;
  const bool throttled = is_throttling(failed);
  const auto after = rules.retry_after ? whole_number(failed.retry_after) : std::nullopt;
  const bool told = after && (failed.status == 413 || failed.status == 429 || failed.status == 503);
  const bool again = told || (throttled && rules.throttling) ||
                     (is_server_error(failed) && rules.server_errors) ||
                     (is_connection(failed) && rules.connections &&
                      (!failed.is_post || rules.connections_of_post || is_unsent(failed)));
  if (!again) return std::nullopt;
  SdkRetry granted;
  if (rules.quota > 0) {
    granted.tokens = throttled ? rules.cost_throttled : rules.cost;
    if (granted.tokens > left_) return std::nullopt;
    left_ -= granted.tokens;
  }
  if (told) {
    granted.delay = std::chrono::seconds(std::min<std::int64_t>(*after, 86'400));
    return granted;
  }
  const double base = throttled ? rules.base_throttled_seconds : rules.base_seconds;
  if (!rules.random_delay) random = 1;
  Duration& delay = granted.delay;
  delay = seconds(random * std::min(rules.most_seconds, base * std::exp2(std::min(retry, 30u))));
  if (const auto ms = rules.amz_retry_after ? whole_number(failed.amz_retry_after) : std::nullopt) {
    const Duration asked = std::chrono::milliseconds(std::min<std::int64_t>(*ms, 86'400'000));
    delay = std::clamp<Duration>(asked, delay, delay + longest_lengthening);
  }
  return granted;
}

void SdkQuota::succeeded(const SdkRetryRules& rules, unsigned tokens) {
  if (rules.quota == 0) return;
  left_ = std::min(rules.quota, left_ + std::max(tokens, 1u));
}

}  // namespace s3lt
