// Where each setting's value comes from: the environment before the one `.env` file. Part of
// settings.cc; values, thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/dotenv.h"

namespace s3lt {

// Finds and reads the `.env` file: `chosen`, which must exist, or the first that exists of
// <working_dir>/.env and <home_dir>/.s3loadtest/.env.
struct EnvFile {
  std::string path;  // as shown to people; empty where there is none
  std::vector<DotenvEntry> entries;
};
Result<EnvFile> read_env_file(const std::filesystem::path& chosen, const std::filesystem::path& working_dir,
                              const std::filesystem::path& home_dir);

struct SourcedValue {
  std::string text;
  std::string where;  // "S3_BUCKET (.env:3)" or "S3_BUCKET (environment)": the start of a message
  bool from_environment = false;
};

class SourceValues {
 public:
  SourceValues(const std::map<std::string, std::string>& environment, EnvFile file)
      : environment_(environment), file_(std::move(file)) {}

  // The value that counts. An empty one is as good as none, but hides the file's where it stands in the
  // environment.
  std::optional<SourcedValue> get(std::string_view name) const;
  // Whether the environment sets it to nothing although the file has a value.
  bool hidden(std::string_view name) const;

  // A name that stands there and probably means this setting, with its place: "S3_BUKET (.env:4)"; or empty.
  std::string misspelling_of(std::string_view setting) const;

  const EnvFile& file() const { return file_; }
  // For people: what was read.
  std::string origin() const;
  // Misspelt names, names set twice, ignored proxies: one sentence each.
  std::vector<std::string> warnings() const;

 private:
  const DotenvEntry* in_file(std::string_view name) const;

  const std::map<std::string, std::string>& environment_;  // must outlive this
  EnvFile file_;
};

}  // namespace s3lt
