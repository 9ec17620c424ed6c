// Instants as answers show them. The text of the day is kept, so that a date costs a few digits.
// One per thread.
#pragma once

#include <cstdint>
#include <string>

namespace s3lt::server {

class TimeText {
 public:
  void append_http(std::string& out, std::int64_t unix_seconds);  // Wed, 04 Feb 2026 12:00:00 GMT
  void append_iso(std::string& out, std::int64_t unix_seconds);   // 2026-02-04T12:00:00.000Z

 private:
  void set_day(std::int64_t day);
  std::int64_t day_ = -1;
  std::string http_day_, iso_day_;
};

}  // namespace s3lt::server
