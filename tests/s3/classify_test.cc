#include "s3/classify.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

struct Case {
  int status;
  std::string_view code;
  Outcome outcome;
  bool retried;
};

TEST(Classify, TellsOutcomeAndRetryOfEveryKindOfAnswer) {
  const Case cases[] = {
      {200, "", Outcome::ok, false},
      {204, "", Outcome::ok, false},
      {206, "", Outcome::ok, false},
      {404, "", Outcome::missing, false},
      {404, "NoSuchKey", Outcome::missing, false},
      {404, "NotFound", Outcome::missing, false},
      {404, "NoSuchBucket", Outcome::client_error, false},
      {404, "NoSuchUpload", Outcome::client_error, false},
      {429, "", Outcome::throttled, true},
      {429, "TooManyRequests", Outcome::throttled, true},
      {503, "", Outcome::throttled, true},
      {503, "SlowDown", Outcome::throttled, true},
      {503, "ServiceUnavailable", Outcome::throttled, true},
      {400, "SlowDown", Outcome::throttled, true},
      {507, "", Outcome::full, false},
      {503, "QuotaExceeded", Outcome::full, false},
      {403, "QuotaExceeded", Outcome::full, false},
      {500, "InsufficientStorage", Outcome::full, false},
      {507, "XMinioStorageFull", Outcome::full, false},
      {401, "", Outcome::auth, false},
      {403, "", Outcome::auth, false},
      {403, "AccessDenied", Outcome::auth, false},
      {403, "InvalidAccessKeyId", Outcome::auth, false},
      {403, "SignatureDoesNotMatch", Outcome::auth, false},
      {403, "RequestTimeTooSkewed", Outcome::auth, false},
      {400, "AuthorizationHeaderMalformed", Outcome::auth, false},
      {500, "", Outcome::server_error, true},
      {500, "InternalError", Outcome::server_error, true},
      {501, "NotImplemented", Outcome::server_error, false},
      {502, "", Outcome::server_error, true},
      {504, "", Outcome::server_error, true},
      {505, "", Outcome::server_error, false},
      {400, "RequestTimeout", Outcome::client_error, true},
      {400, "BadDigest", Outcome::client_error, false},
      {409, "PriorRequestNotComplete", Outcome::client_error, true},
      {412, "PreconditionFailed", Outcome::client_error, false},
      {416, "InvalidRange", Outcome::client_error, false},
      {301, "PermanentRedirect", Outcome::client_error, false},
      {307, "", Outcome::client_error, false},
      // An error document inside a 200 (CompleteMultipartUpload, CopyObject).
      {200, "InternalError", Outcome::server_error, true},
      {200, "SlowDown", Outcome::throttled, true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(name(classify(c.status, c.code)), name(c.outcome)) << c.status << " " << c.code;
    EXPECT_EQ(is_retryable(c.status, c.code), c.retried) << c.status << " " << c.code;
  }
}

}  // namespace
}  // namespace s3lt
