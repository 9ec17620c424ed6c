#include "engine/asker.h"

#include "s3/xml.h"

namespace s3lt {
namespace {

// How long a look at what else an address may speak may take; it follows on a failure.
constexpr auto second_look = std::chrono::seconds(2);

class QuestionBody final : public BodySource {
 public:
  explicit QuestionBody(std::string_view text) : text_(text) {}
  std::uint64_t size() const override { return text_.size(); }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    piece_ = {const_cast<char*>(text_.data()) + offset, text_.size() - offset};
    return {&piece_, 1};
  }

 private:
  std::string_view text_;
  iovec piece_{};
};

}  // namespace

Asker::Asker(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint)
    : loop_(loop),
      plan_(plan),
      endpoint_(endpoint),
      connection_(loop),
      signer_(plan.credentials, plan.region) {
  connection_.set_stall_deadline(preflight_silence);
}

RequestContext Asker::context(Signer& signer) const {
  return {.signer = signer,
          .host = endpoint_.host_header,
          .time = wall_now(),
          .invocation_id = "00000000-0000-4000-8000-000000000000",
          .attempt = 1,
          .max_attempts = plan_.most_attempts(),
          .tls = endpoint_.tls};
}

Task<StorageAnswer> Asker::ask(const Question& question) {
  StorageAnswer answer;
  // A server may close a kept connection just as the next request leaves: that one goes out once more.
  for (bool again = true; again;) {
    answer = StorageAnswer{};
    answer.question = question.name;
    again = connection_.is_open();
    co_await connect(connection_, endpoint_.tls ? plan_.tls.get() : nullptr, answer);
    if (answer.connected) co_await exchange(connection_, question, answer);
    again = again && (answer.error == StreamError::closed || answer.error == StreamError::reset);
  }
  co_return answer;
}

Task<bool> Asker::answers_to_other_scheme() {
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

void Asker::cancel() {
  cancelled_ = true;
  connection_.cancel();
}

Task<bool> Asker::answers_to_http() {
  HttpConnection plain(loop_);
  plain.set_stall_deadline(second_look);
  StorageAnswer answer;
  co_await connect(plain, nullptr, answer);
  const std::string head = "GET / HTTP/1.1\r\nHost: " + endpoint_.host_header + "\r\n\r\n";
  const Question question{.name = "GET", .method = "GET", .head = head};
  if (answer.connected) co_await exchange(plain, question, answer);
  // Servers of TLS tell those who speak plain HTTP so in a 400.
  co_return answer.status != 0 && answer.status != 400;
}

Task<void> Asker::connect(HttpConnection& connection, TlsClient* tls, StorageAnswer& answer) {
  answer.connected = connection.is_open();
  for (const Address& address : endpoint_.addresses) {
    if (answer.connected) co_return;
    answer.error = StreamError::cancelled;
    if (cancelled_) co_return;
    answer.error = co_await connection.connect(address, tls, endpoint_.host);
    answer.problem = connection.problem();
    answer.certificate = connection.stream().certificate_problem();
    answer.connected = answer.error == StreamError::none;
    if (answer.connected) ++connections_;
  }
}

Task<void> Asker::exchange(HttpConnection& connection, const Question& question, StorageAnswer& answer) {
  QuestionBody body(question.body);
  const ExchangeRequest request{.method = question.method,
                                .head = question.head,
                                .body = question.body.empty() ? nullptr : &body,
                                .expect_continue = question.expect_continue,
                                .keep_body = true};
  const ExchangeResult result = co_await connection.exchange(request);
  answer.error = result.error;
  answer.malformed = result.malformed;
  answer.begun = result.answered;
  answer.interim = result.interim;
  answer.took = result.end - result.first_byte_sent;
  if (result.error != StreamError::none || result.malformed) {
    answer.problem = result.problem;
    co_return;
  }
  answer.status = result.status;
  answer.at = wall_now();
  answer.body = result.body;
  for (const http::Header& header : result.head->headers.all())
    answer.headers.emplace_back(header.name, header.value);
  if (auto document = parse_error(answer.body)) answer.error_document = std::move(*document);
  answer.from_s3 = result.status == 200 && parse_list(answer.body).has_value();
  for (const char* name : {"x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region"}) {
    if (answer.has_header(name)) answer.from_s3 = true;
  }
}

Task<FirstAnswer> ask_first(Asker& asker, Ask how) {
  const RunPlan& plan = asker.plan();
  const ResolvedEndpoint& endpoint = asker.endpoint();
  FirstAnswer first;
  const HeadBucket head{.bucket = plan.bucket};
  first.answer = co_await asker.ask(head, "HEAD", "HEAD");
  const bool let_in = first.answer.status == 200 && is_s3(first.answer);
  if (first.answer.status != 0 && !(let_in && how == Ask::until_let_in)) {
    // HEAD carries no reason: a listing does. 404 need not mean the bucket: VersityGW says it of access
    // keys too.
    const ListObjects list{.bucket = plan.bucket, .prefix = plan.prefix, .max_keys = 1};
    StorageAnswer listing = co_await asker.ask(list, "GET", "LIST");
    if (let_in && listing.status == 0) {
      first.no_listing = std::move(listing);
    } else {
      first.answer = std::move(listing);
    }
  }
  StorageAnswer& answer = first.answer;
  first.answered = answer.status != 0;
  if (!first.answered) {
    const bool look = answer.error == StreamError::tls
                          ? !certificate_refused(answer)
                          : answer.connected && !endpoint.tls && answer.error != StreamError::timed_out;
    if (look) answer.other_scheme = co_await asker.answers_to_other_scheme();
    first.problem = unreachable(endpoint, answer);
  } else if (!is_s3(answer)) {
    if (answer.status == 400 && !endpoint.tls) answer.other_scheme = co_await asker.answers_to_other_scheme();
    first.problem = refusal(plan, endpoint, answer);
  }
  co_return first;
}

}  // namespace s3lt
