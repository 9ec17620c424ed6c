// Quantities as people write and read them: durations, sizes, rates, counts. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace s3lt {

inline constexpr std::uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB, TiB = 1024 * GiB;

// "30s", "5m", "1h", "2d", "1w", "250ms", combined ("1h30m"), bare seconds ("90", "0.5").
// An error names the text and shows the right form; zero and negative durations are refused
// unless allow_zero.
Result<Duration> parse_duration(std::string_view text, bool allow_zero = false);

// "1KB", "1KiB", "1k", "100MB", "1.5GiB", "512", "512B", in any case: 1024-based, KB and KiB alike.
Result<std::uint64_t> parse_size(std::string_view text);

// Bytes a second: "40MB/s" is 40*10^6, "40MiB/s" 40*2^20, "1Mbps" 125,000; bare bytes ("125000").
Result<double> parse_rate(std::string_view text);

// Operations a second: "500/s", "30/min", "3600/h"; a bare number is a second's.
Result<double> parse_operation_rate(std::string_view text);

// Whole numbers with an optional bound; thousands may be split by '_' or ','.
Result<std::uint64_t> parse_count(std::string_view text);

std::string format_count(std::uint64_t n);         // 1,234,567
std::string format_size_label(std::uint64_t n);    // 1KB, 100MB, 1.5KB, 17B (1024-based): keys, STATS
std::string format_size(std::uint64_t n);          // 1 KiB, 1.5 MiB, 17 B
std::string format_bytes_old(std::uint64_t n);     // 1.2GB (1024-based, one decimal): STATS and FINAL
std::string format_rate(double bytes_per_second);  // 40.0 MiB/s
std::string format_duration(Duration d);           // 30s, 1m, 1h30m, 250ms, 1.5s
std::string format_latency(std::int64_t micros);   // 850us, 2.1ms, 15ms, 1.25s: three digits

}  // namespace s3lt
