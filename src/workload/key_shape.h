// What keys of ours look like (README, "Keys"): `{prefix}{worker}/{size}/{pattern}/{micros}/{suffix}`; the
// earlier tool's begin `{prefix}{worker}/{size, or other, or elephant}/`. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "workload/key_ring.h"

namespace s3lt {

struct KeyParts {
  std::string_view size, pattern;
  KeyStamp stamp;
};
// The parts of a key of ours behind its `{prefix}{worker}/`; nothing where it is none.
std::optional<KeyParts> parse_key_tail(std::string_view tail);
// The key of these parts behind `{prefix}{worker}/`.
std::string write_key(std::string_view stem, const KeyParts& parts);

// Whether what stands behind the prefix is a test object's key, ours or the earlier tool's: only such keys
// are ever deleted.
bool is_test_key(std::string_view behind_prefix);
// The same of a whole key under a prefix that may be the tester's own, one worker's, or go deeper. A worker's
// number never begins a key: every tester's prefix has a name.
bool is_test_key_under(std::string_view prefix, std::string_view key);
// The prefix of the tester to whom a key belongs that lies deeper ("loadtest/nightly/" of
// "loadtest/nightly/0/1KB/…" under "loadtest/"); empty: it is no tester's.
std::string_view tester_prefix_below(std::string_view prefix, std::string_view key);

}  // namespace s3lt
