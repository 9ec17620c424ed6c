#include "server/time_text.h"

#include "base/clock.h"

namespace s3lt::server {
namespace {

constexpr std::int64_t seconds_a_day = 86400;

void append_time_of_day(std::string& out, std::int64_t seconds) {
  const std::int64_t fields[] = {seconds / 3600, seconds / 60 % 60, seconds % 60};
  char text[] = "00:00:00";
  for (int i = 0; i < 3; ++i) {
    text[3 * i] = static_cast<char>('0' + fields[i] / 10);
    text[3 * i + 1] = static_cast<char>('0' + fields[i] % 10);
  }
  out.append(text, 8);
}

}  // namespace

void TimeText::set_day(std::int64_t day) {
  const WallTime midnight{std::chrono::seconds(day * seconds_a_day)};
  http_day_ = format_http_date(midnight).substr(0, 17);  // "Wed, 04 Feb 2026 "
  iso_day_ = format_rfc3339(midnight).substr(0, 11);     // "2026-02-04T"
  day_ = day;
}

void TimeText::append_http(std::string& out, std::int64_t unix_seconds) {
  if (unix_seconds / seconds_a_day != day_) set_day(unix_seconds / seconds_a_day);
  out += http_day_;
  append_time_of_day(out, unix_seconds % seconds_a_day);
  out += " GMT";
}

void TimeText::append_iso(std::string& out, std::int64_t unix_seconds) {
  if (unix_seconds / seconds_a_day != day_) set_day(unix_seconds / seconds_a_day);
  out += iso_day_;
  append_time_of_day(out, unix_seconds % seconds_a_day);
  out += ".000Z";
}

}  // namespace s3lt::server
