#include "results/unfinished_run.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <optional>

#include "base/units.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

// The last line that is whole; a run of days has a long file of short lines.
std::string last_line(const fs::path& path) {
  constexpr std::streamoff most = 256 * 1024;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg(), begin = std::max<std::streamoff>(0, size - most);
  std::string tail(static_cast<std::size_t>(size - begin), '\0');
  file.seekg(begin);
  file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  const std::size_t end = tail.rfind('\n');
  if (end == std::string::npos) return {};
  const std::size_t before = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
  if (before == std::string::npos && begin > 0) return {};
  return tail.substr(before == std::string::npos ? 0 : before + 1,
                     end - (before == std::string::npos ? 0 : before + 1));
}

struct Last {
  double seconds = 0, objects = 0;
};

double number(const boost::json::value& value) {
  return value.is_number() ? value.to_number<double>() : 0;
}

// What its last finished second counted.
std::optional<Last> last_second(const fs::path& run_directory) {
  boost::system::error_code error;
  const boost::json::value line = boost::json::parse(last_line(run_directory / "series.jsonl"), error);
  if (error || !line.is_object()) return std::nullopt;
  const boost::json::object& second = line.get_object();
  Last last;
  if (const auto* to = second.if_contains("to")) last.seconds = number(*to);
  const auto* patterns = second.if_contains("patterns");
  if (patterns == nullptr || !patterns->is_object()) return last;
  for (const auto& [name, pattern] : patterns->get_object()) {
    const auto* keys = pattern.is_object() ? pattern.get_object().if_contains("keys") : nullptr;
    if (keys == nullptr || !keys->is_object()) continue;
    for (const char* counter : {"alive", "unknown"}) {
      if (const auto* n = keys->get_object().if_contains(counter)) last.objects += number(*n);
    }
  }
  return last;
}

}  // namespace

std::string describe_unfinished_run(const fs::path& run_directory, const std::string& holder,
                                    const std::string& what) {
  std::string text = fmt::format("the run before this one ({}) did not end: ", holder);
  std::error_code ignored;
  if (!fs::exists(run_directory / "run.json", ignored)) {
    return text + fmt::format(
                      "its directory {} is gone; objects of it may be under {}: this run goes on with "
                      "those that the key journal names",
                      run_directory.string(), what);
  }
  if (fs::exists(run_directory / "summary.json", ignored)) {
    return text + fmt::format("{} has its summary all the same; this run goes on with its objects under {}",
                              run_directory.string(), what);
  }
  const auto last = last_second(run_directory);
  if (!last) {
    return text + fmt::format(
                      "{} ends before its first second; objects of its prefill may be under {}: this run "
                      "goes on with those that the key journal names",
                      run_directory.string(), what);
  }
  return text + fmt::format(
                    "{} holds its first {}; it left about {} objects under {}: this run goes on with those "
                    "that the key journal names, and cleanup finds the rest",
                    run_directory.string(), format_duration(seconds(std::round(last->seconds))),
                    format_count(static_cast<std::uint64_t>(std::max(0.0, last->objects))), what);
}

}  // namespace s3lt
