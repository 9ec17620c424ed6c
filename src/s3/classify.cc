#include "s3/classify.h"

#include <algorithm>
#include <array>

namespace s3lt {
namespace {

template <std::size_t N>
bool one_of(std::string_view code, const std::array<std::string_view, N>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// S3 API reference, "Error responses", and the words of Ceph RGW and MinIO for the same.
constexpr std::array<std::string_view, 8> throttling{
    "SlowDown",         "Throttling",           "ThrottlingException", "ThrottledException",
    "RequestThrottled", "RequestLimitExceeded", "TooManyRequests",     "ServiceUnavailable"};
constexpr std::array<std::string_view, 6> full{"QuotaExceeded",        "InsufficientStorage",
                                               "InsufficientCapacity", "StorageFull",
                                               "XMinioStorageFull",    "EntityTooLargeForQuota"};
constexpr std::array<std::string_view, 12> auth{"AccessDenied",
                                                "InvalidAccessKeyId",
                                                "SignatureDoesNotMatch",
                                                "RequestTimeTooSkewed",
                                                "ExpiredToken",
                                                "InvalidToken",
                                                "AuthorizationHeaderMalformed",
                                                "AccountProblem",
                                                "AllAccessDisabled",
                                                "InvalidSecurity",
                                                "NotSignedUp",
                                                "UnauthorizedAccess"};
constexpr std::array<std::string_view, 5> retried{"RequestTimeout", "PriorRequestNotComplete", "SlowDown",
                                                  "ServiceUnavailable", "InternalError"};

}  // namespace

Outcome classify(int status, std::string_view code) {
  if (!code.empty()) {
    if (one_of(code, full)) return Outcome::full;
    if (one_of(code, throttling)) return Outcome::throttled;
    if (one_of(code, auth)) return Outcome::auth;
    if (code == "NoSuchKey") return Outcome::missing;
    if (code == "InternalError") return Outcome::server_error;
    if (status < 300) return Outcome::server_error;  // an error document inside a 200
  }
  if (status >= 200 && status < 300) return Outcome::ok;
  if (status == 429 || status == 503) return Outcome::throttled;
  if (status == 507) return Outcome::full;
  if (status == 401 || status == 403) return Outcome::auth;
  // No such bucket is no missing key.
  if (status == 404 && (code.empty() || code == "NotFound")) return Outcome::missing;
  if (status >= 500) return Outcome::server_error;
  return Outcome::client_error;
}

bool is_retryable(int status, std::string_view code) {
  if (one_of(code, full)) return false;
  return status == 429 || status == 500 || status == 502 || status == 503 || status == 504 ||
         one_of(code, retried);
}

}  // namespace s3lt
