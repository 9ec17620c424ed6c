// How far a command is that takes its time: on a terminal a line that is rewritten, else a log line now and
// then.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace s3lt {

class Progress {
 public:
  explicit Progress(bool live) : live_(live) {}
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Cheap to call often: shown ten times a second at most, and not in the first.
  void say(std::string_view text);
  // Takes the line away.
  void end();

 private:
  const bool live_;
  const TimePoint begin_ = now();
  TimePoint next_ = begin_ + std::chrono::seconds(1);
  bool shown_ = false;
};

}  // namespace s3lt
