// PUT, GET, HEAD and DELETE of one object.
#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "server/attributes.h"
#include "server/conditions.h"
#include "server/handlers.h"
#include "server/incoming_object.h"

namespace s3lt::server {
namespace {

// What a GET may ask to be answered instead of what the object has: query parameter and header.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> overrides = {{
    {"response-content-type", "content-type"},
    {"response-cache-control", "cache-control"},
    {"response-content-disposition", "content-disposition"},
    {"response-content-encoding", "content-encoding"},
    {"response-content-language", "content-language"},
    {"response-expires", "expires"},
}};

// A header of the object, unless the request overrides it.
void append_header(Answer& answer, const Request& request, std::string_view name, std::string_view value) {
  for (const auto& [parameter, header] : overrides) {
    if (header == name && request.parameter(parameter) != nullptr) return;
  }
  answer.header(name, value);
}

// Nothing that would begin a line of its own.
bool is_header_text(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

void append_object_headers(Answer& answer, const Request& request, const Object& object) {
  std::string& head = answer.head();
  head += "ETag: ";
  append_etag(head, object);
  head += "\r\nLast-Modified: ";
  answer.context().time_text().append_http(head, object.modified);
  head += "\r\nAccept-Ranges: bytes\r\n";
  const Attributes* attributes = object.attributes.get();
  const bool typed = attributes != nullptr && !attributes->content_type.empty();
  append_header(answer, request, "content-type",
                typed ? std::string_view(attributes->content_type) : "binary/octet-stream");
  if (attributes != nullptr) {
    for (const auto& [name, value] : attributes->headers) append_header(answer, request, name, value);
  }
  if (request.parameters.empty()) return;
  for (const auto& [parameter, header] : overrides) {
    const std::string* value = request.parameter(parameter);
    if (value != nullptr && is_header_text(*value)) answer.header(header, *value);
  }
}

class PutObject final : public BodyHandler {
 public:
  PutObject(Exchange& exchange, std::optional<std::uint64_t> size,
            std::shared_ptr<const Attributes> attributes, bool only_new)
      : incoming_(exchange.pool, exchange.store.capacity(), exchange.request.key, exchange.request.key_hash,
                  size),
        attributes_(std::move(attributes)),
        only_new_(only_new) {}

  std::optional<S3Error> take(std::string_view bytes) override {
    if (incoming_.received() + bytes.size() > max_put_bytes) return errors::entity_too_large;
    if (!incoming_.append(as_bytes(bytes))) return errors::insufficient_storage;
    return std::nullopt;
  }

  void finish(Exchange& exchange, const BodyDecoder& body) override {
    const auto& bucket = exchange.buckets.find(exchange.request.bucket);
    if (!bucket) return exchange.error(errors::no_such_bucket);
    std::unique_ptr<Object> object = incoming_.finish();
    object->modified = exchange.now();
    object->attributes = std::move(attributes_);
    object->checksum = body.checksum();
    const ObjectPtr stored(object.release());
    switch (bucket->put(stored, only_new_)) {
      case Bucket::Put::bucket_gone:
        return exchange.error(errors::no_such_bucket);
      case Bucket::Put::exists:
        return exchange.error(errors::precondition_failed);
      case Bucket::Put::stored:
        break;
    }
    exchange.answer.start(200);
    std::string& head = exchange.answer.head();
    head += "ETag: ";
    append_etag(head, *stored);
    head += "\r\n";
    append_checksum_header(exchange.answer, *stored);
  }

 private:
  IncomingObject incoming_;
  std::shared_ptr<const Attributes> attributes_;
  bool only_new_;
};

}  // namespace

void append_checksum_header(Answer& answer, const Object& object) {
  if (!object.checksum) return;
  answer.header(checksum_header(object.checksum.algorithm), checksum_text(object));
  answer.header("x-amz-checksum-type", object.checksum.type());
}

void get_object(Exchange& exchange) {
  const Request& request = exchange.request;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  ObjectPtr object = bucket->find(request.key, request.key_hash);
  if (!object) return exchange.error(errors::no_such_key);
  show_object(exchange, std::move(object));
}

void show_object(Exchange& exchange, ObjectPtr object) {
  const Request& request = exchange.request;
  const http::Headers& headers = request.head.headers;
  Answer& answer = exchange.answer;
  const int status = check_conditions(headers, *object);
  if (status == 412) return exchange.error(errors::precondition_failed);
  if (status == 304) {
    answer.start(304);
    append_object_headers(answer, request, *object);
    return;
  }
  const std::uint64_t size = object->size();
  Range range{Range::Kind::whole, 0, size};
  if (const std::string_view text = headers.find("range"); !text.empty()) range = parse_range(text, size);
  if (range.kind == Range::Kind::unsatisfiable) {
    std::string details;
    append_element(details, "RangeRequested", headers.find("range"));
    append_element(details, "ActualObjectSize", std::to_string(size));
    exchange.error(errors::invalid_range, details);
    return answer.header("Content-Range", "bytes */" + std::to_string(size));
  }
  const bool part = range.kind == Range::Kind::part;
  answer.start(part ? 206 : 200);
  append_object_headers(answer, request, *object);
  if (part) {
    answer.header("Content-Range",
                  fmt::format("bytes {}-{}/{}", range.begin, range.begin + range.length - 1, size));
  } else if (headers.find("x-amz-checksum-mode") == "ENABLED") {
    append_checksum_header(answer, *object);
  }
  answer.object_body(std::move(object), range.begin, range.length);
}

void delete_object(Exchange& exchange) {
  const auto& bucket = exchange.buckets.find(exchange.request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  bucket->erase(exchange.request.key, exchange.request.key_hash);
  exchange.answer.start(204);
}

std::unique_ptr<BodyHandler> put_object(Exchange& exchange, const BodyDecoder& body) {
  const http::Headers& headers = exchange.request.head.headers;
  const auto fail = [&](const S3Error& e) {
    exchange.error(e);
    return nullptr;
  };
  if (!exchange.buckets.find(exchange.request.bucket)) return fail(errors::no_such_bucket);
  if (headers.has("if-match")) return fail(errors::not_implemented);
  if (const auto unkept = refuse_unkept_headers(headers)) return fail(*unkept);
  const std::string_view if_none_match = headers.find("if-none-match");
  if (!if_none_match.empty() && if_none_match != "*") return fail(errors::not_implemented);
  if (!headers.has("content-length") && !headers.has("transfer-encoding"))
    return fail(errors::missing_content_length);
  if (body.announced() && *body.announced() > max_put_bytes) return fail(errors::entity_too_large);
  auto attributes = read_attributes(headers);
  if (!attributes) return fail(errors::metadata_too_large);
  return std::make_unique<PutObject>(exchange, body.announced(), std::move(*attributes),
                                     !if_none_match.empty());
}

}  // namespace s3lt::server
