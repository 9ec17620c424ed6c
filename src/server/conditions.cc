#include "server/conditions.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"

namespace s3lt::server {
namespace {

bool parse_digits(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool lists_etag(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    std::string_view item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(item.size() + 1, list.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (item.starts_with("W/")) item.remove_prefix(2);
    // S3 takes ETags without quotes, too.
    if (item == "*" || item == tag || item == tag.substr(1, tag.size() - 2)) return true;
  }
  return false;
}

// Nothing where the date cannot be read: such a header is ignored (RFC 9110, 13.1.3).
std::optional<std::int64_t> parse_seconds(std::string_view date) {
  const ParsedTime parsed = parse_http_date(std::string(date));
  if (!parsed.ok) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(parsed.time).time_since_epoch().count();
}

struct Conditions {
  std::string_view if_match, if_none_match, if_modified_since, if_unmodified_since;
};

int check(const Conditions& conditions, const Object& object) {
  if (!conditions.if_match.empty()) {
    if (!lists_etag(conditions.if_match, etag(object))) return 412;
  } else if (!conditions.if_unmodified_since.empty()) {
    const auto date = parse_seconds(conditions.if_unmodified_since);
    if (date && object.modified > *date) return 412;
  }
  if (!conditions.if_none_match.empty()) {
    if (lists_etag(conditions.if_none_match, etag(object))) return 304;
  } else if (!conditions.if_modified_since.empty()) {
    const auto date = parse_seconds(conditions.if_modified_since);
    if (date && object.modified <= *date) return 304;
  }
  return 200;
}

}  // namespace

Range parse_range(std::string_view text, std::uint64_t size) {
  const Range whole{Range::Kind::whole, 0, size};
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit)) return whole;
  text.remove_prefix(unit.size());
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return whole;
  std::uint64_t first = 0, last = 0;
  if (dash == 0) {
    if (!parse_digits(text.substr(1), last)) return whole;
    if (last == 0 || size == 0) return {Range::Kind::unsatisfiable};
    const std::uint64_t n = std::min(last, size);
    return {Range::Kind::part, size - n, n};
  }
  if (!parse_digits(text.substr(0, dash), first)) return whole;
  const std::string_view end = text.substr(dash + 1);
  if (end.empty()) {
    last = UINT64_MAX;
  } else if (!parse_digits(end, last) || last < first) {
    return whole;
  }
  if (first >= size) return {Range::Kind::unsatisfiable};
  return {Range::Kind::part, first, std::min(last, size - 1) - first + 1};
}

int check_conditions(const http::Headers& headers, const Object& object) {
  return check({headers.find("if-match"), headers.find("if-none-match"), headers.find("if-modified-since"),
                headers.find("if-unmodified-since")},
               object);
}

int check_source_conditions(const http::Headers& headers, const Object& object) {
  const int status =
      check({headers.find("x-amz-copy-source-if-match"), headers.find("x-amz-copy-source-if-none-match"),
             headers.find("x-amz-copy-source-if-modified-since"),
             headers.find("x-amz-copy-source-if-unmodified-since")},
            object);
  return status == 304 ? 412 : status;
}

}  // namespace s3lt::server
