// GET /{bucket}?list-type=2&prefix=… and, without list-type, the older ListObjects.
#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "http/percent.h"
#include "server/handlers.h"

namespace s3lt::server {
namespace {

constexpr std::size_t max_page = 1000;

struct Listing {
  ListQuery query;
  bool v2 = false, url = false, fetch_owner = false;
  std::string token, start_after, marker;  // as the request has them
};

std::string text_of(const Request& r, std::string_view name) {
  const std::string* value = r.parameter(name);
  return value != nullptr ? *value : std::string();
}

// A token is the place where the page before ended, in base64 behind a letter, so that nobody takes it for a
// key.
constexpr char token_mark = 't';
std::string make_token(std::string_view last) {
  return token_mark + to_base64(as_bytes(last));
}

std::optional<S3Error> parse_listing(const Request& r, Listing& out) {
  const S3Error bad_argument = errors::invalid_argument;
  if (const std::string* type = r.parameter("list-type")) {
    if (*type != "2") return bad_argument;
    out.v2 = true;
  }
  out.query.prefix = text_of(r, "prefix");
  out.query.delimiter = text_of(r, "delimiter");
  if (const std::string* encoding = r.parameter("encoding-type"); encoding != nullptr && !encoding->empty()) {
    if (*encoding != "url") return bad_argument;
    out.url = true;
  }
  out.fetch_owner = text_of(r, "fetch-owner") == "true";
  if (const std::string* keys = r.parameter("max-keys"); keys != nullptr && !keys->empty()) {
    std::size_t n = 0;
    const auto [end, error] = std::from_chars(keys->data(), keys->data() + keys->size(), n);
    if (error != std::errc() || end != keys->data() + keys->size()) return bad_argument;
    out.query.max_keys = std::min(n, max_page);
  }
  out.start_after = text_of(r, "start-after");
  out.marker = text_of(r, "marker");
  out.query.after = out.v2 ? out.start_after : out.marker;
  if (const std::string* token = r.parameter("continuation-token"); out.v2 && token != nullptr) {
    const auto decoded =
        token->starts_with(token_mark) ? from_base64(std::string_view(*token).substr(1)) : std::nullopt;
    if (!decoded) return S3Error{"InvalidArgument", 400, "The continuation token provided is incorrect"};
    out.token = *token;
    out.query.after.assign(decoded->begin(), decoded->end());
  }
  return std::nullopt;
}

class PageWriter {
 public:
  PageWriter(std::string& xml, const Listing& listing, TimeText& time)
      : xml_(xml), listing_(listing), time_(time) {}

  void element(std::string_view name, std::string_view text) { append_element(xml_, name, text); }
  // A key or a part of one.
  void name_element(std::string_view name, std::string_view text) {
    if (!listing_.url) return element(name, text);
    xml_.append("<").append(name).append(">");
    http::append_path(xml_, text);
    xml_.append("</").append(name).append(">");
  }
  void object(const Object& object) {
    xml_ += "<Contents>";
    name_element("Key", object.key);
    xml_ += "<LastModified>";
    time_.append_iso(xml_, object.modified);
    xml_ += "</LastModified>";
    element("ETag", etag(object));
    fmt::format_to(std::back_inserter(xml_), "<Size>{}</Size>", object.size());
    if (listing_.fetch_owner || !listing_.v2) {
      xml_ += owner_xml;
    }
    xml_ += "<StorageClass>STANDARD</StorageClass></Contents>";
  }

 private:
  std::string& xml_;
  const Listing& listing_;
  TimeText& time_;
};

void write_head(PageWriter& out, const Listing& listing, const ListPage& page, const std::string& bucket) {
  out.element("Name", bucket);
  out.name_element("Prefix", listing.query.prefix);
  if (!listing.query.delimiter.empty()) out.name_element("Delimiter", listing.query.delimiter);
  out.element("MaxKeys", std::to_string(listing.query.max_keys));
  if (listing.url) out.element("EncodingType", "url");
  out.element("IsTruncated", page.truncated ? "true" : "false");
  if (!listing.v2) {
    out.name_element("Marker", listing.marker);
    if (page.truncated) out.name_element("NextMarker", page.last);
    return;
  }
  out.element("KeyCount", std::to_string(page.items.size()));
  if (!listing.token.empty()) out.element("ContinuationToken", listing.token);
  if (!listing.start_after.empty()) out.name_element("StartAfter", listing.start_after);
  if (page.truncated) out.element("NextContinuationToken", make_token(page.last));
}

}  // namespace

void list_objects(Exchange& exchange) {
  const auto& bucket = exchange.buckets.find(exchange.request.bucket);
  if (!bucket) return exchange.error(errors::no_such_bucket);
  Listing listing;
  if (const auto error = parse_listing(exchange.request, listing)) return exchange.error(*error);
  const ListPage page = bucket->list(listing.query);

  std::string& xml = begin_xml(exchange.answer, "ListBucketResult");
  PageWriter out(xml, listing, exchange.answer.context().time_text());
  write_head(out, listing, page, exchange.request.bucket);
  for (const auto& item : page.items) {
    if (item.object) out.object(*item.object);
  }
  for (const auto& item : page.items) {
    if (item.object) continue;
    xml += "<CommonPrefixes>";
    out.name_element("Prefix", item.common_prefix);
    xml += "</CommonPrefixes>";
  }
  xml += "</ListBucketResult>";
}

}  // namespace s3lt::server
