// The client's readers of S3's documents: what they read comes out the same when it is written again.
#include "s3/xml.h"

#include "fuzz/target.h"
#include "s3/admin_requests.h"
#include "s3/multipart.h"

namespace s3lt::fuzz {
namespace {

std::string element(std::string_view name, std::string_view text) {
  std::string out = "<" + std::string(name) + ">";
  append_xml_text(out, text);
  return out + "</" + std::string(name) + ">";
}

void check_error(std::string_view xml) {
  const auto error = parse_error(xml);
  if (!error) return;
  require(!error->code.empty(), "an error has a code");
  require(error->code.size() + error->message.size() <= 4 * xml.size(), "texts come from the document");
  const auto again =
      parse_error("<Error>" + element("Code", error->code) + element("Message", error->message) +
                  element("RequestId", error->request_id) + element("Region", error->region) +
                  element("ServerTime", error->server_time) + "</Error>");
  require(again && again->code == error->code && again->message == error->message &&
              again->request_id == error->request_id && again->region == error->region &&
              again->server_time == error->server_time,
          "an error is read as it was written");
}

void check_list(std::string_view xml) {
  const auto page = parse_list(xml);
  if (!page) return;
  std::string text = "<ListBucketResult>" + element("IsTruncated", page->truncated ? "true" : "false") +
                     element("NextContinuationToken", page->next_token);
  for (const ListPage::Object& object : page->objects) {
    require(!object.key.empty(), "an object has a key");
    if (object.key.find('\0') != object.key.npos) return;  // from %00: XML cannot say it
    text += "<Contents>" + element("Key", object.key) + element("Size", std::to_string(object.size)) +
            "</Contents>";
  }
  for (const std::string& prefix : page->common_prefixes) {
    if (prefix.find('\0') != prefix.npos) return;
    text += "<CommonPrefixes>" + element("Prefix", prefix) + "</CommonPrefixes>";
  }
  const auto again = parse_list(text + "</ListBucketResult>");
  require(again && again->truncated == page->truncated && again->next_token == page->next_token &&
              again->common_prefixes == page->common_prefixes &&
              again->objects.size() == page->objects.size(),
          "a list is read as it was written");
  for (std::size_t i = 0; i < page->objects.size(); ++i)
    require(again->objects[i].key == page->objects[i].key && again->objects[i].size == page->objects[i].size,
            "an object is read as it was written");
}

}  // namespace

void xml(std::string_view text) {
  require(parse_upload_id(text).size() <= 4 * text.size(), "the id comes from the document");
  (void)is_completed_upload(text);
  if (const auto page = parse_versions(text))
    require(page->markers <= page->versions.size(), "markers are versions");
  (void)parse_uploads(text);
  (void)parse_has_versions(text);
  (void)parse_location(text);
  (void)parse_object_lock(text);
  check_error(text);
  check_list(text);
  // Any text without zero bytes survives being written into a document.
  if (text.find('\0') == text.npos && text.find_first_not_of(" \t\r\n") != text.npos) {
    const auto error = parse_error("<Error><Code>A</Code>" + element("Message", text) + "</Error>");
    require(error && error->message == text, "a text is read as it was written");
  }
}

}  // namespace s3lt::fuzz
