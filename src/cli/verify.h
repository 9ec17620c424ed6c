// s3loadtest verify: reads back what load testers of this version wrote and checks every byte (README,
// "Verifying").
#pragma once

#include <optional>
#include <string>

#include "cli/run_flags.h"

namespace s3lt {

struct VerifyFlags {
  CommonFlags common;
  std::string prefix = "loadtest/";
  std::optional<std::uint64_t> worker_id;
  bool json = false;
};

void add_verify_flags(CLI::App& app, VerifyFlags& flags);
int verify_command(const VerifyFlags& flags);

}  // namespace s3lt
