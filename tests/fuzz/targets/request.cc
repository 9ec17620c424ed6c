// What `serve` makes of a request before it does anything: head, framing, route, signature, body in its
// codings. The same wherever the bytes are cut, and never a byte beyond the request's end.
#include "server/request.h"

#include "fuzz/target.h"
#include "http/percent.h"
#include "server/authentication.h"
#include "server/body_decoder.h"

namespace s3lt::fuzz {
namespace {

using namespace server;

// The seeds are signed for this time.
constexpr std::int64_t seed_time = 1'770'206'400;  // 2026-02-04T12:00:00Z
constexpr std::uint64_t most_payload = 1 << 20;

struct Seen {
  http::HeadStatus status{};
  std::string problem, bucket, key, error, refusal, payload;
  Operation operation{};
  std::size_t head_size = 0, body_size = 0;
  bool complete = false, broken = false;
  bool operator==(const Seen&) const = default;
};

Authenticator& authenticator() {
  static Authenticator one({"testkey", "testsecret", ""}, "us-east-1");
  return one;
}

Seen receive(std::string_view text, Cuts cuts, bool cut_head) {
  Seen seen;
  Request request;
  // The head, as it grows.
  http::HeadParse parsed;
  std::size_t there = cut_head ? 0 : text.size();
  for (std::string_view rest = text;;) {
    if (cut_head && !rest.empty()) there += cuts.next(rest).size();
    parsed = http::parse_request_head(text.substr(0, there), request.head);
    if (parsed.status != http::HeadStatus::incomplete || there == text.size()) break;
  }
  seen.status = parsed.status;
  seen.problem = parsed.problem;
  require(seen.problem.empty() == (parsed.status != http::HeadStatus::malformed),
          "what is malformed says why");
  if (parsed.status != http::HeadStatus::complete) return seen;
  require(parsed.size <= there && parsed.size <= http::max_head_bytes, "a head is within what came");
  seen.head_size = parsed.size;
  request.framing = http::request_framing(request.head);
  if (!request.framing.problem.empty()) {
    seen.problem = request.framing.problem;
    return seen;
  }
  if (const auto error = route(request)) seen.error = error->code;
  seen.operation = request.operation;
  seen.bucket = request.bucket;
  seen.key = request.key;
  require(seen.key.find('\0') == seen.key.npos && seen.bucket.find('\0') == seen.bucket.npos,
          "no zero bytes in names");
  require(!seen.error.empty() || seen.key.size() <= 1024, "a key is not too long");
  if (const auto refusal = authenticator().verify(request, seed_time)) seen.refusal = refusal->error.code;

  BodyDecoder body(request, authenticator().signer(), authenticator().last_signature());
  std::string_view rest = text.substr(parsed.size);
  while (!rest.empty() && !body.complete() && !body.broken()) {
    std::string_view waiting = rest;
    const std::string_view piece = cuts.next(waiting);
    const std::size_t taken = body.feed(piece, [&](std::string_view bytes) -> std::optional<S3Error> {
      require(!bytes.empty(), "a sink gets bytes");
      if (seen.payload.size() + bytes.size() > most_payload) return errors::entity_too_large;
      seen.payload += bytes;
      return std::nullopt;
    });
    require(taken <= piece.size(), "a body takes no more than there is");
    require(taken == piece.size() || body.complete() || body.broken(), "a body takes all up to its end");
    rest.remove_prefix(taken);
    seen.body_size += taken;
  }
  require(seen.payload.size() <= seen.body_size, "no payload beyond what came");
  if (request.framing.kind == http::Framing::Kind::length)
    require(seen.body_size <= request.framing.length, "no body beyond its length");
  seen.complete = body.complete();
  seen.broken = body.broken();
  if (!body.complete()) {
    seen.payload.clear();  // how much of it came out depends on the cuts
    return seen;
  }
  const auto wrong = body.verify();
  if (wrong) {
    seen.error += std::string("/") + std::string(wrong->code);
    seen.payload.clear();
  } else if (body.announced()) {
    require(*body.announced() == seen.payload.size(), "a good body is as long as it said");
  }
  return seen;
}

}  // namespace

void request(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t seed = input.byte();
  const std::string_view text = input.text();
  const Seen whole = receive(text, Cuts(0), false), cut = receive(text, Cuts(seed), true);
  // A line that is wrong may be told before the head is whole: but not the other way round.
  require(whole == cut, "a request is the same wherever it is cut");
  if (whole.status == http::HeadStatus::complete && whole.refusal.empty()) {
    // A key that was let in is addressed by its own encoding.
    Request again;
    const std::string target = "/" + http::encode_value(whole.bucket) + "/" + http::encode_path(whole.key);
    again.head.method = "GET";
    again.head.target = target;
    if (!whole.key.empty() && !whole.bucket.empty() && whole.key.size() <= 1024 && target != "/-/faults" &&
        target != "/-/stats") {
      require(!route(again) && again.key == whole.key && again.bucket == whole.bucket,
              "a key's address is its own");
    }
  }
}

}  // namespace s3lt::fuzz
