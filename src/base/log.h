// Log lines: to stderr and, once a run has its directory, to the run's log file.
// Thread-safe; writes are whole lines. Nothing on the path of a request logs.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"

namespace s3lt {

enum class LogLevel { debug, info, warning, error };
Result<LogLevel> parse_log_level(std::string_view text);  // any case

// A figure of a line, for the JSON form: {"ops", 1234}.
using LogValue = std::variant<std::int64_t, double, std::string>;
struct LogField {
  std::string_view name;
  LogValue value;
};

// Who speaks, as the lines show it: `[baseload:W0]        [STATS] …`. An empty test is the program
// itself.
struct LogSource {
  std::string_view test = {};
  unsigned worker = 0;
  std::string_view op = {};
};

struct LogOptions {
  LogLevel level = LogLevel::info;
  bool json = false;    // one JSON object a line: ts level msg test worker op and the fields
  bool colour = false;  // only on a terminal
};
void configure_log(const LogOptions& options);
// From here on every line also goes to this file (and to those opened before). Lines that it cannot take (a
// full disk) are lost; that this began is told once, on stderr, unless somebody else does.
enum class LogLoss { told, told_elsewhere };
Result<void> open_log_file(const std::filesystem::path& path, LogLoss loss = LogLoss::told);
void close_log_files();

// Called before and after a line is written to stderr, so that a live progress line can step aside.
void set_log_hooks(void (*before)(), void (*after)());

bool log_enabled(LogLevel level);
void log_line(LogLevel level, const LogSource& source, std::string_view message,
              std::span<const LogField> fields = {});

inline void log_info(std::string_view message) {
  log_line(LogLevel::info, {}, message);
}
inline void log_warning(std::string_view message) {
  log_line(LogLevel::warning, {}, message);
}
inline void log_error(std::string_view message) {
  log_line(LogLevel::error, {}, message);
}

}  // namespace s3lt
