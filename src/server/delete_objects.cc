// POST /{bucket}?delete: up to 1000 keys at once.
#include "base/encoding.h"
#include "base/units.h"
#include "s3/xml_document.h"
#include "server/handlers.h"
#include "server/text_body.h"

namespace s3lt::server {
namespace {

constexpr std::size_t max_keys = 1000, max_key_bytes = 1024;
// 1000 keys of 1024 bytes, each byte written as a character reference of six.
constexpr std::size_t max_body_bytes = 8 * MiB;

void append_failure(std::string& xml, std::string_view key, const S3Error& error) {
  xml += "<Error>";
  append_element(xml, "Key", key);
  append_element(xml, "Code", error.code);
  append_element(xml, "Message", error.message);
  xml += "</Error>";
}

class DeleteObjects final : public TextBody {
 public:
  DeleteObjects() : TextBody(max_body_bytes) {}

  void finish(Exchange& exchange, const BodyDecoder&) override {
    const auto& bucket = exchange.buckets.find(exchange.request.bucket);
    if (!bucket) return exchange.error(errors::no_such_bucket);
    if (!parse()) return exchange.error(errors::malformed_xml);
    std::string& xml = begin_xml(exchange.answer, "DeleteResult");
    for (const Item& item : items_) {
      if (item.key.size() > max_key_bytes) {
        append_failure(xml, item.key, errors::key_too_long);
      } else if (item.versioned) {
        append_failure(xml, item.key, errors::no_such_version);
      } else {
        bucket->erase(item.key, hash64(item.key));
        if (quiet_) continue;
        xml += "<Deleted>";
        append_element(xml, "Key", item.key);
        xml += "</Deleted>";
      }
    }
    xml += "</DeleteResult>";
  }

 private:
  struct Item {
    std::string key;
    bool versioned = false;
  };

  bool parse() {
    pugi::xml_document document;
    if (!load_xml(document, text_)) return false;
    const pugi::xml_node root = document.document_element();
    if (xml_name(root) != "Delete") return false;
    for (const pugi::xml_node& node : root.children()) {
      if (node.type() != pugi::node_element) continue;
      if (xml_name(node) == "Quiet") {
        quiet_ = xml_text(node) == "true";
      } else if (xml_name(node) == "Object") {
        if (!parse_object(node)) return false;
      } else {
        return false;
      }
    }
    return !items_.empty() && items_.size() <= max_keys;
  }

  bool parse_object(const pugi::xml_node& node) {
    Item item;
    for (const pugi::xml_node& field : node.children()) {
      if (field.type() != pugi::node_element) continue;
      if (xml_name(field) == "Key") item.key = xml_text(field);
      if (xml_name(field) == "VersionId") item.versioned = xml_text(field) != "null";
    }
    if (item.key.empty()) return false;
    items_.push_back(std::move(item));
    return true;
  }

  std::vector<Item> items_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<BodyHandler> delete_objects(Exchange& exchange, const BodyDecoder& body) {
  const http::Headers& headers = exchange.request.head.headers;
  if (!exchange.buckets.find(exchange.request.bucket)) {
    exchange.error(errors::no_such_bucket);
  } else if (!headers.has("content-length") && !headers.has("transfer-encoding")) {
    exchange.error(errors::missing_content_length);
  } else if (body.announced() && *body.announced() > max_body_bytes) {
    exchange.error(errors::max_message_length);
  } else {
    return std::make_unique<DeleteObjects>();
  }
  return nullptr;
}

}  // namespace s3lt::server
