#include "journal/old_key_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "workload/key_shape.h"

namespace s3lt {
namespace fs = std::filesystem;

OldKeys read_old_keys(const fs::path& directory, std::string_view pattern, unsigned worker,
                      std::string_view prefix) {
  OldKeys found;
  const std::string stem = fmt::format("loadtest-keys-{}-{}", pattern, worker);
  const std::string own = fmt::format("{}/", worker);
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    // Worker 1 is not worker 10: a size or the end follows the number.
    if (name != stem + ".txt" && !(name.starts_with(stem + "-") && name.ends_with(".txt"))) continue;
    found.files.push_back(at->path());
  }
  std::ranges::sort(found.files);
  for (const fs::path& path : found.files) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      line.erase(line.find_last_not_of(" \t\r") + 1);
      if (line.empty()) continue;
      const std::string key = line.starts_with(prefix) ? line : std::string(prefix) + line;
      std::string_view behind = std::string_view(key).substr(prefix.size());
      if (behind.starts_with(own) && is_test_key(behind)) {
        behind.remove_prefix(own.size());
        found.keys.push_back({key, std::string(behind.substr(0, behind.find('/')))});
      } else {
        ++found.ignored;
      }
    }
  }
  std::ranges::sort(found.keys, {}, &GivenKey::key);
  const auto again = std::ranges::unique(found.keys, {}, &GivenKey::key);
  found.keys.erase(again.begin(), again.end());
  return found;
}

}  // namespace s3lt
