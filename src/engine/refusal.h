// What a storage's answer to the preflight means for the user: sentences with culprit and remedy. Values and
// pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/plan.h"
#include "s3/xml.h"

namespace s3lt {

// One question's answer.
struct StorageAnswer {
  int status = 0;  // 0: no answer that is HTTP
  // Where there is none: how far it came, and why no further.
  bool connected = false;  // with its TLS handshake
  StreamError error = StreamError::none;
  bool malformed = false;  // bytes came, but no HTTP
  bool begun = false;      // bytes came, but not all that were announced
  std::string problem;
  std::optional<CertificateProblem> certificate;  // why that of a TLS server is not believed
  bool other_scheme = false;  // the same address answers to http where the URL says https, or the reverse

  // Where there is one.
  std::string_view question;  // "HEAD", "LIST", "PUT": what was asked
  WallTime at{};              // when, by this machine's clock
  S3Error error_document;     // no code: there is none
  bool from_s3 = false;       // it has a header that only S3 sends
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                                      // at most 16 MiB; of an error 64 KiB
  bool interim = false;                                  // a 1xx came before it
  Duration took{};                                       // first byte sent to last byte received
  std::string_view header(std::string_view name) const;  // any case; empty: there is none
  bool has_header(std::string_view name) const;
};

// How long whoever asks waits for a byte, and the preflight for a whole answer.
inline constexpr auto preflight_silence = std::chrono::seconds(10);
inline constexpr auto preflight_patience = std::chrono::seconds(30);

// Its host's name has no address.
Error unresolved(const std::string& url, const std::string& reason);
// The endpoint gave no HTTP answer.
Error unreachable(const ResolvedEndpoint& endpoint, const StorageAnswer& answer);
// It gave one that does not let the run begin.
Error refusal(const RunPlan& plan, const ResolvedEndpoint& endpoint, const StorageAnswer& answer);
// The same of a storage that says no more than this whoever asks (`any_key`), or whatever secret it is asked
// with.
Error unexplained(const RunPlan& plan, const ResolvedEndpoint& endpoint, const std::string& said,
                  bool any_key);
// Nothing listens where s3pool should.
Error no_s3pool(const ResolvedEndpoint& endpoint, const StorageAnswer& answer);
// Something else listens there.
Error other_than_s3pool(const ResolvedEndpoint& endpoint);
// s3pool does not reach the storage, it says (status 0: it says nothing); `why_not` says of its endpoints
// why we do not either, "http://… (Connection refused)".
Error not_behind_s3pool(const RunPlan& plan, int status, const std::string& words,
                        const std::vector<std::string>& why_not);
// It would not create the bucket.
Error no_new_bucket(const RunPlan& plan, const ResolvedEndpoint& endpoint, const StorageAnswer& answer);

// The region that requests have to be signed for there, if that is what is wrong with them; else empty.
std::string expected_region(const RunPlan& plan, const StorageAnswer& answer);
bool no_such_bucket(const StorageAnswer& answer);

// "403 AccessDenied".
std::string status_text(const StorageAnswer& answer);
// The certificate of the TLS handshake is the problem.
bool certificate_refused(const StorageAnswer& answer);
// The sentence about it.
Error untrusted(const ResolvedEndpoint& endpoint, const CertificateProblem& problem);
// Whether it comes from something that speaks S3.
bool is_s3(const StorageAnswer& answer);

}  // namespace s3lt
