#include "s3/xml.h"

#include <charconv>

#include "http/percent.h"
#include "s3/xml_document.h"

namespace s3lt {
namespace {

std::string text(const pugi::xml_node& parent, std::string_view name) {
  return xml_text(xml_child(parent, name));
}

// Of elements whose content is one word: without the white space around it.
std::string word(const pugi::xml_node& parent, std::string_view name) {
  constexpr std::string_view space = " \t\r\n";
  std::string out = text(parent, name);
  out.erase(0, out.find_first_not_of(space));
  out.erase(out.find_last_not_of(space) + 1);
  return out;
}

// Nothing where it is no number, or none that fits.
std::optional<std::uint64_t> number(const pugi::xml_node& parent, std::string_view name) {
  const std::string digits = word(parent, name);
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return n;
}

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
      case '\r':
        out += "&#13;";  // as it is, a reader would take it for a line's end
        break;
      default:
        out += c;
    }
  }
}

void append_ascii_xml_text(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
    std::uint32_t code = length > 1 ? lead & (0x7fU >> length) : 0;
    std::size_t read = 1;
    for (; read < length && i + read < text.size(); ++read) {
      const auto next = static_cast<unsigned char>(text[i + read]);
      if ((next & 0xc0) != 0x80) break;
      code = code << 6 | (next & 0x3f);
    }
    if (length > 1 && read == length) {
      out.append("&#").append(std::to_string(code)).append(";");
    } else {
      append_xml_text(out, text.substr(i, read = 1));
    }
    i += read;
  }
}

std::optional<S3Error> parse_error(std::string_view xml) {
  pugi::xml_document document;
  if (!load_xml(document, xml)) return std::nullopt;
  const pugi::xml_node error = xml_child(document, "Error");
  if (!error) return std::nullopt;
  S3Error out{.code = word(error, "Code"),
              .message = text(error, "Message"),
              .request_id = word(error, "RequestId"),
              .region = word(error, "Region"),
              .server_time = word(error, "ServerTime")};
  if (out.code.empty()) return std::nullopt;
  return out;
}

std::optional<ListPage> parse_list(std::string_view xml) {
  pugi::xml_document document;
  if (!load_xml(document, xml)) return std::nullopt;
  const pugi::xml_node result = xml_child(document, "ListBucketResult");
  if (!result) return std::nullopt;
  const bool encoded = word(result, "EncodingType") == "url";
  const auto key_of = [&](std::string raw) {
    if (!encoded) return raw;
    return http::decode(raw, true).value_or(raw);
  };
  ListPage page;
  for (const pugi::xml_node& node : result.children()) {
    const std::string_view name = xml_name(node);
    if (name == "Contents") {
      const auto size = number(node, "Size");
      std::string key = key_of(text(node, "Key"));
      // Who deletes what is listed would delete the bucket by an empty key.
      if (!size || key.empty()) return std::nullopt;
      page.objects.push_back({std::move(key), *size});
    } else if (name == "CommonPrefixes") {
      page.common_prefixes.push_back(key_of(text(node, "Prefix")));
    }
  }
  page.truncated = word(result, "IsTruncated") == "true";
  page.next_token = word(result, "NextContinuationToken");
  return page;
}

std::optional<DeleteResult> parse_delete_result(std::string_view xml) {
  pugi::xml_document document;
  if (!load_xml(document, xml)) return std::nullopt;
  const pugi::xml_node result = xml_child(document, "DeleteResult");
  if (!result) return std::nullopt;
  DeleteResult out;
  for (const pugi::xml_node& node : result.children()) {
    const std::string_view name = xml_name(node);
    if (name == "Deleted") ++out.deleted;
    if (name == "Error")
      out.refused.push_back(
          {text(node, "Key"), word(node, "Code"), text(node, "Message"), text(node, "VersionId")});
  }
  return out;
}

}  // namespace s3lt
