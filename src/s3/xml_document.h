// XML that others wrote, read with pugixml: what every reader of S3's documents does about namespaces, CDATA,
// comments and character references. Elements that nobody asks for are passed over. Pure, thread-safe.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace s3lt {

// What no S3 document exceeds by far: the parser takes about as much memory again.
inline constexpr std::size_t max_xml_bytes = 16 << 20;

// Reads a document (UTF-8, with or without a byte order mark). False where it is not well-formed, is longer
// than max_xml_bytes, or names a character that XML has not (&#0;), which would cut a text short.
bool load_xml(pugi::xml_document& document, std::string_view xml);

// An element's name without its namespace prefix.
std::string_view xml_name(const pugi::xml_node& node);
// The first child element of that name, null where there is none.
pugi::xml_node xml_child(const pugi::xml_node& parent, std::string_view name);
// All text and CDATA directly in an element, white space included; comments in between do not end it.
std::string xml_text(const pugi::xml_node& node);

}  // namespace s3lt
