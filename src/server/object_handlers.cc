// PUT, GET, HEAD and DELETE of one object.
#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/units.h"
#include "server/handlers.h"

namespace s3lt::server {
namespace {

constexpr std::uint64_t max_object_bytes = 5 * GiB;  // of a single PUT
constexpr std::size_t max_metadata_bytes = 2048;

struct Range {
  enum class Kind { whole, part, unsatisfiable } kind = Kind::whole;
  std::uint64_t begin = 0, length = 0;
};

bool parse_digits(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

// One range of bytes (RFC 9110, 14.1.2); anything else is ignored, as S3 does.
Range parse_range(std::string_view text, std::uint64_t size) {
  const Range whole{Range::Kind::whole, 0, size};
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit)) return whole;
  text.remove_prefix(unit.size());
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return whole;
  std::uint64_t first = 0, last = 0;
  if (dash == 0) {
    if (!parse_digits(text.substr(1), last)) return whole;
    if (last == 0 || size == 0) return {Range::Kind::unsatisfiable};
    const std::uint64_t n = std::min(last, size);
    return {Range::Kind::part, size - n, n};
  }
  if (!parse_digits(text.substr(0, dash), first)) return whole;
  const std::string_view end = text.substr(dash + 1);
  if (end.empty()) {
    last = UINT64_MAX;
  } else if (!parse_digits(end, last) || last < first) {
    return whole;
  }
  if (first >= size) return {Range::Kind::unsatisfiable};
  return {Range::Kind::part, first, std::min(last, size - 1) - first + 1};
}

bool lists_etag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    // S3 takes ETags without quotes, too.
    if (item == "*" || item == tag || item == tag.substr(1, tag.size() - 2)) return true;
  }
  return false;
}

// Nothing where the date cannot be read: such a header is ignored (RFC 9110, 13.1.3).
std::optional<std::int64_t> parse_seconds(std::string_view date) {
  const ParsedTime parsed = parse_http_date(std::string(date));
  if (!parsed.ok) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(parsed.time).time_since_epoch().count();
}

// The status that the request's conditions lead to: 200, 304 or 412 (RFC 9110, 13.2.2).
int check_conditions(const http::Headers& headers, const Object& object) {
  const std::string_view if_match = headers.find("if-match"), if_none_match = headers.find("if-none-match");
  if (!if_match.empty()) {
    if (!lists_etag(if_match, etag(object))) return 412;
  } else if (const std::string_view text = headers.find("if-unmodified-since"); !text.empty()) {
    const auto date = parse_seconds(text);
    if (date && object.modified > *date) return 412;
  }
  if (!if_none_match.empty()) {
    if (lists_etag(if_none_match, etag(object))) return 304;
  } else if (const std::string_view text = headers.find("if-modified-since"); !text.empty()) {
    const auto date = parse_seconds(text);
    if (date && object.modified <= *date) return 304;
  }
  return 200;
}

void append_object_headers(Answer& answer, const Object& object) {
  std::string& head = answer.head();
  head += "ETag: ";
  append_etag(head, object);
  head += "\r\nLast-Modified: ";
  answer.context().time_text().append_http(head, object.modified);
  head += "\r\nAccept-Ranges: bytes\r\n";
  const Attributes* attributes = object.attributes.get();
  const bool typed = attributes != nullptr && !attributes->content_type.empty();
  answer.header("Content-Type", typed ? std::string_view(attributes->content_type) : "binary/octet-stream");
  if (attributes == nullptr) return;
  for (const auto& [name, value] : attributes->headers) answer.header(name, value);
}

bool is_kept_header(std::string_view name) {
  for (const std::string_view kept :
       {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"}) {
    if (http::iequals(name, kept)) return true;
  }
  return false;
}

// minio sends this with every PUT: one for all.
const std::shared_ptr<const Attributes>& octet_stream() {
  static const auto shared = std::make_shared<const Attributes>(Attributes{"application/octet-stream", {}});
  return shared;
}

// Nothing where the metadata is larger than S3 takes.
std::optional<std::shared_ptr<const Attributes>> read_attributes(const http::Headers& headers) {
  Attributes attributes;
  std::size_t metadata = 0;
  for (const http::Header& h : headers.all()) {
    if (http::iequals(h.name, "content-type")) {
      attributes.content_type = h.value;
      continue;
    }
    const bool user = h.name.size() > 11 && http::iequals(h.name.substr(0, 11), "x-amz-meta-");
    if (!user && !is_kept_header(h.name)) continue;
    std::string name(h.name), value(h.value);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (user) metadata += name.size() - 11 + value.size();
    if (name == "content-encoding") {
      // aws-chunked was the coding of the request, not of the object.
      if (value.starts_with("aws-chunked"))
        value.erase(0, std::min(value.size(), std::string("aws-chunked,").size()));
      value.erase(0, value.find_first_not_of(' '));
      if (value.empty()) continue;
    }
    attributes.headers.emplace_back(std::move(name), std::move(value));
  }
  if (metadata > max_metadata_bytes) return std::nullopt;
  if (attributes.headers.empty()) {
    if (attributes.content_type.empty()) return std::shared_ptr<const Attributes>();
    if (attributes.content_type == octet_stream()->content_type) return octet_stream();
  }
  return std::make_shared<const Attributes>(std::move(attributes));
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
    if (incoming_.received() + bytes.size() > max_object_bytes) return errors::entity_too_large;
    if (!incoming_.append(as_bytes(bytes))) return errors::insufficient_storage;
    return std::nullopt;
  }

  void finish(Exchange& exchange, const BodyDecoder& body) override {
    const auto& bucket = exchange.buckets.find(exchange.request.bucket);
    if (!bucket) return exchange.error(errors::no_such_bucket);
    std::unique_ptr<Object> object = incoming_.finish();
    object->modified = exchange.now();
    object->attributes = std::move(attributes_);
    if (const auto crc = body.client_crc32()) {
      object->crc32 = *crc;
      object->has_crc32 = true;
    }
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
    if (stored->has_crc32) exchange.answer.header("x-amz-checksum-crc32", crc32_base64(stored->crc32));
  }

 private:
  IncomingObject incoming_;
  std::shared_ptr<const Attributes> attributes_;
  bool only_new_;
};

}  // namespace

void get_object(Exchange& exchange) {
  const Request& request = exchange.request;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  ObjectPtr object = bucket->find(request.key, request.key_hash);
  if (!object) return exchange.error(errors::no_such_key);
  show_object(exchange, std::move(object));
}

void show_object(Exchange& exchange, ObjectPtr object) {
  const http::Headers& headers = exchange.request.head.headers;
  Answer& answer = exchange.answer;
  const int status = check_conditions(headers, *object);
  if (status == 412) return exchange.error(errors::precondition_failed);
  if (status == 304) {
    answer.start(304);
    append_object_headers(answer, *object);
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
  append_object_headers(answer, *object);
  if (part) {
    answer.header("Content-Range",
                  fmt::format("bytes {}-{}/{}", range.begin, range.begin + range.length - 1, size));
  } else if (object->has_crc32 && headers.find("x-amz-checksum-mode") == "ENABLED") {
    answer.header("x-amz-checksum-crc32", crc32_base64(object->crc32));
    answer.header("x-amz-checksum-type", "FULL_OBJECT");
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
  if (headers.has("x-amz-copy-source") || headers.has("if-match")) return fail(errors::not_implemented);
  const std::string_view if_none_match = headers.find("if-none-match");
  if (!if_none_match.empty() && if_none_match != "*") return fail(errors::not_implemented);
  if (!headers.has("content-length") && !headers.has("transfer-encoding"))
    return fail(errors::missing_content_length);
  if (body.announced() && *body.announced() > max_object_bytes) return fail(errors::entity_too_large);
  auto attributes = read_attributes(headers);
  if (!attributes) {
    return fail({"MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size"});
  }
  return std::make_unique<PutObject>(exchange, body.announced(), std::move(*attributes),
                                     !if_none_match.empty());
}

}  // namespace s3lt::server
