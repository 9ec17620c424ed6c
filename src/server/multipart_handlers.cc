// The life of a multipart upload: created, given parts, completed or aborted. Its lists are in
// multipart_lists.cc, parts that are copied in copy_object.cc.
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "base/units.h"
#include "http/percent.h"
#include "s3/xml_document.h"
#include "server/attributes.h"
#include "server/byte_keeper.h"
#include "server/handlers.h"
#include "server/incoming_part.h"
#include "server/text_body.h"

namespace s3lt::server {
namespace {

// 10,000 parts with their checksums.
constexpr std::size_t max_list_bytes = 8 * MiB;

S3Error invalid_request(std::string_view message) {
  return {"InvalidRequest", 400, message};
}

class UploadPart final : public BodyHandler {
 public:
  UploadPart(Exchange& exchange, unsigned number, std::optional<std::uint64_t> size)
      : incoming_(exchange.pool, exchange.store.capacity(), exchange.request.key_hash, size), number_(number) {}

  std::optional<S3Error> take(std::string_view bytes) override {
    if (incoming_.received() + bytes.size() > max_put_bytes) return errors::entity_too_large;
    if (!incoming_.append(as_bytes(bytes))) return errors::insufficient_storage;
    return std::nullopt;
  }

  void finish(Exchange& exchange, const BodyDecoder& body) override {
    const Request& request = exchange.request;
    const auto& bucket = exchange.buckets.find(request.bucket);
    if (!bucket) return exchange.error(errors::no_such_bucket);
    Part part = incoming_.finish();
    part.facts.number = number_;
    part.facts.modified = exchange.now();
    part.facts.checksum = body.checksum();
    const PartFacts facts = part.facts;
    if (!bucket->uploads().put_part(request.key, *request.parameter("uploadId"), std::move(part)))
      return exchange.error(errors::no_such_upload);
    exchange.answer.start(200);
    exchange.answer.header("ETag", etag(facts));
    if (facts.checksum)
      exchange.answer.header(checksum_header(facts.checksum.algorithm), facts.checksum.base64());
  }

 private:
  IncomingPart incoming_;
  unsigned number_;
};

// The object that recognised parts make together: all of it, in order. Nothing where they do not.
std::optional<ObjectContent> recognised_whole(const std::vector<Part>& parts) {
  const ObjectContent& content = parts.front().content.content;
  std::uint64_t end = 0;
  for (const Part& part : parts) {
    if (part.bytes || part.content.content != content || part.content.offset != end) return std::nullopt;
    end += part.facts.size;
  }
  return end == content.size ? std::optional(content) : std::nullopt;
}

// Writes out the parts that were recognised, where the whole is not. False: there is no room.
bool write_out(std::vector<Part>& parts, const ContentPool& pool, Capacity& capacity) {
  for (Part& part : parts) {
    if (part.bytes) continue;
    ByteKeeper keeper(capacity);
    if (!keeper.reserve(part.facts.size)) return false;
    keeper.append_content(pool, part.content.content, part.content.offset, part.facts.size);
    const Md5 told = part.facts.md5;
    part.bytes = keeper.finish();
    part.bytes->md5 = told;
  }
  return true;
}

// The parts in one piece. Each part is freed as soon as it was copied: together with the whole, whose memory
// is only taken as it is written, they need no more room than one part more.
std::unique_ptr<KeptBytes> join(std::vector<Part>& parts, std::uint64_t& size) {
  auto whole = std::make_unique<KeptBytes>();
  size = 0;
  for (const Part& part : parts) size += part.facts.size;
  whole->data = std::make_unique_for_overwrite<std::byte[]>(size);
  whole->parts = static_cast<std::uint32_t>(parts.size());
  Md5Stream md5;
  std::uint64_t at = 0;
  for (Part& part : parts) {
    if (part.facts.size > 0) std::memcpy(whole->data.get() + at, part.bytes->data.get(), part.facts.size);
    at += part.facts.size;
    md5.update(part.facts.md5);
    whole->reservation.absorb(std::move(part.bytes->reservation));
    part.bytes.reset();
  }
  whole->md5 = md5.finish();
  return whole;
}

class CompleteUpload final : public TextBody {
 public:
  CompleteUpload(bool only_new, ExpectedObject expected)
      : TextBody(max_list_bytes), only_new_(only_new), expected_(std::move(expected)) {}

  void finish(Exchange& exchange, const BodyDecoder&) override {
    const Request& request = exchange.request;
    const auto& bucket = exchange.buckets.find(request.bucket);
    if (!bucket) return exchange.error(errors::no_such_bucket);
    if (!parse()) return exchange.error(errors::malformed_xml);
    // Asked beforehand, since the upload has to stay as it is then.
    if (only_new_ && bucket->find(request.key, request.key_hash))
      return exchange.error(errors::precondition_failed);
    auto taken = bucket->uploads().take(request.key, *request.parameter("uploadId"), named_, expected_,
                                         exchange.pool);
    if (taken.error) return exchange.error(*taken.error);

    auto object = std::make_unique<Object>();
    object->key = request.key;
    if (const auto content = recognised_whole(taken.parts)) {
      object->content = *content;
      object->parts = static_cast<std::uint32_t>(taken.parts.size());
    } else {
      if (!write_out(taken.parts, exchange.pool, exchange.store.capacity())) {
        bucket->uploads().put_back(std::move(taken));
        return exchange.error(errors::insufficient_storage);
      }
      std::uint64_t size = 0;
      object->bytes = join(taken.parts, size);
      object->content = {.key_hash = request.key_hash, .size = size};
    }
    object->checksum = taken.checksum;
    object->modified = exchange.now();
    object->attributes = taken.facts.attributes;
    const ObjectPtr stored(object.release());
    switch (bucket->put(stored, only_new_)) {
      case Bucket::Put::bucket_gone:
        return exchange.error(errors::no_such_bucket);
      case Bucket::Put::exists:
        return exchange.error({"ConditionalRequestConflict", 409,
                               "The object was made by another request meanwhile; the upload is gone."});
      case Bucket::Put::stored:
        break;
    }
    tell(exchange, *stored);
  }

 private:
  void tell(Exchange& exchange, const Object& object) {
    const Request& request = exchange.request;
    std::string& xml = begin_xml(exchange.answer, "CompleteMultipartUploadResult");
    std::string location = "http://";
    location.append(request.head.headers.find("host")).append("/").append(request.bucket).append("/");
    http::append_path(location, request.key);
    append_element(xml, "Location", location);
    append_element(xml, "Bucket", request.bucket);
    append_element(xml, "Key", request.key);
    append_element(xml, "ETag", etag(object));
    if (object.checksum) {
      append_element(xml, checksum_element(object.checksum.algorithm), checksum_text(object));
      append_element(xml, "ChecksumType", object.checksum.type());
    }
    xml += "</CompleteMultipartUploadResult>";
  }

  bool parse() {
    pugi::xml_document document;
    if (!load_xml(document, text_)) return false;
    const pugi::xml_node root = document.document_element();
    if (xml_name(root) != "CompleteMultipartUpload") return false;
    for (const pugi::xml_node& node : root.children()) {
      if (node.type() != pugi::node_element) continue;
      if (xml_name(node) != "Part") return false;
      NamedPart part;
      for (const pugi::xml_node& field : node.children()) {
        const std::string_view name = xml_name(field);
        std::string text = xml_text(field);
        if (name == "PartNumber") {
          const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part.number);
          if (error != std::errc() || end != text.data() + text.size()) return false;
        } else if (name == "ETag") {
          part.etag = std::move(text);
        } else if (name.starts_with("Checksum")) {
          part.checksum = std::move(text);
        }
      }
      if (part.number == 0 || part.etag.empty()) return false;
      named_.push_back(std::move(part));
    }
    return !named_.empty() && named_.size() <= max_part_number;
  }

  bool only_new_;
  ExpectedObject expected_;
  std::vector<NamedPart> named_;
};

std::optional<S3Error> read_expected(const http::Headers& headers, ExpectedObject& expected) {
  for (const ChecksumAlgorithm a :
       {ChecksumAlgorithm::crc32, ChecksumAlgorithm::crc32c, ChecksumAlgorithm::crc64nvme,
        ChecksumAlgorithm::sha1, ChecksumAlgorithm::sha256}) {
    const std::string_view value = headers.find(checksum_header(a));
    if (value.empty()) continue;
    expected.algorithm = a;
    expected.checksum = value;
  }
  const std::string_view size = headers.find("x-amz-mp-object-size");
  if (size.empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), expected.size.emplace());
  if (error == std::errc() && end == size.data() + size.size()) return std::nullopt;
  return errors::invalid_argument;
}

// What the request says about the checksum of the object to come.
std::optional<S3Error> read_algorithm(const http::Headers& headers, UploadFacts& upload) {
  const std::string_view name = headers.find("x-amz-checksum-algorithm"),
                         type = headers.find("x-amz-checksum-type");
  if (name.empty()) {
    if (type.empty()) return std::nullopt;
    return invalid_request("The x-amz-checksum-type header needs an x-amz-checksum-algorithm header.");
  }
  const auto algorithm = find_checksum_algorithm(name);
  if (!algorithm) return invalid_request("Checksum algorithm provided is unsupported.");
  upload.algorithm = *algorithm;
  const bool crc64 = *algorithm == ChecksumAlgorithm::crc64nvme;
  upload.composite = type.empty() ? !crc64 : http::iequals(type, "COMPOSITE");
  if (!type.empty() && !upload.composite && !http::iequals(type, "FULL_OBJECT"))
    return invalid_request("Value for x-amz-checksum-type header is invalid.");
  if ((upload.composite && crc64) || (!upload.composite && !is_crc(*algorithm)))
    return invalid_request("This x-amz-checksum-type cannot be used with this x-amz-checksum-algorithm.");
  return std::nullopt;
}

}  // namespace

std::optional<S3Error> read_part_number(const Request& request, unsigned& number) {
  const std::string& text = *request.parameter("partNumber");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= max_part_number)
    return std::nullopt;
  return S3Error{"InvalidArgument", 400, "Part number must be an integer between 1 and 10000, inclusive"};
}

void create_multipart_upload(Exchange& exchange) {
  const Request& request = exchange.request;
  const http::Headers& headers = request.head.headers;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  if (const auto unkept = refuse_unkept_headers(headers)) return exchange.error(*unkept);
  UploadFacts upload{.key = request.key, .initiated = exchange.now()};
  if (const auto problem = read_algorithm(headers, upload)) return exchange.error(*problem);
  auto attributes = read_attributes(headers);
  if (!attributes) return exchange.error(errors::metadata_too_large);
  upload.attributes = std::move(*attributes);
  const ChecksumAlgorithm algorithm = upload.algorithm;
  const bool composite = upload.composite;
  const std::string id = bucket->uploads().create(std::move(upload));

  std::string& xml = begin_xml(exchange.answer, "InitiateMultipartUploadResult");
  if (algorithm != ChecksumAlgorithm::none) {
    exchange.answer.header("x-amz-checksum-algorithm", checksum_name(algorithm));
    exchange.answer.header("x-amz-checksum-type", Checksum{.composite = composite}.type());
  }
  append_element(xml, "Bucket", request.bucket);
  append_element(xml, "Key", request.key);
  append_element(xml, "UploadId", id);
  xml += "</InitiateMultipartUploadResult>";
}

std::unique_ptr<BodyHandler> upload_part(Exchange& exchange, const BodyDecoder& body) {
  const Request& request = exchange.request;
  const http::Headers& headers = request.head.headers;
  const auto fail = [&](const S3Error& e) {
    exchange.error(e);
    return nullptr;
  };
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return fail(errors::no_such_bucket);
  unsigned number = 0;
  if (const auto problem = read_part_number(request, number)) return fail(*problem);
  const auto upload = bucket->uploads().find(request.key, *request.parameter("uploadId"));
  if (!upload) return fail(errors::no_such_upload);
  if (!headers.has("content-length") && !headers.has("transfer-encoding"))
    return fail(errors::missing_content_length);
  if (body.announced() && *body.announced() > max_put_bytes) return fail(errors::entity_too_large);
  if (upload->algorithm != ChecksumAlgorithm::none && upload->algorithm != body.checksum_algorithm())
    return fail(
        invalid_request("Checksum Type mismatch occurred: every part needs the checksum that the "
                        "upload was created with."));
  return std::make_unique<UploadPart>(exchange, number, body.announced());
}

std::unique_ptr<BodyHandler> complete_multipart_upload(Exchange& exchange, const BodyDecoder& body) {
  const http::Headers& headers = exchange.request.head.headers;
  const auto fail = [&](const S3Error& e) {
    exchange.error(e);
    return nullptr;
  };
  if (!exchange.buckets.find(exchange.request.bucket)) return fail(errors::no_such_bucket);
  const std::string_view if_none_match = headers.find("if-none-match");
  if (headers.has("if-match") || (!if_none_match.empty() && if_none_match != "*"))
    return fail(errors::not_implemented);
  if (body.announced() && *body.announced() > max_list_bytes) return fail(errors::max_message_length);
  ExpectedObject expected;
  if (const auto problem = read_expected(headers, expected)) return fail(*problem);
  return std::make_unique<CompleteUpload>(!if_none_match.empty(), std::move(expected));
}

void abort_multipart_upload(Exchange& exchange) {
  const Request& request = exchange.request;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  if (!bucket->uploads().abort(request.key, *request.parameter("uploadId")))
    return exchange.error(errors::no_such_upload);
  exchange.answer.start(204);
}

}  // namespace s3lt::server
