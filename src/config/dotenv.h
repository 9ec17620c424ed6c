// The `.env` format: NAME=value lines whose values are taken literally. Pure functions, thread-safe.
//
//   export NAME=value     `export ` is allowed and means nothing
//   NAME="va$lue # 1"     quotes around a value are removed; `$` and `\` stand for themselves
//   NAME=value # comment  `#` begins a comment at the line's start or, outside quotes, after white space
//
// A value that begins with a quote but does not end with it is literal, quote included.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace s3lt {

struct DotenvEntry {
  std::string name;
  std::string value;
  unsigned line = 0;  // from 1
};

// The entries in their order, repeated names included. Errors name `file` and the line, and never show
// what stands there: it may be a secret.
Result<std::vector<DotenvEntry>> parse_dotenv(std::string_view text, std::string_view file);

}  // namespace s3lt
