// The key files of the earlier tool of this name: loadtest-keys-<pattern>-<worker>.txt, and one a size,
// loadtest-keys-<pattern>-<worker>-<size>.txt; a key a line. Thread-safe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "workload/catalog.h"

namespace s3lt {

struct OldKeys {
  std::vector<GivenKey> keys;  // whole keys under the prefix, each once
  std::size_t ignored = 0;     // lines that are no key of that tool's under this prefix and worker
  std::vector<std::filesystem::path> files;
};

// Those of one pattern and worker in `directory`. A line may hold the key with `prefix` or without. Files
// that cannot be read hold none.
OldKeys read_old_keys(const std::filesystem::path& directory, std::string_view pattern, unsigned worker,
                      std::string_view prefix);

}  // namespace s3lt
