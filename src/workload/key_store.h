// The keys of all patterns of a process, one catalog each, shared by its threads and patterns: what one
// pattern wrote another may read, and what the delete pattern took is gone for all. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workload/catalog.h"

namespace s3lt {

// The keys that one pattern writes.
struct KeySpace {
  KeySpace(std::string_view prefix, unsigned worker, const Pattern& p, Catalog::Limits limits)
      : pattern(p), names(prefix, worker, p), catalog(p, limits) {}
  const Pattern& pattern;
  KeyNames names;
  Catalog catalog;
};

class KeyStore {
 public:
  // One space for each of `patterns`, which must outlive it.
  KeyStore(std::string_view prefix, unsigned worker, std::span<const Pattern* const> patterns,
           Catalog::Limits limits);

  KeySpace& space(std::size_t pattern) { return *spaces_[pattern]; }
  KeySpace* find(std::string_view pattern);
  // Objects that somebody deleted: their keys as listed, in any order.
  void deleted(std::span<const std::string_view> keys);
  // Objects that deleted() was told of, and that may exist all the same: their deletion failed.
  void uncertain(std::span<const std::string_view> keys);

 private:
  struct Place {
    KeySpace* space = nullptr;
    KeyId id;
  };
  std::optional<Place> place(std::string_view key);  // nothing where the key is none of ours
  const std::string stem_;                           // `{prefix}{worker}/`
  std::vector<std::unique_ptr<KeySpace>> spaces_;
};

// Where a pattern's reads find their keys: its own, or those of other patterns.
class KeySource {
 public:
  // The keys of every pattern in `spaces`; `sizes` are those of the reader, matched by label.
  KeySource(std::vector<KeySpace*> spaces, std::span<const SizeClass> sizes);

  struct Picked {
    KeySpace* space = nullptr;
    Catalog::Entry entry;
  };
  // A key of the reader's size class, each equally likely; nothing where there is none.
  std::optional<Picked> pick(std::uint32_t size_class, Random& random) const;
  // A size class among those that have keys, each equally often; nothing where none has.
  std::optional<std::uint32_t> any_size(Random& random) const;

 private:
  struct Place {
    KeySpace* space = nullptr;
    std::uint32_t size_class = 0;  // of that space's pattern
    std::uint64_t keys() const { return space->catalog.alive(size_class); }
  };
  std::vector<std::vector<Place>> places_;  // by the reader's size class
};

}  // namespace s3lt
