#include "cli/settings_of.h"

#include <unistd.h>

#include <cstdlib>

#include "s3/wire_profile.h"

namespace s3lt {
namespace {

SettingsSources sources_of(const CommonFlags& flags) {
  SettingsSources sources = process_sources();
  sources.env_file = flags.env_file;
  sources.endpoints = flags.endpoints;
  sources.bucket = flags.bucket;
  for (const WireProfile* profile : wire_profiles()) sources.backends.push_back(profile->name());
  return sources;
}

}  // namespace

bool is_live(const Settings& settings) {
  return isatty(STDERR_FILENO) != 0 && !settings.log_json;
}

Result<Settings> settings_of(const CommonFlags& flags, const std::string& backend,
                             std::optional<LogLevel> level) {
  SettingsSources sources = sources_of(flags);
  sources.backend = backend;
  auto settings = load_settings(sources);
  if (!settings) return settings;
  configure_log({.level = level.value_or(settings->log_level.value_or(LogLevel::info)),
                 .json = settings->log_json,
                 .colour = is_live(*settings) && std::getenv("NO_COLOR") == nullptr});
  if (!settings->log_file.empty()) {
    if (const auto opened = open_log_file(settings->log_file); !opened)
      return std::unexpected(Error{opened.error().kind, "LOADTEST_LOG_FILE: " + opened.error().message});
  }
  for (const std::string& warning : settings->warnings) log_warning(warning);
  return settings;
}

Result<Settings> local_settings(const CommonFlags& flags) {
  SettingsSources sources = sources_of(flags);
  sources.storage_needed = false;
  return load_settings(sources);
}

}  // namespace s3lt
