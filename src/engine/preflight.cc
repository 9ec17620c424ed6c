#include "engine/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <optional>

#include "base/log.h"
#include "engine/asker.h"
#include "s3/classify.h"
#include "s3/s3pool_answer.h"
#include "s3/trailer_coding.h"

namespace s3lt {
namespace {

// An answer of s3pool's own.
bool is_own(const StorageAnswer& answer) {
  return (answer.status == 400 || answer.status == 502 || answer.status == 503) &&
         is_s3pools_own(answer.has_header(s3pool_header), answer.header("content-type"));
}

// Its words, where the answer is one.
std::string s3pool_words(const StorageAnswer& answer) {
  if (!is_own(answer)) return {};
  return answer.body.empty() ? std::string("nothing more") : answer.body.substr(0, 300);
}

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
      first.message = fmt::format(
          "none of the {} endpoints can be used; of the first: {}; s3loadtest check says it "
          "of each",
          verdicts_.size(), first.message);
    }
    return std::unexpected(std::move(first));
  }

  Task<void> judge(Asker& asker, std::size_t index) {
    Verdict verdict = co_await ask_endpoint(asker, named(plan_.endpoints[index]));
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

  // Why this endpoint of the storage cannot be reached from here; empty where it can.
  Task<std::string> why_not_reached(const ResolvedEndpoint& endpoint) {
    std::string why;
    for (const Address& address : endpoint.addresses) {
      Stream stream;
      const ConnectOptions options{.tls = endpoint.tls ? plan_.tls.get() : nullptr,
                                   .server_name = endpoint.host,
                                   .deadline = now() + second_look};
      const StreamError error = co_await stream.connect(loop_, address, options);
      if (error == StreamError::none) co_return std::string();
      why = error == StreamError::timed_out ? "no answer to a connection" : stream.problem();
    }
    co_return why;
  }

  bool behind_s3pool() const { return plan_.profile->traits(false).through_s3pool; }

  // What refuses behind s3pool is the storage.
  ResolvedEndpoint named(ResolvedEndpoint endpoint) const {
    if (behind_s3pool()) {
      endpoint.url = plan_.storage.size() == 1 ? plan_.storage.front().url
                                               : fmt::format("the storage behind {}", endpoint.url);
    }
    return endpoint;
  }

  Task<Verdict> ask_endpoint(Asker& asker, const ResolvedEndpoint endpoint) {
    FirstAnswer first = co_await ask_first(asker, Ask::until_let_in);
    if (behind_s3pool() && !first.answered && !first.answer.connected)
      co_return Verdict{.answered = false, .problem = no_s3pool(asker.endpoint(), first.answer)};
    if (behind_s3pool() && first.answered && !first.answer.has_header(s3pool_header) && !is_own(first.answer))
      co_return Verdict{.answered = true, .problem = other_than_s3pool(asker.endpoint())};
    const bool silent = !first.answered && first.answer.error == StreamError::timed_out;
    if (behind_s3pool() && (silent || !s3pool_words(first.answer).empty())) {
      Verdict verdict{.answered = true, .problem = {}};
      verdict.problem = co_await look_behind_s3pool(first.answer);
      co_return verdict;
    }
    if (first.problem) co_return Verdict{.answered = first.answered, .problem = std::move(first.problem)};
    Verdict verdict{.answered = true, .problem = {}};
    verdict.problem = co_await judge_listing(asker, endpoint, first.answer);
    co_return verdict;
  }

  // s3pool has no word of the storage: is it there? The first that is will do; s3pool may have met a moment
  // of trouble.
  static constexpr std::size_t most_named = 4;
  static constexpr auto second_look = std::chrono::seconds(2);
  Task<std::optional<Error>> look_behind_s3pool(const StorageAnswer& answer) {
    std::vector<std::string> why_not;
    for (const ResolvedEndpoint& endpoint : plan_.storage) {
      std::string why = co_await why_not_reached(endpoint);
      if (why.empty()) {
        const std::string said =
            answer.status == 0
                ? fmt::format("did not answer the first question within {}",
                              format_duration(preflight_silence))
                : fmt::format("answered {} to the first question ({})", answer.status, s3pool_words(answer));
        log_warning(
            fmt::format("s3pool {}, though {} takes connections; going on all the same", said, endpoint.url));
        co_return std::nullopt;
      }
      why_not.push_back(fmt::format("{} ({})", endpoint.url, why));
      if (why_not.size() == most_named) break;
    }
    co_return not_behind_s3pool(plan_, answer.status, s3pool_words(answer), why_not);
  }

  Task<std::optional<Error>> judge_listing(Asker& asker, const ResolvedEndpoint& endpoint,
                                           const StorageAnswer& answer) {
    const std::string& code = answer.error_document.code;
    if (answer.status == 200 && code.empty()) co_return std::nullopt;
    const Outcome outcome = classify(answer.status, code);
    if (outcome == Outcome::throttled || outcome == Outcome::full || outcome == Outcome::server_error) {
      log_warning(fmt::format("{} answered {} to the first question; going on all the same", endpoint.url,
                              status_text(answer)));
      co_return std::nullopt;
    }
    if (code == "AccessDenied") {
      bool may_begin = !writes();
      if (!may_begin) may_begin = co_await can_write(asker);
      if (may_begin) {
        log_warning(
            fmt::format("{} does not let this access key list bucket {} ({}); going on all "
                        "the same",
                        endpoint.url, plan_.bucket, status_text(answer)));
        co_return std::nullopt;
      }
    }
    if (!no_such_bucket(answer) || !create_bucket_) {
      Error error = refusal(plan_, endpoint, answer);
      if (code == "AccessDenied") error.message += "; s3loadtest check finds out more";
      co_return error;
    }
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
    const bool coded = plan_.profile->traits(asker.endpoint().tls).crc32_behind;
    const std::string body = coded ? TrailerCoding::whole({}, put.crc32_base64) : std::string();
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
