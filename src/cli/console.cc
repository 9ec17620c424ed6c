#include "cli/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace s3lt {
namespace {

// False, with errno, where not everything was written.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

int fail(const Error& error) {
  std::string line = "s3loadtest: ";
  for (std::size_t i = 0; i < error.message.size(); ++i) {
    const char c = error.message[i];
    const auto byte = static_cast<unsigned char>(c);
    // An indented line goes on with what is above it: an expression, and the caret under its mistake.
    const bool goes_on = c == '\n' && std::string_view(error.message).substr(i + 1).starts_with("  ");
    if (!goes_on && (byte < 0x20 || byte == 0x7f)) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  line += '\n';
  write_all(STDERR_FILENO, line);
  return error.kind == ErrorKind::usage ? 2 : 3;
}

int fail_usage(const std::string& sentence) {
  return fail({ErrorKind::usage, sentence});
}

Result<void> print(std::string_view text) {
  if (write_all(STDOUT_FILENO, text) || errno == EPIPE) return {};
  return unavailable(
      fmt::format("cannot write to stdout: {}; send it to a place that has room", std::strerror(errno)));
}

int print_and_end(std::string_view text) {
  const auto printed = print(text);
  return printed ? 0 : fail(printed.error());
}

TextStyle style_of_stdout() {
  winsize size{};
  const bool sized = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {.width = sized ? size.ws_col : 100U,
          .colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr};
}

}  // namespace s3lt
