#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace s3lt {
namespace {

constexpr std::size_t tag_columns = 21;  // `[baseload:W0]` is filled up to here, then comes `[STATS]`

struct Log {
  std::mutex mutex;  // guards everything below but `level`
  std::atomic<LogLevel> level = LogLevel::info;
  bool json = false;
  bool colour = false;
  struct File {
    int fd = -1;
    std::string path;                  // empty: its loss is told by somebody else
    bool lossy = false, torn = false;  // a line could not be written; the last one only in part
  };
  std::vector<File> files;
  void (*before)() = nullptr;
  void (*after)() = nullptr;
};

// Never destroyed: threads may still log while statics are taken down.
Log& the_log() {
  static Log& log = *new Log;
  return log;
}

std::string_view level_name(LogLevel level) {
  constexpr std::string_view names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
  return names[static_cast<std::size_t>(level)];
}

std::string_view level_colour(LogLevel level) {
  constexpr std::string_view escapes[] = {"\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
  return escapes[static_cast<std::size_t>(level)];
}

// 2026-02-04 12:00:00.123, local time.
std::string local_time(WallTime t) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(t);
  const std::time_t seconds_since_epoch = std::chrono::system_clock::to_time_t(whole);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(t - whole).count();
  std::tm f{};
  localtime_r(&seconds_since_epoch, &f);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", f.tm_year + 1900, f.tm_mon + 1, f.tm_mday,
                     f.tm_hour, f.tm_min, f.tm_sec, ms);
}

// Control characters in a message (from a server's answer, say) must not forge lines or move a terminal's
// cursor.
std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string text_line(WallTime at, LogLevel level, const LogSource& source, std::string_view message,
                      bool colour) {
  std::string line = local_time(at);
  line += colour ? fmt::format(" {}{:<8}\x1b[0m ", level_colour(level), level_name(level))
                 : fmt::format(" {:<8} ", level_name(level));
  if (!source.test.empty()) {
    const std::string tag = fmt::format("[{}:W{}]", source.test, source.worker);
    // A longer tag still leaves one space before what follows.
    line += fmt::format("{:<{}}", tag, std::max(tag_columns, tag.size() + 1));
  }
  if (!source.op.empty()) line += fmt::format("[{}] ", source.op);
  line += one_line(message);
  line += '\n';
  return line;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json_value(std::string& out, const LogValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_json_string(out, *text);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out += std::isfinite(*number) ? fmt::format("{}", *number) : "null";  // JSON has no inf and nan
  } else {
    out += fmt::format("{}", std::get<std::int64_t>(value));
  }
}

std::string json_line(WallTime at, LogLevel level, const LogSource& source, std::string_view message,
                      std::span<const LogField> fields) {
  std::string line =
      fmt::format("{{\"ts\":\"{}\",\"level\":\"{}\",\"msg\":", format_rfc3339(at), level_name(level));
  append_json_string(line, message);
  line += ",\"test\":";
  append_json_string(line, source.test);
  line += fmt::format(",\"worker\":{},\"op\":", source.worker);
  append_json_string(line, source.op);
  for (const LogField& field : fields) {
    line += ',';
    append_json_string(line, field.name);
    line += ':';
    append_json_value(line, field.value);
  }
  line += "}\n";
  return line;
}

// A line that cannot be written (disk full, stderr closed) is lost: a load test does not end for it. How many
// bytes were written; with errno where not all.
std::size_t write_all(int fd, std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
  return written;
}

// What is to be said about it on stderr: at the first line of a file that is lost.
std::string write_line(Log::File& file, std::string_view line) {
  // A full disk may have cut the line before: this one begins anew.
  if (file.torn) file.torn = write_all(file.fd, "\n") != 1;
  const std::size_t written = file.torn ? 0 : write_all(file.fd, line);
  if (written == line.size()) return {};
  const std::string why = std::strerror(errno);
  file.torn = file.torn || written > 0;
  if (std::exchange(file.lossy, true) || file.path.empty()) return {};
  return fmt::format("cannot write the log file {}: {}; it lacks what does not fit, the load goes on",
                     file.path, why);
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper == "WARN") upper = "WARNING";
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (upper == level_name(level)) return level;
  }
  return usage_error(fmt::format("\"{}\" is not a log level; use DEBUG, INFO, WARNING or ERROR", text));
}

void configure_log(const LogOptions& options) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.level = options.level;
  log.json = options.json;
  log.colour = options.colour;
}

Result<void> open_log_file(const std::filesystem::path& path, LogLoss loss) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) {
    return usage_error(fmt::format("cannot write the log file {}: {}; choose a place that can be written",
                                   path.string(), std::strerror(errno)));
  }
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.files.push_back({.fd = file, .path = loss == LogLoss::told ? path.string() : std::string()});
  return {};
}

void close_log_files() {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  for (const Log::File& file : log.files) close(file.fd);
  log.files.clear();
}

void set_log_hooks(void (*before)(), void (*after)()) {
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  log.before = before;
  log.after = after;
}

bool log_enabled(LogLevel level) {
  return level >= the_log().level.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, const LogSource& source, std::string_view message,
              std::span<const LogField> fields) {
  if (!log_enabled(level)) return;
  Log& log = the_log();
  const std::lock_guard lock(log.mutex);
  // Inside the lock, so that the times of a file never go backwards.
  const WallTime at = wall_now();
  const std::string line = log.json ? json_line(at, level, source, message, fields)
                                    : text_line(at, level, source, message, log.colour);
  if (log.before != nullptr) log.before();
  write_all(STDERR_FILENO, line);
  if (log.after != nullptr) log.after();
  if (log.files.empty()) return;
  // Colours are for the terminal only.
  const bool coloured = log.colour && !log.json;
  const std::string plain = coloured ? text_line(at, level, source, message, false) : line;
  std::string losses;
  for (Log::File& file : log.files) {
    const std::string loss = write_line(file, plain);
    if (loss.empty()) continue;
    losses += log.json ? json_line(at, LogLevel::error, {}, loss, {})
                       : text_line(at, LogLevel::error, {}, loss, log.colour);
  }
  if (losses.empty()) return;
  if (log.before != nullptr) log.before();
  write_all(STDERR_FILENO, losses);
  if (log.after != nullptr) log.after();
}

}  // namespace s3lt
