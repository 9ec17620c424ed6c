// Operations on buckets as such.
#include "s3/xml_document.h"
#include "server/handlers.h"
#include "server/text_body.h"

namespace s3lt::server {
namespace {

constexpr std::size_t max_configuration_bytes = 64 * 1024;

class CreateBucket final : public TextBody {
 public:
  CreateBucket() : TextBody(max_configuration_bytes) {}
  void finish(Exchange& exchange, const BodyDecoder&) override {
    if (!text_.empty()) {
      // The configuration names a region; there is only one here, and clients name it in several ways.
      pugi::xml_document document;
      if (!load_xml(document, text_)) return exchange.error(errors::malformed_xml);
    }
    // Creating one's own bucket again succeeds, as it does in us-east-1.
    exchange.store.create(exchange.request.bucket, exchange.now());
    exchange.answer.start(200);
    exchange.answer.header("Location", "/" + exchange.request.bucket);
  }
};

}  // namespace

std::unique_ptr<BodyHandler> create_bucket(Exchange& exchange) {
  if (!is_bucket_name(exchange.request.bucket)) {
    exchange.error(errors::invalid_bucket_name);
    return nullptr;
  }
  return std::make_unique<CreateBucket>();
}

void head_bucket(Exchange& exchange) {
  if (!exchange.buckets.find(exchange.request.bucket)) return exchange.error(errors::no_such_bucket);
  exchange.answer.start(200);
  exchange.answer.header("x-amz-bucket-region", exchange.region);
}

void delete_bucket(Exchange& exchange) {
  switch (exchange.store.erase(exchange.request.bucket)) {
    case ObjectStore::Erase::no_such_bucket:
      return exchange.error(errors::no_such_bucket);
    case ObjectStore::Erase::not_empty:
      return exchange.error(errors::bucket_not_empty);
    case ObjectStore::Erase::erased:
      exchange.answer.start(204);
  }
}

void get_bucket_location(Exchange& exchange) {
  if (!exchange.buckets.find(exchange.request.bucket)) return exchange.error(errors::no_such_bucket);
  std::string& xml = begin_xml(exchange.answer, "LocationConstraint");
  // The default region goes without its name.
  if (exchange.region != "us-east-1") append_xml(xml, exchange.region);
  xml += "</LocationConstraint>";
}

void list_buckets(Exchange& exchange) {
  std::string& xml = begin_xml(exchange.answer, "ListAllMyBucketsResult");
  xml.append(owner_xml).append("<Buckets>");
  for (const auto& bucket : exchange.store.buckets()) {
    xml += "<Bucket>";
    append_element(xml, "Name", bucket->name());
    xml += "<CreationDate>";
    exchange.answer.context().time_text().append_iso(xml, bucket->created());
    xml += "</CreationDate></Bucket>";
  }
  xml += "</Buckets></ListAllMyBucketsResult>";
}

}  // namespace s3lt::server
