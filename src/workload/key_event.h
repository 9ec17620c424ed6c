// What happened to a key, so that other processes of the worker can be told (docs/formats.md, "Key journal").
// Plain values; KeyClasses is thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "workload/key_ring.h"

namespace s3lt {

enum class KeyFate : std::uint8_t {
  written,    // it exists
  deleted,    // it does not, or is about to be deleted
  uncertain,  // it may exist: never read, deleted when room is needed
};

// Keys that differ in their stamps only.
struct KeyClass {
  std::string pattern, size;  // the size's label
};

struct KeyEvent {
  KeyFate fate{};
  std::uint32_t key_class = 0;  // index into KeyClasses
  KeyStamp key;
  bool operator==(const KeyEvent&) const = default;
};

// Short names for key classes: numbers from 0 in the order in which they were first asked for.
class KeyClasses {
 public:
  std::uint32_t number(std::string_view pattern, std::string_view size) {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = numbers_.try_emplace({std::string(pattern), std::string(size)},
                                                   static_cast<std::uint32_t>(classes_.size()));
    if (is_new) classes_.push_back({std::string(pattern), std::string(size)});
    return at->second;
  }
  // Stays valid as long as this object.
  const KeyClass& at(std::uint32_t number) const {
    const std::lock_guard lock(mutex_);
    return classes_[number];
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> numbers_;
  std::deque<KeyClass> classes_;
};

}  // namespace s3lt
