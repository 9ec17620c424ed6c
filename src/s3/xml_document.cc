#include "s3/xml_document.h"

#include "base/encoding.h"

namespace s3lt {
namespace {

// Whether the text behind "&#", up to its ';', names a character of XML (XML 1.0, 2.2; control characters are
// let pass, since keys may hold them).
bool names_character(std::string_view text) {
  const std::size_t end = text.find(';');
  // Not a reference then: the parser keeps it as it is.
  if (end == text.npos) return true;
  std::string_view digits = text.substr(0, end);
  const bool hexadecimal = digits.starts_with('x');
  if (hexadecimal) digits.remove_prefix(1);
  std::uint32_t value = 0;
  for (const char c : digits) {
    const int digit = hex_digit(c);
    if (digit < 0 || (!hexadecimal && digit > 9)) return true;
    value = value * (hexadecimal ? 16 : 10) + static_cast<std::uint32_t>(digit);
    if (value > 0x10ffff) return false;
  }
  return digits.empty() || (value != 0 && (value < 0xd800 || value > 0xdfff));
}

}  // namespace

bool load_xml(pugi::xml_document& document, std::string_view xml) {
  if (xml.size() > max_xml_bytes || xml.find('\0') != xml.npos) return false;
  for (std::size_t at = xml.find("&#"); at != xml.npos; at = xml.find("&#", at + 2)) {
    if (!names_character(xml.substr(at + 2, 32))) return false;
  }
  // Keys may be nothing but white space, which the parser would drop by itself.
  return static_cast<bool>(document.load_buffer(
      xml.data(), xml.size(), pugi::parse_default | pugi::parse_ws_pcdata, pugi::encoding_utf8));
}

std::string_view xml_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') + 1);
}

pugi::xml_node xml_child(const pugi::xml_node& parent, std::string_view name) {
  for (const pugi::xml_node& node : parent.children()) {
    if (node.type() == pugi::node_element && xml_name(node) == name) return node;
  }
  return {};
}

std::string xml_text(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& part : node.children()) {
    if (part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata) text += part.value();
  }
  return text;
}

}  // namespace s3lt
