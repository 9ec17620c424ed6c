// The s3pool that a run with backend proxy asks a keeper for, and why it cannot have it. Pure but for the
// environment and the file system that they read; thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/run_flags.h"
#include "config/settings.h"
#include "process/s3pool_lease.h"

namespace s3lt {

S3poolRequest s3pool_request(const Settings& settings, const RunFlags& flags,
                             const std::filesystem::path& program, const std::string& ip);
// The command of a keeper, for S3poolLease: this and the address.
inline constexpr const char* keeper_command = "keep-s3pool";
// A keeper for this address: this very program.
std::vector<std::string> keeper_of(const std::string& address);
// The sentence of a run (docs/errors.md).
Error problem_with_s3pool(const S3poolProblem& problem, const std::string& address,
                          const S3poolRequest& request);

}  // namespace s3lt
