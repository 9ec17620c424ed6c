// What an s3pool says, on its way to its log file: it comes through a pipe, so that secrets can be taken out,
// its last words are known when it dies, and a long outage does not fill the disk. Used by one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace s3lt {

// The endpoint in a line that says that s3pool takes it for unhealthy from now on; empty in other lines.
std::string given_up_in(std::string_view log_line);

// Whether the s3pool whose log this is has written anything since it was started last.
bool s3pool_wrote(const std::filesystem::path& file);

class S3poolLog {
 public:
  // Adds to `file`, making it and its directory where they are missing. What is in `secrets` is never
  // written.
  static Result<S3poolLog> open(const std::filesystem::path& file, std::vector<std::string> secrets);
  S3poolLog(S3poolLog&& other) noexcept;
  S3poolLog& operator=(S3poolLog&&) = delete;
  ~S3poolLog();

  // Where the child writes; ours to close once it has been started.
  int child_end() const { return child_end_; }
  void close_child_end();
  // What is there to read by now.
  void read();
  int fd() const { return pipe_; }  // readable when there is something; -1 after its end
  // A line of ours.
  void note(const std::string& text);

  // The last line that holds a word, behind the one that begins with "Error:", if any; without colours.
  std::string last_words() const;
  // Endpoints that it said it takes for unhealthy, since the last call.
  std::vector<std::string> take_given_up() { return std::exchange(given_up_, {}); }

 private:
  S3poolLog() = default;
  void take_line(std::string line);
  void write(const std::string& line);

  int file_ = -1, pipe_ = -1, child_end_ = -1;
  std::uint64_t room_ = 0;  // bytes that may still be written
  std::vector<std::string> secrets_, given_up_;
  std::string partial_, error_line_, last_line_;
};

}  // namespace s3lt
