// Amounts as the texts of a report have them. Pure functions, thread-safe.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/units.h"

namespace s3lt {

inline double per_second(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

// "41.1/s"
inline std::string rate_text(double operations_per_second) {
  return fmt::format("{:.1f}/s", operations_per_second);
}

// "1 read", "1,234 reads"
inline std::string counted(std::uint64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", format_count(n), noun, n == 1 ? "" : "s");
}

}  // namespace s3lt
