#include "config/source_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "config/setting_names.h"

namespace s3lt {
namespace {

constexpr std::array<std::string_view, 6> proxy_names = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                                         "https_proxy", "ALL_PROXY",  "all_proxy"};

Result<EnvFile> read(const std::filesystem::path& path) {
  const std::string shown = path.lexically_normal().string();
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return usage_error(fmt::format("{} is a directory; it must be a file of NAME=value lines", shown));
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (stream && stream.peek() != std::ifstream::traits_type::eof()) text << stream.rdbuf();
  if (!stream.is_open() || stream.bad()) {
    return usage_error(fmt::format("cannot read {}: {}; check the path and who may read it", shown,
                                   errno == 0 ? "input error" : std::strerror(errno)));
  }
  auto entries = parse_dotenv(text.str(), shown);
  if (!entries) return std::unexpected(std::move(entries.error()));
  return EnvFile{shown, std::move(*entries)};
}

}  // namespace

Result<EnvFile> read_env_file(const std::filesystem::path& chosen, const std::filesystem::path& working_dir,
                              const std::filesystem::path& home_dir) {
  if (!chosen.empty()) return read(chosen);
  std::vector<std::filesystem::path> places = {working_dir / ".env"};
  if (!home_dir.empty()) places.push_back(home_dir / ".s3loadtest" / ".env");
  for (const auto& place : places) {
    std::error_code error;
    // A file that is there but cannot be read is an error, never skipped.
    if (std::filesystem::exists(place, error) || error) return read(place);
  }
  return EnvFile{};
}

const DotenvEntry* SourceValues::in_file(std::string_view name) const {
  const DotenvEntry* last = nullptr;
  for (const DotenvEntry& entry : file_.entries) {
    if (entry.name == name) last = &entry;
  }
  return last;
}

std::optional<SourcedValue> SourceValues::get(std::string_view name) const {
  if (const auto found = environment_.find(std::string(name)); found != environment_.end()) {
    if (found->second.empty()) return std::nullopt;
    return SourcedValue{found->second, fmt::format("{} (environment)", name), true};
  }
  const DotenvEntry* entry = in_file(name);
  if (entry == nullptr || entry->value.empty()) return std::nullopt;
  return SourcedValue{entry->value, fmt::format("{} ({}:{})", name, file_.path, entry->line), false};
}

bool SourceValues::hidden(std::string_view name) const {
  const auto found = environment_.find(std::string(name));
  const DotenvEntry* entry = in_file(name);
  return found != environment_.end() && found->second.empty() && entry != nullptr && !entry->value.empty();
}

std::string SourceValues::misspelling_of(std::string_view setting) const {
  for (const DotenvEntry& entry : file_.entries) {
    if (misspelt_setting(entry.name) == setting)
      return fmt::format("{} ({}:{})", entry.name, file_.path, entry.line);
  }
  for (const auto& [name, value] : environment_) {
    if (misspelt_setting(name) == setting) return fmt::format("{} (environment)", name);
  }
  return {};
}

std::string SourceValues::origin() const {
  std::vector<std::string_view> taken;
  for (const std::string_view name : setting_names()) {
    if (environment_.contains(std::string(name))) taken.push_back(name);
  }
  if (file_.path.empty()) return "the environment (there is no .env)";
  if (taken.empty()) return file_.path;
  return fmt::format("{}, and from the environment {}", file_.path, fmt::join(taken, ", "));
}

std::vector<std::string> SourceValues::warnings() const {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  const auto check_name = [&](std::string_view name, const std::string& where) {
    const std::string_view meant = misspelt_setting(name);
    if (meant.empty() || !seen.insert(name).second) return;
    out.push_back(
        fmt::format("{} ({}) is not a setting and is ignored; did you mean {}?", name, where, meant));
  };
  for (const DotenvEntry& entry : file_.entries) {
    check_name(entry.name, fmt::format("{}:{}", file_.path, entry.line));
    const DotenvEntry* last = in_file(entry.name);
    if (is_setting_name(entry.name) && last != &entry && last->value != entry.value) {
      out.push_back(fmt::format("{} stands twice in {}: line {} counts, line {} is ignored", entry.name,
                                file_.path, last->line, entry.line));
    }
  }
  for (const auto& [name, value] : environment_) check_name(name, "environment");
  std::vector<std::string_view> proxies;
  for (const std::string_view name : proxy_names) {
    const auto found = environment_.find(std::string(name));
    const DotenvEntry* entry = in_file(name);
    if ((found != environment_.end() && !found->second.empty()) ||
        (entry != nullptr && !entry->value.empty())) {
      proxies.push_back(name);
    }
  }
  if (!proxies.empty()) {
    out.push_back(fmt::format("{} {} ignored: requests go straight to the endpoints",
                              fmt::join(proxies, ", "), proxies.size() == 1 ? "is" : "are"));
  }
  return out;
}

}  // namespace s3lt
