// Time: a monotonic clock for everything that is measured or scheduled, a wall clock for what is
// written down. Pure code takes a TimePoint as an argument and never reads a clock itself.
// Functions are thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace s3lt {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::system_clock::time_point;

inline TimePoint now() {
  return Clock::now();
}
inline WallTime wall_now() {
  return std::chrono::system_clock::now();
}

inline constexpr Duration seconds(double s) {
  return Duration(static_cast<std::int64_t>(s * 1e9));
}
inline constexpr double to_seconds(Duration d) {
  return static_cast<double>(d.count()) / 1e9;
}
inline constexpr std::int64_t to_micros(Duration d) {
  return d.count() / 1000;
}

// Microseconds since 1970, as they stand in object keys.
inline std::uint64_t unix_micros(WallTime t) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count());
}

// 20260204T120000Z: X-Amz-Date, names of run directories.
std::string format_basic_utc(WallTime t);
// 2026-02-04T12:00:00.123Z (RFC 3339, UTC, milliseconds).
std::string format_rfc3339(WallTime t);
// Wed, 04 Feb 2026 12:00:00 GMT (RFC 9110, 5.6.7).
std::string format_http_date(WallTime t);
// The instant of a basic (20260204T120000Z), an RFC 3339 (as above) or an HTTP date; not ok where it is neither, or
// beyond what WallTime holds (1677 to 2262).
struct ParsedTime {
  WallTime time;
  bool ok = false;
};
ParsedTime parse_basic_utc(const std::string& text);
ParsedTime parse_rfc3339(const std::string& text);
ParsedTime parse_http_date(const std::string& text);

}  // namespace s3lt
