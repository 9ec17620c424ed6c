#include "s3/xml.h"

#include <pugixml.hpp>

#include "http/percent.h"

namespace s3lt {
namespace {

// The name without its namespace prefix.
std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.find(':');
  return colon == name.npos ? name : name.substr(colon + 1);
}

pugi::xml_node child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& node : parent.children()) {
    if (local_name(node) == name) return node;
  }
  return {};
}

std::string text(const pugi::xml_node& parent, std::string_view name) {
  return child(parent, name).text().get();
}

// A key may be nothing but spaces.
constexpr unsigned parse_options = pugi::parse_default | pugi::parse_ws_pcdata_single;

}  // namespace

void append_xml_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
}

std::optional<S3Error> parse_error(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), parse_options)) return std::nullopt;
  const pugi::xml_node error = child(document, "Error");
  if (!error) return std::nullopt;
  S3Error out{.code = text(error, "Code"),
              .message = text(error, "Message"),
              .request_id = text(error, "RequestId"),
              .region = text(error, "Region"),
              .server_time = text(error, "ServerTime")};
  if (out.code.empty()) return std::nullopt;
  return out;
}

std::optional<ListPage> parse_list(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), parse_options)) return std::nullopt;
  const pugi::xml_node result = child(document, "ListBucketResult");
  if (!result) return std::nullopt;
  const bool encoded = text(result, "EncodingType") == "url";
  const auto key_of = [&](std::string raw) {
    if (!encoded) return raw;
    return http::decode(raw, true).value_or(raw);
  };
  ListPage page;
  for (const pugi::xml_node& node : result.children()) {
    const std::string_view name = local_name(node);
    if (name == "Contents") {
      page.objects.push_back({key_of(text(node, "Key")), child(node, "Size").text().as_ullong()});
    } else if (name == "CommonPrefixes") {
      page.common_prefixes.push_back(key_of(text(node, "Prefix")));
    }
  }
  page.truncated = text(result, "IsTruncated") == "true";
  page.next_token = text(result, "NextContinuationToken");
  return page;
}

std::optional<DeleteResult> parse_delete_result(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size(), parse_options)) return std::nullopt;
  const pugi::xml_node result = child(document, "DeleteResult");
  if (!result) return std::nullopt;
  DeleteResult out;
  for (const pugi::xml_node& node : result.children()) {
    const std::string_view name = local_name(node);
    if (name == "Deleted") ++out.deleted;
    if (name == "Error") out.refused.push_back({text(node, "Key"), text(node, "Code"), text(node, "Message")});
  }
  return out;
}

}  // namespace s3lt
