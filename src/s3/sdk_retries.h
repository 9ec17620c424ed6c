// Whether and when an SDK tries again, for --retries sdk. What the SDKs of the wire profiles do was measured
// on the wire (boto3 1.44 and minio-py 7.2 with the settings that the profiles reproduce). Pure, thread-safe;
// a quota belongs to one client object of the SDK.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/vocabulary.h"

namespace s3lt {

struct SdkRetryRules {
  unsigned attempts = 4;  // with the first
  bool server_errors = false,
       throttling = false;  // 500, 502, 503, 504 and codes such; 429, SlowDown and such
  // Connections that failed, were reset or closed, or silent for too long; once made, of a POST too.
  bool connections = true, connections_of_post = true;
  double base_seconds = 0, base_throttled_seconds = 0,
         most_seconds = 0;       // random * min(most, base * 2^retry)
  bool random_delay = true;      // else that without the random
  bool amz_retry_after = false;  // x-amz-retry-after (ms) lengthens the delay, by at most 5 s
  bool retry_after = false;      // Retry-After (s) makes 413, 429 and 503 be tried again after it
  unsigned quota = 0, cost = 0,
           cost_throttled = 0;     // tokens of a client object, and of a retry; quota 0: no limit
  bool repeats_signature = false;  // all attempts go out as the first was signed
};

// An attempt that did not end well.
struct FailedAttempt {
  Outcome outcome{};
  int status = 0;  // 0: no answer
  std::string_view code = {};
  bool is_post = false;
  bool streamed = true;  // the answer's body is the caller's to read and to see break; else the SDK's
  std::string_view retry_after = {}, amz_retry_after = {};  // headers
};

struct SdkRetry {
  Duration delay{};     // before it
  unsigned tokens = 0;  // that it takes of the quota
};

class SdkQuota {
 public:
  explicit SdkQuota(const SdkRetryRules& rules) : left_(rules.quota) {}
  // Retry number `retry` (from 0) of a request; nothing: it is over. `random` in [0, 1).
  std::optional<SdkRetry> retry(const SdkRetryRules& rules, const FailedAttempt& failed, unsigned retry,
                                double random);
  // A request ended well: what its last retry took comes back. 0: it had none.
  void succeeded(const SdkRetryRules& rules, unsigned tokens);

 private:
  unsigned left_;
};

}  // namespace s3lt
