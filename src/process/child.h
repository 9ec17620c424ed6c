// A program that we start, watch and end. One object belongs to one thread; it is made and destroyed while
// the process has no other thread (it forks), and ends its child when it goes.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace s3lt {

struct ChildOptions {
  std::vector<std::string> command;  // the program's path and its arguments; no secret stands here
  std::vector<std::pair<std::string, std::string>> environment;  // all of it: nothing is inherited
  std::filesystem::path out, err;        // files that its stdout and stderr go to; they are made anew
  int output = -1;                       // or one descriptor of the caller's for both
  std::filesystem::path directory = {};  // its working directory; empty: ours
  int orphan_signal = SIGTERM;  // that it gets when this process dies; a stopped one heeds SIGKILL alone
};

class Child {
 public:
  // Starts it, in a session of its own (a Ctrl-C in the terminal is ours alone), with stdin at its end. It
  // gets a signal when this process dies. Errors: the program or a file that cannot be opened, with the
  // system's reason.
  static Result<Child> start(const ChildOptions& options);
  ~Child();  // ends it: SIGTERM, and SIGKILL after two seconds
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}
  Child& operator=(Child&& other) noexcept;

  pid_t pid() const { return pid_; }
  // Its exit status (128 + number where a signal ended it), as soon as it has ended.
  std::optional<int> status();
  // The same, waited for until `deadline`.
  std::optional<int> wait(TimePoint deadline);
  // To it and what it started. Nothing where it has ended.
  void signal(int number);
  // SIGTERM, then SIGKILL where it has not ended within `patience`; its exit status.
  int end(Duration patience);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace s3lt
