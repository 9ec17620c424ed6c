// ListParts and ListMultipartUploads.
#include <algorithm>
#include <charconv>

#include "http/percent.h"
#include "server/handlers.h"

namespace s3lt::server {
namespace {

constexpr std::size_t max_page = 1000;

std::string text_of(const Request& r, std::string_view name) {
  const std::string* value = r.parameter(name);
  return value != nullptr ? *value : std::string();
}

// A number of the query, `otherwise` where it is not there; false where it is none.
bool number_of(const Request& r, std::string_view name, std::size_t otherwise, std::size_t& out) {
  out = otherwise;
  const std::string* text = r.parameter(name);
  if (text == nullptr || text->empty()) return true;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  return error == std::errc() && end == text->data() + text->size();
}

bool read_encoding(const Request& r, bool& url) {
  const std::string encoding = text_of(r, "encoding-type");
  url = encoding == "url";
  return url || encoding.empty();
}

void append_name(std::string& xml, std::string_view element, std::string_view text, bool url) {
  append_element(xml, element, url ? http::encode_path(text) : std::string(text));
}

void append_time(Exchange& exchange, std::string& xml, std::string_view element, std::int64_t time) {
  xml.append("<").append(element).append(">");
  exchange.answer.context().time_text().append_iso(xml, time);
  xml.append("</").append(element).append(">");
}

constexpr std::string_view storage_class = "<StorageClass>STANDARD</StorageClass>";

void append_initiator(std::string& xml) {
  xml.append("<Initiator><ID>s3loadtest</ID><DisplayName>s3loadtest</DisplayName></Initiator>");
  xml.append(owner_xml).append(storage_class);
}

void append_algorithm(std::string& xml, const UploadFacts& upload) {
  if (upload.algorithm == ChecksumAlgorithm::none) return;
  append_element(xml, "ChecksumAlgorithm", checksum_name(upload.algorithm));
  append_element(xml, "ChecksumType", Checksum{.composite = upload.composite}.type());
}

}  // namespace

void list_parts(Exchange& exchange) {
  const Request& request = exchange.request;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  std::size_t max_parts = 0, after = 0;
  bool url = false;
  if (!number_of(request, "max-parts", max_page, max_parts) || !read_encoding(request, url) ||
      !number_of(request, "part-number-marker", 0, after) || after > INT32_MAX)
    return exchange.error(errors::invalid_argument);
  max_parts = std::min(max_parts, max_page);
  const std::string& id = *request.parameter("uploadId");
  const auto page = bucket->uploads().list_parts(request.key, id, static_cast<unsigned>(after), max_parts);
  if (!page) return exchange.error(errors::no_such_upload);

  std::string& xml = begin_xml(exchange.answer, "ListPartsResult");
  append_element(xml, "Bucket", request.bucket);
  append_name(xml, "Key", request.key, url);
  append_element(xml, "UploadId", id);
  append_initiator(xml);
  append_algorithm(xml, page->upload);
  append_element(xml, "PartNumberMarker", std::to_string(after));
  append_element(xml, "NextPartNumberMarker",
                 std::to_string(page->parts.empty() ? after : page->parts.back().number));
  append_element(xml, "MaxParts", std::to_string(max_parts));
  append_element(xml, "IsTruncated", page->truncated ? "true" : "false");
  for (const PartFacts& part : page->parts) {
    xml += "<Part>";
    append_element(xml, "PartNumber", std::to_string(part.number));
    append_time(exchange, xml, "LastModified", part.modified);
    append_element(xml, "ETag", etag(part));
    append_element(xml, "Size", std::to_string(part.size));
    if (part.checksum) append_element(xml, checksum_element(part.checksum.algorithm), part.checksum.base64());
    xml += "</Part>";
  }
  xml += "</ListPartsResult>";
}

void list_multipart_uploads(Exchange& exchange) {
  const Request& request = exchange.request;
  const auto& bucket = exchange.buckets.find(request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  UploadQuery query{.prefix = text_of(request, "prefix"),
                    .delimiter = text_of(request, "delimiter"),
                    .key_marker = text_of(request, "key-marker"),
                    .id_marker = text_of(request, "upload-id-marker")};
  bool url = false;
  if (!number_of(request, "max-uploads", max_page, query.max_uploads) || !read_encoding(request, url))
    return exchange.error(errors::invalid_argument);
  query.max_uploads = std::min(query.max_uploads, max_page);
  const UploadPage page = bucket->uploads().list(query);

  std::string& xml = begin_xml(exchange.answer, "ListMultipartUploadsResult");
  append_element(xml, "Bucket", request.bucket);
  append_name(xml, "KeyMarker", query.key_marker, url);
  append_element(xml, "UploadIdMarker", query.id_marker);
  if (page.truncated && !page.items.empty()) {
    append_name(xml, "NextKeyMarker", page.items.back().key, url);
    append_element(xml, "NextUploadIdMarker", page.items.back().id);
  }
  append_name(xml, "Prefix", query.prefix, url);
  if (!query.delimiter.empty()) append_name(xml, "Delimiter", query.delimiter, url);
  if (url) append_element(xml, "EncodingType", "url");
  append_element(xml, "MaxUploads", std::to_string(query.max_uploads));
  append_element(xml, "IsTruncated", page.truncated ? "true" : "false");
  for (const UploadFacts& upload : page.items) {
    if (upload.id.empty()) continue;
    xml += "<Upload>";
    append_name(xml, "Key", upload.key, url);
    append_element(xml, "UploadId", upload.id);
    append_initiator(xml);
    append_time(exchange, xml, "Initiated", upload.initiated);
    append_algorithm(xml, upload);
    xml += "</Upload>";
  }
  for (const UploadFacts& upload : page.items) {
    if (!upload.id.empty()) continue;
    xml += "<CommonPrefixes>";
    append_name(xml, "Prefix", upload.key, url);
    xml += "</CommonPrefixes>";
  }
  xml += "</ListMultipartUploadsResult>";
}

}  // namespace s3lt::server
