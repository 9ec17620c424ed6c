// The file of a program that is to be started, and what keeps it from running here. Thread-safe.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace s3lt {

// A name without a slash is looked for in the directories of `path` (as in PATH). The absolute path; or an
// error that says what is wrong with the file, without a remedy: "there is no s3pool in PATH", "/opt/s3pool
// is not executable", "… is a program for another machine (aarch64), not for this one (x86_64)".
Result<std::filesystem::path> find_program(std::string_view name, std::string_view path);

}  // namespace s3lt
