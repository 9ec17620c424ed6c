// Percent-encoding as S3 signs it: everything but A-Za-z0-9-._~ becomes %XX, upper case; in paths '/' stays.
// Pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace s3lt::http {

void append_path(std::string& out, std::string_view raw);   // keeps '/'
void append_value(std::string& out, std::string_view raw);  // '/' becomes %2F
inline std::string encode_path(std::string_view raw) {
  std::string out;
  append_path(out, raw);
  return out;
}
inline std::string encode_value(std::string_view raw) {
  std::string out;
  append_value(out, raw);
  return out;
}
// Nothing where a '%' is not followed by two hex digits. plus_is_space for query strings of forms only.
std::optional<std::string> decode(std::string_view encoded, bool plus_is_space = false);

// "a=1&b" -> {{"a","1"},{"b",""}}, undecoded, in order.
std::vector<std::pair<std::string_view, std::string_view>> split_query(std::string_view query);

}  // namespace s3lt::http
