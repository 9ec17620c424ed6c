// s3loadtest patterns list | show NAME.
#pragma once

#include <string>
#include <vector>

namespace s3lt {

// Exit status; `words` are what stands behind `patterns`.
int patterns_command(const std::vector<std::string>& words);

}  // namespace s3lt
