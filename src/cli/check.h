// s3loadtest check: what the endpoints can do, and what is wrong with them (README, "Checking").
#pragma once

#include <string>

#include "cli/run_flags.h"

namespace s3lt {

struct CheckFlags {
  CommonFlags common;
  std::string prefix = "loadtest/";
  std::string backend;  // empty: the settings'
  bool json = false;
};

void add_check_flags(CLI::App& app, CheckFlags& flags);
int check_command(const CheckFlags& flags);

}  // namespace s3lt
