#include "http/percent.h"

#include <array>

#include "base/encoding.h"

namespace s3lt::http {
namespace {

constexpr std::array<bool, 256> make_unreserved() {
  std::array<bool, 256> table{};
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : {'-', '.', '_', '~'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto unreserved = make_unreserved();

void append_encoded(std::string& out, std::string_view raw, bool keep_slash) {
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto stays = [&](char c) {
    return unreserved[static_cast<unsigned char>(c)] || (keep_slash && c == '/');
  };
  while (!raw.empty()) {
    std::size_t run = 0;
    while (run < raw.size() && stays(raw[run])) ++run;
    out.append(raw.data(), run);
    if (run == raw.size()) return;
    const auto u = static_cast<unsigned char>(raw[run]);
    out += '%';
    out += digits[u >> 4];
    out += digits[u & 15];
    raw.remove_prefix(run + 1);
  }
}

}  // namespace

void append_path(std::string& out, std::string_view raw) {
  append_encoded(out, raw, true);
}
void append_value(std::string& out, std::string_view raw) {
  append_encoded(out, raw, false);
}

std::optional<std::string> decode(std::string_view encoded, bool plus_is_space) {
  std::string out;
  out.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const char c = encoded[i];
    if (c == '%') {
      if (i + 2 >= encoded.size()) return std::nullopt;
      const int high = hex_digit(encoded[i + 1]), low = hex_digit(encoded[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += c == '+' && plus_is_space ? ' ' : c;
    }
  }
  return out;
}

std::vector<std::pair<std::string_view, std::string_view>> split_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> out;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view item = query.substr(0, end);
    if (!item.empty()) {
      const std::size_t equals = item.find('=');
      out.emplace_back(item.substr(0, equals),
                       equals == item.npos ? std::string_view() : item.substr(equals + 1));
    }
    if (end == query.npos) break;
    query.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace s3lt::http
