// What every command that talks to a storage does first: settings from flags, environment and `.env`, the log
// as they want it, and their warnings in it.
#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "cli/run_flags.h"
#include "config/settings.h"

namespace s3lt {

// `backend` and `level` are what flags say; empty where they say nothing.
Result<Settings> settings_of(const CommonFlags& flags, const std::string& backend = {},
                             std::optional<LogLevel> level = {});

// Of commands that need no storage, and whose output is no log.
Result<Settings> local_settings(const CommonFlags& flags);

// Whether stderr is for people who look at it now.
bool is_live(const Settings& settings);

}  // namespace s3lt
