// The operations of `serve` on a store of their own: pipelined requests, taken as authentic. Every answer is
// HTTP that the client's parser takes, every document XML that it reads, and the store stays within its
// bounds.
#include "server/handlers.h"

#include <pugixml.hpp>

#include "base/encoding.h"
#include "fuzz/target.h"
#include "s3/xml_document.h"

namespace s3lt::fuzz {
namespace {

using namespace server;

constexpr std::uint64_t capacity = 1 << 20;
constexpr int most_requests = 24;

const ContentPool& pool() {
  static const ContentPool one(64 * 1024);
  return one;
}

struct Serving {
  ObjectStore store{capacity};
  BucketCache buckets{store};
  AnswerContext context{1};
  Answer answer{context};
  Request request;
  Signer signer{{"testkey", "testsecret", ""}, "us-east-1"};
  std::string region = "us-east-1";

  Serving() {
    context.set_time(1'770'206'400);
    store.create("b", context.now());
  }

  // Takes one request off the text and answers it; false where there is none, or nothing may follow it.
  bool serve(std::string_view& text, Cuts& cuts);
  void check_answer();
};

void Serving::check_answer() {
  answer.finish(request.is_head());
  http::ResponseHead head;
  const std::string_view bytes = answer.head_bytes();
  const http::HeadParse parsed = http::parse_response_head(bytes, head);
  require(parsed.status == http::HeadStatus::complete && parsed.size == bytes.size(),
          "an answer's head is whole");
  require(head.status == answer.status(), "an answer's status is the one in its head");
  for (const http::Header& h : head.headers.all())
    require(h.value.find('\n') == h.value.npos, "no line feed in a header");
  const http::Framing framing = http::response_framing(head, request.head.method);
  require(framing.problem.empty() && framing.kind != http::Framing::Kind::until_close &&
              framing.kind != http::Framing::Kind::chunked,
          "an answer's end can be told");
  require(framing.length == answer.body_length(), "an answer's length is its body's");
  if (head.headers.find("content-type") == "application/xml" && answer.object() == nullptr &&
      answer.body_length() > 0) {
    pugi::xml_document document;
    require(load_xml(document, answer.text_body()), "a document is XML");
  }
  require(store.capacity().used() <= capacity, "the store stays within its capacity");
  answer.release();
}

bool Serving::serve(std::string_view& text, Cuts& cuts) {
  const http::HeadParse parsed = http::parse_request_head(text, request.head);
  if (parsed.status != http::HeadStatus::complete) return false;
  text.remove_prefix(parsed.size);
  request.framing = http::request_framing(request.head);
  if (!request.framing.problem.empty()) return false;
  const auto unroutable = route(request);
  const bool has_body = request.framing.kind != http::Framing::Kind::none;
  std::optional<BodyDecoder> body;
  if (has_body || takes_body(request.operation)) body.emplace(request, signer, Signature{});
  Exchange exchange{request, answer, store, buckets, pool(), region};
  std::unique_ptr<BodyHandler> handler;
  if (unroutable) {
    answer.error(*unroutable, request.path);
  } else if (request.operation == Operation::introspection) {
    return false;
  } else if (body && body->error()) {
    answer.error(*body->error(), request.path);
  } else {
    handler = handle(exchange, body ? &*body : nullptr);
  }
  std::uint64_t received = 0;
  while (body && !text.empty() && !body->complete() && !body->broken()) {
    std::string_view waiting = text;
    const std::string_view piece = cuts.next(waiting);
    text.remove_prefix(body->feed(piece, [&](std::string_view bytes) {
      received += bytes.size();
      return handler ? handler->take(bytes) : std::optional<S3Error>();
    }));
  }
  if (body && !body->complete()) return false;  // the connection ended in it
  if (handler) {
    if (const auto wrong = body->verify()) {
      answer.error(*wrong, request.path);
    } else {
      handler->finish(exchange, *body);
      if (request.operation == Operation::put_object && answer.status() == 200) {
        const auto& bucket = buckets.find(request.bucket);
        const ObjectPtr object = bucket ? bucket->find(request.key, hash64(request.key)) : nullptr;
        require(object != nullptr && object->content.size == received, "what was stored is there");
      }
    }
  }
  check_answer();
  return true;
}

}  // namespace

void handlers(std::string_view bytes) {
  Input input(bytes);
  Cuts cuts(input.byte());
  std::string_view text = input.text();
  Serving serving;
  for (int i = 0; i < most_requests && serving.serve(text, cuts); ++i) {
  }
}

}  // namespace s3lt::fuzz
