#include "bucket/bucket_client.h"

#include <fmt/format.h>

#include "s3/classify.h"

namespace s3lt {
namespace {

// The body of a small request.
class TextBody final : public BodySource {
 public:
  explicit TextBody(const std::string& text) : text_(text) {}
  std::uint64_t size() const override { return text_.size(); }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    piece_ = {const_cast<char*>(text_.data()) + offset, text_.size() - offset};
    return {&piece_, 1};
  }

 private:
  const std::string& text_;
  iovec piece_{};
};

}  // namespace

BucketClient::BucketClient(Loop& loop, const RunPlan& plan, std::size_t index)
    : plan_(plan),
      signer_(plan.credentials, plan.region),
      random_(Random::stream(plan.seed, {index})),
      next_endpoint_(index),
      timer_(loop) {
  for (std::size_t i = 0; i < plan.endpoints.size(); ++i) connections_.emplace_back(loop);
}

void BucketClient::cancel() {
  cancelled_ = true;
  timer_.cancel();
  for (HttpConnection& connection : connections_) connection.cancel();
}

// A connect or a connection that failed goes on at the next endpoint.
Task<BucketAnswer> BucketClient::ask(AdminRequest request) {
  const std::function<http::BodySink*()> no_sink;
  BucketAnswer answer = co_await read(std::move(request), no_sink);
  co_return answer;
}

Task<BucketAnswer> BucketClient::read(AdminRequest request, std::function<http::BodySink*()> sink) {
  BucketAnswer answer;
  for (unsigned number = 0;; ++number) {
    answer = co_await attempt(request, number, sink);
    // An answer that broke off is what whoever looks at it wants to know of.
    const bool told = answer.truncated && sink;
    const bool again = !told && (answer.status == 0 || is_retryable(answer.status, answer.error.code));
    if (!again || answer.cancelled || number >= plan_.retry.retries) break;
    const bool in_time = co_await timer_.until(now() + plan_.retry.delay(number, random_.uniform()));
    if (!in_time) {
      answer.cancelled = true;
      break;
    }
  }
  co_return answer;
}

Task<BucketAnswer> BucketClient::attempt(const AdminRequest& request, unsigned number,
                                         const std::function<http::BodySink*()>& sink) {
  BucketAnswer answer;
  const std::size_t index = next_endpoint_++ % plan_.endpoints.size();
  const ResolvedEndpoint& endpoint = plan_.endpoints[index];
  HttpConnection& connection = connections_[index];
  // A server may close a kept connection just as the next request leaves: that one goes out once more.
  for (bool again = true; again;) {
    again = connection.is_open();
    StreamError error = again ? StreamError::none : StreamError::cancelled;
    for (const Address& address : endpoint.addresses) {
      if (connection.is_open() || cancelled_) break;
      error = co_await connection.connect(address, endpoint.tls ? plan_.tls.get() : nullptr, endpoint.host);
    }
    if (error != StreamError::none) {
      answer.cancelled = cancelled_;
      answer.reason = fmt::format("{}: {}", endpoint.url, connection.problem());
      co_return answer;
    }
    encode(request, plan_.bucket,
           {.signer = signer_,
            .host = endpoint.host_header,
            .time = wall_now(),
            .attempt = number + 1,
            .max_attempts = plan_.retry.retries + 1},
           head_);
    TextBody body(request.body);
    const ExchangeRequest exchange{.method = request.method,
                                   .head = head_,
                                   .body = request.body.empty() ? nullptr : &body,
                                   .keep_body = !sink,
                                   .sink = sink ? sink() : nullptr};
    const ExchangeResult result = co_await connection.exchange(exchange);
    again = again && !result.answered &&
            (result.error == StreamError::closed || result.error == StreamError::reset);
    if (again) continue;
    answer.truncated = result.truncated && result.error == StreamError::closed;
    answer.body_bytes = result.body_bytes;
    if (result.error != StreamError::none || result.malformed) {
      answer.cancelled = cancelled_;
      answer.reason = fmt::format("{}: {}", endpoint.url, result.problem);
      co_return answer;
    }
    answer.status = result.status;
    answer.body = std::string(result.body);
  }
  if (auto error = parse_error(answer.body)) answer.error = std::move(*error);
  if (!answer.ok()) {
    answer.reason =
        fmt::format("{}{}{}{}{}", answer.status, answer.error.code.empty() ? "" : " ", answer.error.code,
                    answer.error.message.empty() ? "" : ": ", answer.error.message);
  }
  co_return answer;
}

}  // namespace s3lt
