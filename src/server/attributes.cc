#include "server/attributes.h"

#include <algorithm>
#include <string>

namespace s3lt::server {
namespace {

constexpr std::size_t max_metadata_bytes = 2048;

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

}  // namespace

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

std::optional<S3Error> refuse_unkept_headers(const http::Headers& headers) {
  for (const http::Header& h : headers.all()) {
    if (h.name.size() < 6 || !http::iequals(h.name.substr(0, 6), "x-amz-")) continue;
    const std::string_view name = h.name.substr(6);
    const auto is = [&](std::string_view wanted) { return http::iequals(name, wanted); };
    const auto begins = [&](std::string_view wanted) {
      return name.size() >= wanted.size() && http::iequals(name.substr(0, wanted.size()), wanted);
    };
    // What these ask for is so by itself here.
    if ((is("acl") && h.value == "private") || (is("storage-class") && h.value == "STANDARD")) continue;
    if (is("acl") || is("storage-class") || begins("server-side-encryption") ||
        begins("copy-source-server-side-encryption") || is("tagging") || begins("object-lock-") ||
        is("website-redirect-location") || begins("grant-")) {
      return errors::not_implemented;
    }
  }
  return std::nullopt;
}

}  // namespace s3lt::server
