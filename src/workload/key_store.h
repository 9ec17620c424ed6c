// The keys of all patterns of a process, one catalog each, shared by its threads and patterns: what one
// pattern wrote another may read, and what the delete pattern took is gone for all. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workload/catalog.h"
#include "workload/key_event.h"

namespace s3lt {

// Which keys a process has to know.
struct KeySpaceSpec {
  std::string pattern;           // that writes them
  std::vector<SizeClass> sizes;  // those that the pattern writes first, then those of keys that are left
  bool others = false;           // written by other processes: read here, and nothing else
  std::uint64_t room = 0;        // keys of each size, beyond the limits
  // The only keys, where there are some: read, and nothing else; nobody knows whether they are still there.
  GivenKeys given = {};
};

// The keys that one pattern writes.
struct KeySpace {
  KeySpace(std::string_view prefix, unsigned worker, const KeySpaceSpec& spec, Catalog::Limits limits,
           KeyClasses& classes);
  const std::string pattern;
  const std::vector<SizeClass> sizes;
  const bool others, given;
  const std::vector<std::uint32_t> key_classes;  // by size: their numbers in KeyStore::classes()
  KeyNames names;
  Catalog catalog;
  // Whether another process may be deleting its keys at this moment.
  std::atomic<bool> deleted_elsewhere{false};

  std::optional<std::uint32_t> size_class(std::string_view label) const;
};

class KeyStore {
 public:
  KeyStore(std::string_view prefix, unsigned worker, std::span<const KeySpaceSpec> specs,
           Catalog::Limits limits);

  KeySpace& space(std::size_t spec) { return *spaces_[spec]; }
  std::span<const std::unique_ptr<KeySpace>> spaces() { return spaces_; }
  KeySpace* find(std::string_view pattern);
  KeyClasses& classes() { return classes_; }

  // Objects that somebody deletes: their keys as listed, in any order. Which of them (ascending indices) a
  // trim has taken: their deletion, and their count, are the trim's.
  std::vector<std::size_t> deleted(std::span<const std::string_view> keys);
  // Objects that deleted() was told of, and that may exist all the same: their deletion failed.
  void uncertain(std::span<const std::string_view> keys);

  // Keys written before this time (microseconds since 1970) may have been deleted, and nobody said so: the
  // process that did was killed.
  void doubt(std::uint64_t micros);
  // Whether a deletion that we know nothing of, or not yet, may have taken this key.
  bool may_be_deleted(const KeySpace& space, const KeyId& id) const {
    return space.deleted_elsewhere.load(std::memory_order_relaxed) ||
           id.micros < doubt_micros_.load(std::memory_order_relaxed);
  }

  // The class and stamp of a key of this worker; nothing where it is none. Takes a lock.
  std::optional<std::pair<std::uint32_t, KeyStamp>> identify(std::string_view key);

 private:
  struct Place {
    KeySpace* space = nullptr;
    KeyId id;
  };
  std::optional<Place> place(std::string_view key);  // nothing where the key is none of ours
  const std::string stem_;                           // `{prefix}{worker}/`
  KeyClasses classes_;
  std::vector<std::unique_ptr<KeySpace>> spaces_;
  std::atomic<std::uint64_t> doubt_micros_{0};
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
