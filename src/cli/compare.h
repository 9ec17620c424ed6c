// s3loadtest compare A B: two runs side by side, and whether they differ.
#pragma once

#include <string>
#include <vector>

#include "cli/run_flags.h"
#include "results/change_rule.h"

namespace s3lt {

struct CompareFlags {
  CommonFlags common;
  std::vector<std::string> words;   // two run directories
  std::vector<ChangeRule> fail_if;  // changes that are failures
  std::string html;                 // where a page goes; empty: nowhere
  bool force = false;               // also runs of different settings
  bool json = false;
};

void add_compare_flags(CLI::App& app, CompareFlags& flags);
int compare_command(const CompareFlags& flags);  // the exit status: 1 where a --fail-if failed

}  // namespace s3lt
