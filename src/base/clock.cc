#include "base/clock.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace s3lt {
namespace {

std::tm utc_fields(WallTime t) {
  const std::time_t whole = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(t));
  std::tm fields{};
  gmtime_r(&whole, &fields);
  return fields;
}

ParsedTime parse(const std::string& text, const char* format) {
  std::tm fields{};
  const char* end = strptime(text.c_str(), format, &fields);
  if (end != text.c_str() + text.size()) return {};
  const std::time_t seconds = timegm(&fields);
  // The clock counts nanoseconds: it ends in 2262.
  constexpr auto most = std::chrono::floor<std::chrono::seconds>(WallTime::max()).time_since_epoch().count();
  if (seconds > most || seconds < -most) return {};
  return {std::chrono::system_clock::from_time_t(seconds), true};
}

}  // namespace

std::string format_basic_utc(WallTime t) {
  const std::tm f = utc_fields(t);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", f.tm_year + 1900, f.tm_mon + 1, f.tm_mday, f.tm_hour,
                     f.tm_min, f.tm_sec);
}

std::string format_rfc3339(WallTime t) {
  const std::tm f = utc_fields(t);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(t - std::chrono::floor<std::chrono::seconds>(t));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", f.tm_year + 1900, f.tm_mon + 1, f.tm_mday,
                     f.tm_hour, f.tm_min, f.tm_sec, ms.count());
}

std::string format_http_date(WallTime t) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::tm f = utc_fields(t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[f.tm_wday], f.tm_mday, months[f.tm_mon],
                     f.tm_year + 1900, f.tm_hour, f.tm_min, f.tm_sec);
}

ParsedTime parse_basic_utc(const std::string& text) {
  return parse(text, "%Y%m%dT%H%M%SZ");
}
ParsedTime parse_rfc3339(const std::string& text) {
  const std::size_t dot = text.find('.');
  int millis = 0;
  if (dot != text.npos) {
    const bool whole = text.size() == dot + 5 && text.back() == 'Z';
    const auto read = std::from_chars(text.data() + dot + 1, text.data() + text.size(), millis);
    if (!whole || read.ec != std::errc{} || read.ptr != text.data() + dot + 4 || millis < 0) return {};
  }
  ParsedTime parsed = parse(text.substr(0, dot) + (dot == text.npos ? "" : "Z"), "%Y-%m-%dT%H:%M:%SZ");
  if (parsed.ok) parsed.time += std::chrono::milliseconds(millis);
  return parsed;
}
ParsedTime parse_http_date(const std::string& text) {
  return parse(text, "%a, %d %b %Y %H:%M:%S GMT");
}

}  // namespace s3lt
