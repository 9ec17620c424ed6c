// What backend proxy needs besides the storage, as far as it can be told without starting an s3pool; runs
// refuse by it, and `check` tells of it. Errors are a run's sentences (docs/errors.md).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "check/facts.h"
#include "cli/run_flags.h"
#include "config/settings.h"
#include "net/stream.h"

namespace s3lt {

// Flags of s3pool that say opposite things, with whatever backend.
Result<void> check_proxy_flags(const RunFlags& flags);
// Whether requests of these credentials under this prefix can be sent through one that we start (`ours`) or
// that is there.
Result<void> can_go_through_s3pool(const Settings& settings, const std::string& prefix, bool ours);
// Where s3pool listens; never empty.
Result<std::vector<Address>> proxy_addresses(const Settings& settings);
// The address as a literal without its port: "127.0.0.1", "::1".
std::string ip_text(const Address& address);
// The file of S3POOL_BINARY.
Result<std::filesystem::path> s3pool_program(const Settings& settings);
// Somebody who is no run of ours listens there: `who` is "process 4711 (nginx)".
Error address_taken(const std::string& address, const std::string& who);

// All of it, for a run with this prefix.
ProxyFact look_at_proxy(const Settings& settings, const std::string& prefix);

}  // namespace s3lt
