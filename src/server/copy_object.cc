// CopyObject and UploadPartCopy: bytes that come from another object.
#include <charconv>

#include "base/encoding.h"
#include "http/percent.h"
#include "server/attributes.h"
#include "server/byte_keeper.h"
#include "server/conditions.h"
#include "server/handlers.h"

namespace s3lt::server {
namespace {

// Finds what x-amz-copy-source names ("/bucket/key?versionId=null", percent-encoded) and holds the request's
// conditions against it.
std::optional<S3Error> find_source(Exchange& exchange, std::string& bucket_name, ObjectPtr& out) {
  const http::Headers& headers = exchange.request.head.headers;
  std::string_view text = headers.find("x-amz-copy-source");
  constexpr std::string_view version = "?versionId=";
  if (const std::size_t mark = text.rfind(version); mark != text.npos) {
    // Nothing has versions here; every object is the one without.
    if (text.substr(mark + version.size()) != "null") return errors::no_such_version;
    text = text.substr(0, mark);
  }
  const S3Error malformed{"InvalidArgument", 400,
                          "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"};
  const auto decoded = http::decode(text);
  if (!decoded) return malformed;
  std::string_view path = *decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  if (slash == 0 || slash == path.npos || slash + 1 == path.size()) return malformed;
  bucket_name = path.substr(0, slash);
  const std::string_view key = path.substr(slash + 1);
  const auto bucket = exchange.store.find(bucket_name);
  if (!bucket) return errors::no_such_bucket;
  out = bucket->find(key, hash64(key));
  if (!out) return errors::no_such_key;
  if (check_source_conditions(headers, *out) != 200) return errors::precondition_failed;
  return std::nullopt;
}

Checksum checksum_of(const KeptBytes& kept, std::uint64_t size, ChecksumAlgorithm algorithm) {
  ChecksumStream stream(algorithm);
  stream.update({kept.data.get(), size});
  return stream.finish();
}

// Content, bytes and checksum of the copy. Kept bytes are shared by all copies. What a key says is another
// matter under another key: there a recognised object becomes bytes.
std::optional<S3Error> copy_bytes(Exchange& exchange, const Object& source, Object& copy) {
  copy.content = {.key_hash = exchange.request.key_hash, .size = source.size()};
  copy.checksum = source.checksum;
  copy.bytes = source.bytes;
  if (source.recognised() && source.key == copy.key) {
    copy.content = source.content;
  } else if (source.recognised()) {
    ByteKeeper keeper(exchange.store.capacity());
    if (!keeper.reserve(source.size()) || !keeper.append_object(exchange.pool, source, 0, source.size()))
      return errors::insufficient_storage;
    copy.bytes = keeper.finish();
  }
  const std::string_view wanted = exchange.request.head.headers.find("x-amz-checksum-algorithm");
  if (wanted.empty()) return std::nullopt;
  const auto algorithm = find_checksum_algorithm(wanted);
  if (!algorithm) return S3Error{"InvalidRequest", 400, "Checksum algorithm provided is unsupported."};
  if (copy.recognised()) return std::nullopt;  // nothing but its attributes is new
  copy.checksum = checksum_of(*copy.bytes, copy.size(), *algorithm);
  return std::nullopt;
}

void tell_copy(Exchange& exchange, std::string_view root, std::string_view tag, const Checksum& checksum,
               std::string_view checksum_value) {
  std::string& xml = begin_xml(exchange.answer, root);
  xml += "<LastModified>";
  exchange.answer.context().time_text().append_iso(xml, exchange.now());
  xml += "</LastModified>";
  append_element(xml, "ETag", tag);
  if (checksum) append_element(xml, checksum_element(checksum.algorithm), checksum_value);
  xml.append("</").append(root).append(">");
}

// "bytes=0-99", both ends given and within the source.
bool parse_source_range(std::string_view text, std::uint64_t size, Range& out) {
  if (text.ends_with('-') || text.starts_with("bytes=-")) return false;
  out = parse_range(text, size);
  if (out.kind != Range::Kind::part) return false;
  const std::string_view last = text.substr(text.find('-') + 1);
  std::uint64_t end = 0;
  std::from_chars(last.data(), last.data() + last.size(), end);
  return end < size;
}

}  // namespace

void copy_object(Exchange& exchange) {
  const Request& request = exchange.request;
  const http::Headers& headers = request.head.headers;
  const auto bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  if (const auto unkept = refuse_unkept_headers(headers)) return exchange.error(*unkept);
  const std::string_view if_none_match = headers.find("if-none-match");
  if (headers.has("if-match") || (!if_none_match.empty() && if_none_match != "*"))
    return exchange.error(errors::not_implemented);
  const std::string_view directive = headers.find("x-amz-metadata-directive");
  const bool replace = directive == "REPLACE";
  if (!directive.empty() && !replace && directive != "COPY")
    return exchange.error({"InvalidArgument", 400, "Unknown metadata directive."});
  std::string source_bucket;
  ObjectPtr source;
  if (const auto problem = find_source(exchange, source_bucket, source)) return exchange.error(*problem);
  if (!replace && source_bucket == request.bucket && source->key == request.key) {
    return exchange.error({"InvalidRequest", 400,
                           "This copy request is illegal because it is trying to copy an object to itself "
                           "without changing the object's metadata, storage class, website redirect "
                           "location or encryption attributes."});
  }
  if (source->size() > max_put_bytes) {
    return exchange.error({"InvalidRequest", 400,
                           "The specified copy source is larger than the maximum allowable size for a copy "
                           "source: 5368709120"});
  }
  auto object = std::make_unique<Object>();
  object->key = request.key;
  object->modified = exchange.now();
  object->attributes = source->attributes;
  if (replace) {
    auto attributes = read_attributes(headers);
    if (!attributes) return exchange.error(errors::metadata_too_large);
    object->attributes = std::move(*attributes);
  }
  if (const auto problem = copy_bytes(exchange, *source, *object)) return exchange.error(*problem);
  const ObjectPtr stored(object.release());
  switch (bucket->put(stored, !if_none_match.empty())) {
    case Bucket::Put::bucket_gone:
      return exchange.error(errors::no_such_bucket);
    case Bucket::Put::exists:
      return exchange.error(errors::precondition_failed);
    case Bucket::Put::stored:
      break;
  }
  tell_copy(exchange, "CopyObjectResult", etag(*stored), stored->checksum, checksum_text(*stored));
}

void upload_part_copy(Exchange& exchange) {
  const Request& request = exchange.request;
  const http::Headers& headers = request.head.headers;
  const auto bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  unsigned number = 0;
  if (const auto problem = read_part_number(request, number)) return exchange.error(*problem);
  const std::string& id = *request.parameter("uploadId");
  const auto upload = bucket->uploads().find(request.key, id);
  if (!upload) return exchange.error(errors::no_such_upload);
  std::string source_bucket;
  ObjectPtr source;
  if (const auto problem = find_source(exchange, source_bucket, source)) return exchange.error(*problem);
  Range range{Range::Kind::whole, 0, source->size()};
  const std::string_view text = headers.find("x-amz-copy-source-range");
  if (!text.empty() && !parse_source_range(text, source->size(), range)) {
    return exchange.error({"InvalidArgument", 400,
                           "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                           "first and last are the zero-based offsets of bytes within the source"});
  }
  if (range.length > max_put_bytes) return exchange.error(errors::entity_too_large);
  ByteKeeper keeper(exchange.store.capacity());
  if (!keeper.reserve(range.length) ||
      !keeper.append_object(exchange.pool, *source, range.begin, range.length))
    return exchange.error(errors::insufficient_storage);
  Part part{.facts = {}, .content = {}, .bytes = keeper.finish()};
  part.facts = {.number = number, .md5 = part.bytes->md5, .size = range.length, .modified = exchange.now()};
  if (upload->algorithm != ChecksumAlgorithm::none)
    part.facts.checksum = checksum_of(*part.bytes, range.length, upload->algorithm);
  const PartFacts facts = part.facts;
  if (!bucket->uploads().put_part(request.key, id, std::move(part)))
    return exchange.error(errors::no_such_upload);
  tell_copy(exchange, "CopyPartResult", etag(facts), facts.checksum, facts.checksum.base64());
}

}  // namespace s3lt::server
