#include "check/prober.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/units.h"
#include "check/prober_parts.h"
#include "check/server_name.h"
#include "s3/classify.h"
#include "workload/key_shape.h"

namespace s3lt {
namespace {

constexpr unsigned attempts = 3;  // at a storage that is busy
constexpr std::size_t body_size = 1024;
// For a byte of an answer: of a storage that has just left a question unanswered, or this kind of question
// before.
constexpr Duration short_patience = std::chrono::seconds(2);

std::string random_text(std::uint64_t seed) {
  Random random(seed);
  std::string text(body_size, ' ');
  for (char& c : text) c = static_cast<char>(random.below(256));
  return text;
}

}  // namespace

const std::string& probe_body() {
  static const std::string body = random_text(1);
  return body;
}

const std::string& other_body() {
  static const std::string body = random_text(2);
  return body;
}

std::string checksum_base64(ChecksumAlgorithm algorithm, std::string_view body) {
  ChecksumStream stream(algorithm);
  stream.update(as_bytes(body));
  return stream.finish().base64();
}

struct Prober::Knock {
  Stream stream;
  Address address;
  std::size_t number = 0;
};

Prober::Prober(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint, TlsClient* observer,
               bool verifies, std::string stem, EndpointFacts& facts)
    : loop_(loop),
      plan_(plan),
      endpoint_(endpoint),
      observer_(observer),
      verifies_(verifies),
      stem_(std::move(stem)),
      facts_(facts),
      knocked_(loop),
      pause_(loop),
      random_(Random::stream(unix_micros(wall_now()), {hash64(endpoint.url)})) {}

Prober::~Prober() = default;

Task<void> Prober::run() {
  const TimePoint begun = now();
  co_await reach();
  if (going() && endpoint_.tls) co_await secure();
  if (going()) {
    asker_ = std::make_unique<Asker>(loop_, plan_, endpoint_);
    co_await admit();
  }
  if (going()) co_await ask_strangers();
  if (going()) co_await look_at_bucket();
  for (const WireProfile* profile : wire_profiles()) {
    if (may_try() && !profile->traits(endpoint_.tls).through_s3pool) co_await try_backend(*profile);
  }
  judge_rights();
  if (going() && !facts_.bucket.exists && !facts_.backends.empty()) judge_denial();
  if (may_write()) co_await try_payloads();
  if (may_write()) co_await try_checksums();
  if (may_write()) co_await try_reads();
  if (may_write()) co_await try_multipart();
  if (going()) co_await try_connections();
  facts_.stopped = stopped_;
  co_await tidy();
  while (knocking_ > 0) co_await knocked_.until(TimePoint::max());
  facts_.seconds = to_seconds(now() - begun);
}

void Prober::stop() {
  stopped_ = true;
  if (keys_.empty()) cut();
}

void Prober::cut() {
  if (tidying_) return;  // which has an end of its own
  stopped_ = true;
  if (asker_) asker_->cancel();
  for (Knock& knock : knocks_) knock.stream.cancel();
  pause_.cancel();
  knocked_.cancel();
}

// Knocks at all addresses at once; goes on with those that answer as soon as one does.
Task<void> Prober::reach() {
  facts_.addresses.resize(endpoint_.addresses.size());
  for (std::size_t i = 0; i < endpoint_.addresses.size(); ++i) {
    facts_.addresses[i].address = endpoint_.addresses[i].text();
    Knock& knock = knocks_.emplace_back();
    knock.address = endpoint_.addresses[i];
    knock.number = i;
  }
  knocking_ = knocks_.size();
  for (Knock& knock : knocks_) spawn(this->knock(knock));
  while (knocking_ > 0 && !facts_.reachable() && !stopped_) co_await knocked_.until(TimePoint::max());
  if (!facts_.reachable()) {
    if (!stopped_ && !facts_.addresses.empty()) {
      StorageAnswer answer;
      answer.problem = facts_.addresses.front().problem;
      const bool late = answer.problem == no_answer_in_time;
      answer.error = late ? StreamError::timed_out : StreamError::refused;
      facts_.problem = unreachable(endpoint_, answer).message;
    }
    co_return;
  }
  std::vector<Address> order;
  for (const bool reached : {true, false}) {
    for (std::size_t i = 0; i < endpoint_.addresses.size(); ++i) {
      if (facts_.addresses[i].connect_us.has_value() == reached) order.push_back(endpoint_.addresses[i]);
    }
  }
  endpoint_.addresses = std::move(order);
}

Task<void> Prober::knock(Knock& knock) {
  const TimePoint begun = now();
  const ConnectOptions options{.deadline = begun + HttpConnection::connect_deadline};
  const StreamError error = co_await knock.stream.connect(loop_, knock.address, options);
  AddressFact& fact = facts_.addresses[knock.number];
  if (error == StreamError::none) {
    fact.connect_us = to_micros(now() - begun);
  } else {
    fact.problem = knock.stream.problem();
  }
  knock.stream.close();
  --knocking_;
  knocked_.cancel();
}

// What the server's TLS is like, whether or not its certificate is believed.
Task<void> Prober::secure() {
  Stream stream;
  const ConnectOptions options{
      .tls = observer_, .server_name = endpoint_.host, .deadline = now() + HttpConnection::connect_deadline};
  const StreamError error = co_await stream.connect(loop_, endpoint_.addresses.front(), options);
  if (error != StreamError::none) {
    Asker asker(loop_, plan_, endpoint_);
    StorageAnswer answer;
    answer.error = error;
    answer.problem = stream.problem();
    if (error == StreamError::tls) answer.other_scheme = co_await asker.answers_to_other_scheme();
    facts_.other_scheme = answer.other_scheme;
    facts_.problem = unreachable(endpoint_, answer).message;
    co_return;
  }
  facts_.tls = TlsFact{.facts = stream.tls_facts(),
                       .handshake_us = to_micros(now() - stream.connected_at()),
                       .problem = stream.certificate_problem()};
  // Whoever asked for verification gets nothing sent there.
  if (verifies_ && facts_.tls->problem) facts_.problem = untrusted(endpoint_, *facts_.tls->problem).message;
}

Task<void> Prober::admit() {
  FirstAnswer first;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    facts_.requests += 2;
    first = co_await ask_first(*asker_, Ask::with_a_listing);
    if (!first.answered || !is_retryable(first.answer.status, first.answer.error_document.code)) break;
    const bool in_time = co_await pause_.until(now() + std::chrono::milliseconds(200U << attempt));
    if (!in_time || stopped_) break;
  }
  const StorageAnswer& answer = first.answer;
  if (first.answered) {
    facts_.server = answer.header("server");
    facts_.looks_like = looks_like(answer);
    if (const ParsedTime there = parse_http_date(std::string(answer.header("date"))); there.ok) {
      // It tells whole seconds, of some moment between question and answer.
      const double half_way = to_seconds(answer.took) / 2;
      const auto apart = std::chrono::duration_cast<Duration>(answer.at - there.time);
      facts_.clock_ahead = to_seconds(apart) - half_way - 0.5;
      facts_.clock_error = half_way + 0.5;
    }
  }
  facts_.other_scheme = answer.other_scheme;
  facts_.access.ours = first.answered ? status_text(answer) : answer.problem;
  if (answer.error == StreamError::cancelled && stopped_) co_return;
  if (first.problem) {
    facts_.problem = first.problem->message;
    co_return;
  }
  const std::string& code = answer.error_document.code;
  facts_.bucket.exists = answer.status == 200 && code.empty();
  first_ = answer;
  if (first.no_listing) note_silence("LIST", preflight_silence, *first.no_listing);
  if (facts_.bucket.exists || code == "AccessDenied") co_return;
  facts_.bucket_missing = no_such_bucket(answer);
  facts_.right_region = expected_region(plan_, answer);
  facts_.problem = refusal(plan_, endpoint_, answer).message;
}

Task<StorageAnswer> Prober::ask(Asker& asker, const Question& question) {
  StorageAnswer answer;
  const auto hung = hung_.find(question.name);
  if (hung != hung_.end() && hung->second.times >= attempts && !tidying_) {
    answer.error = StreamError::cancelled;
    co_return answer;
  }
  const Duration patience =
      silent_.empty() && hung == hung_.end() ? Duration(preflight_silence) : short_patience;
  asker.set_patience(patience);
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    ++facts_.requests;
    answer = co_await asker.ask(question);
    if (answer.status == 0 || !is_retryable(answer.status, answer.error_document.code)) break;
    if (retries_left_ == 0) break;
    --retries_left_;
    const bool in_time = co_await pause_.until(now() + std::chrono::milliseconds(200U << attempt));
    if (!in_time || stopped_) break;
  }
  if (answer.status != 0) {
    silent_.clear();
    co_return answer;
  }
  note_silence(question.name, patience, answer);
  // One kind of question may hang alone.
  if (silent_.size() >= attempts && !stopped_ && !facts_.problem)
    facts_.problem = unreachable(endpoint_, answer).message;
  co_return answer;
}

void Prober::note_silence(std::string_view name, Duration patience, StorageAnswer& answer) {
  silent_.emplace(name);
  if (!answer.connected || answer.error != StreamError::timed_out) return;
  Hang& hang = hung_[std::string(name)];
  ++hang.times;
  hang.longest = std::max(hang.longest, patience);
  answer.problem = fmt::format("no answer for {}", format_duration(hang.longest));
}

Task<StorageAnswer> Prober::ask_admin(Asker& asker, const AdminRequest& request, std::string_view name) {
  std::string head;
  encode(request, plan_.bucket, asker.context(), head);
  const Question question{.name = name, .method = request.method, .head = head, .body = request.body};
  StorageAnswer answer = co_await ask(asker, question);
  co_return answer;
}

std::string Prober::new_key() {
  const KeyParts parts{.size = "1KB",
                       .pattern = "check",
                       .stamp = {unix_micros(wall_now()), static_cast<std::uint32_t>(random_.next())}};
  keys_.push_back(write_key(stem_, parts));
  return keys_.back();
}

Task<StorageAnswer> Prober::put(const Draft& draft) {
  last_key_ = new_key();
  SignedRequest request{.method = "PUT",
                        .bucket = plan_.bucket,
                        .key = last_key_,
                        .query = {},
                        .headers = draft.headers,
                        .unsigned_headers = {},
                        .payload_hash = draft.payload_hash};
  if (request.payload_hash.starts_with("STREAMING-")) {
    request.unsigned_headers.emplace_back("Transfer-Encoding", "chunked");
  } else {
    request.unsigned_headers.emplace_back("Content-Length", fmt::format("{}", draft.wire_body.size()));
  }
  if (draft.expect) request.unsigned_headers.emplace_back("Expect", "100-continue");
  std::string head;
  encode(request, asker_->context(), head);
  const Question question{
      .name = "PUT", .method = "PUT", .head = head, .body = draft.wire_body, .expect_continue = draft.expect};
  StorageAnswer answer = co_await ask(*asker_, question);
  note(last_key_, answer);
  co_return answer;
}

void Prober::note(const std::string& key, const StorageAnswer& answer) {
  if (answer.question == "PUT" && answer.status / 100 == 4) std::erase(keys_, key);
  const std::string_view version = answer.header("x-amz-version-id");
  if (answer.status / 100 != 2 || version.empty() || version == "null") return;
  saw_versions_ = true;
  versions_.push_back({key, std::string(version)});
}

Trial Prober::trial_of(const StorageAnswer& answer) {
  if (answer.status / 100 == 2 && answer.error_document.code.empty())
    return {.end = Trial::End::works, .said = {}};
  if (answer.error == StreamError::cancelled) return {};
  return {.end = Trial::End::fails, .said = answer.status != 0 ? status_text(answer) : answer.problem};
}

}  // namespace s3lt
