#include "process/s3pool_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include "base/clock.h"

namespace s3lt {
namespace {

// A line for each failed request: an outage of hours says nothing new.
constexpr std::uint64_t most_bytes = 64 << 20;
constexpr std::size_t longest_line = 8 << 10, longest_shown = 300;

// Without the escape sequences of colours.
std::string plain(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
      i = std::min(line.find('m', i), line.size());
    } else {
      out += line[i];
    }
  }
  return out;
}

void blot_out(std::string& line, const std::string& secret) {
  if (secret.empty()) return;
  for (std::size_t at = 0; (at = line.find(secret, at)) != line.npos; at += 3)
    line.replace(at, secret.size(), "***");
}

constexpr std::string_view our_name = " s3loadtest: ";

}  // namespace

std::string given_up_in(std::string_view log_line) {
  constexpr std::string_view field = "backend=";
  if (log_line.find("unhealthy") == log_line.npos || log_line.find("multipart") != log_line.npos) return {};
  const std::size_t at = log_line.find(field);
  if (at == log_line.npos) return {};
  log_line.remove_prefix(at + field.size());
  return std::string(log_line.substr(0, log_line.find_first_of(" \t\"")));
}

bool s3pool_wrote(const std::filesystem::path& file) {
  std::ifstream in(file);
  bool wrote = false;
  for (std::string line; std::getline(in, line);) {
    if (line.find(our_name) != line.npos) {
      wrote = false;
    } else if (line.find_first_not_of(" \t\r") != line.npos) {
      wrote = true;
    }
  }
  return wrote;
}

Result<S3poolLog> S3poolLog::open(const std::filesystem::path& file, std::vector<std::string> secrets) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  S3poolLog log;
  log.secrets_ = std::move(secrets);
  log.file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  std::array<int, 2> ends{-1, -1};
  if (log.file_ < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0)
    return unavailable(fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
  log.pipe_ = ends[0];
  log.child_end_ = ends[1];
  ::fcntl(log.pipe_, F_SETFL, O_NONBLOCK);
  struct stat there {};
  const auto size = ::fstat(log.file_, &there) == 0 ? static_cast<std::uint64_t>(there.st_size) : 0;
  log.room_ = most_bytes - std::min(most_bytes, size);
  return log;
}

S3poolLog::S3poolLog(S3poolLog&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      pipe_(std::exchange(other.pipe_, -1)),
      child_end_(std::exchange(other.child_end_, -1)),
      room_(other.room_),
      secrets_(std::move(other.secrets_)),
      given_up_(std::move(other.given_up_)),
      partial_(std::move(other.partial_)),
      error_line_(std::move(other.error_line_)),
      last_line_(std::move(other.last_line_)) {}

S3poolLog::~S3poolLog() {
  for (const int fd : {file_, pipe_, child_end_}) {
    if (fd >= 0) ::close(fd);
  }
}

void S3poolLog::close_child_end() {
  if (child_end_ >= 0) ::close(std::exchange(child_end_, -1));
}

void S3poolLog::read() {
  std::array<char, 16384> buffer;
  while (pipe_ >= 0) {
    const ssize_t n = ::read(pipe_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    if (n == 0) {
      ::close(std::exchange(pipe_, -1));
      if (!partial_.empty()) take_line(std::exchange(partial_, {}));
      return;
    }
    partial_.append(buffer.data(), static_cast<std::size_t>(n));
    for (std::size_t end = 0; (end = partial_.find('\n')) != partial_.npos;) {
      take_line(partial_.substr(0, end));
      partial_.erase(0, end + 1);
    }
    if (partial_.size() > longest_line) take_line(std::exchange(partial_, {}));
  }
}

void S3poolLog::take_line(std::string line) {
  line = plain(line);
  for (const std::string& secret : secrets_) blot_out(line, secret);
  if (std::string url = given_up_in(line); !url.empty()) given_up_.push_back(std::move(url));
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin != line.npos) last_line_ = line.substr(begin, longest_shown);
  if (line.starts_with("Error: ")) error_line_ = line.substr(0, longest_shown);
  write(line);
}

std::string S3poolLog::last_words() const {
  if (error_line_.empty() || error_line_ == last_line_) return last_line_;
  return fmt::format("{}: {}", error_line_, last_line_);
}

void S3poolLog::note(const std::string& text) {
  write(fmt::format("{}{}{}", format_rfc3339(wall_now()), our_name, text));
}

void S3poolLog::write(const std::string& line) {
  if (room_ == 0) return;
  std::string text = line + "\n";
  const bool full = text.size() > room_;
  if (full) text = "s3loadtest: this log is full; what follows is left out\n";
  room_ = full ? 0 : room_ - text.size();
  // A full disk costs the log, and nothing else.
  if (::write(file_, text.data(), text.size()) < 0) room_ = 0;
}

}  // namespace s3lt
