#include "cli/progress.h"

#include <cstdio>

#include "base/log.h"

namespace s3lt {
namespace {

constexpr auto live_period = std::chrono::milliseconds(100);
constexpr auto log_period = std::chrono::seconds(5);

}  // namespace

void Progress::say(std::string_view text) {
  if (now() < next_) return;
  next_ = now() + (live_ ? Duration(live_period) : Duration(log_period));
  if (!live_) {
    log_info(text);
    return;
  }
  std::fprintf(stderr, "\r\x1b[K%.*s", static_cast<int>(text.size()), text.data());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::end() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace s3lt
