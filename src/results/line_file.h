// A file that only ever holds whole lines: each write is one system call, and what a full disk cut off
// is taken back. Used by one thread. Errors name the path and the system's reason.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace s3lt {

// "cannot write /logs/x/series.jsonl: No space left on device"; reads errno. A full disk is `unavailable`,
// any other reason a place that was chosen wrongly: `usage`.
Error system_failure(std::string_view what, const std::filesystem::path& path);

class LineFile {
 public:
  LineFile() = default;
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile();

  // Makes it; it must not exist yet. It is locked (flock) for as long as it is open.
  Result<void> open(const std::filesystem::path& path);
  Result<void> write(std::string_view lines);  // nothing for no lines
  void remove();                               // the file, where open() made it

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  off_t size_ = 0;
};

// Whether a process, of this user or another, has the LineFile open.
bool is_being_written(const std::filesystem::path& path);

// The whole file or none: written beside it, then put in its place.
Result<void> write_atomically(const std::filesystem::path& path, std::string_view text);

// Makes `link` point to `target` (as written, relative to the link) in one step. A file or directory
// that is no link is never lost: it is first renamed to `link` + ".before-" + `suffix`.
Result<void> replace_link(const std::filesystem::path& link, const std::filesystem::path& target,
                          std::string_view suffix);

}  // namespace s3lt
