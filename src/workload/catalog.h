// The keys of one pattern that a process knows to exist: picked uniformly in O(1), forgotten oldest first
// when there are too many. Shared by all threads and patterns; thread-safe, and without a lock on the way of
// an operation that succeeds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "workload/key_ring.h"
#include "workload/pattern.h"

namespace s3lt {

// A key without what all keys of its size share: `{prefix}{worker}/{size}/{pattern}/` + micros + `/` +
// suffix.
struct KeyId {
  std::uint32_t size_class = 0;  // index into its key space's sizes
  std::uint32_t suffix = 0;      // 8 hex digits
  std::uint64_t micros = 0;
  bool operator==(const KeyId&) const = default;
};

// Keys that the tester did not make up: the earlier tool's, or listed. Nobody knows their objects' bytes.
struct GivenKey {
  std::string key, size;  // the label of a size
};
using GivenKeys = std::shared_ptr<const std::vector<GivenKey>>;

// Writes keys of one pattern and worker.
class KeyNames {
 public:
  KeyNames(std::string_view prefix, unsigned worker, std::string_view pattern,
           std::span<const SizeClass> sizes);
  // Names that were given elsewhere: key number `micros` is (*keys)[micros].
  explicit KeyNames(GivenKeys keys) : keys_(std::move(keys)) {}
  // The whole key, in `out`.
  void write(const KeyId& id, std::string& out) const;

 private:
  std::vector<std::string> stems_;  // by size class
  GivenKeys keys_;
};

class Catalog {
 public:
  struct Limits {
    std::uint64_t keys = 5000, bytes = std::uint64_t(20) << 30;
  };
  static constexpr std::uint64_t most_keys = 32 << 20;  // that a limit may allow
  // `room`: how many keys of each size it has to hold at least, where that is more than the limits allow.
  Catalog(std::span<const SizeClass> sizes, Limits limits, std::uint64_t room = 0);

  // A stored key with its place, so that it can later be asked for or removed.
  struct Entry {
    KeyId id;
    std::uint64_t position = 0;  // its place in its size's ring
  };

  // A key of that size that was stored and not removed; nothing where there is none.
  std::optional<Entry> pick(std::uint32_t size_class, Random& random) const;
  std::uint64_t alive(std::uint32_t size_class) const { return classes_[size_class]->ring.live(); }
  // Whether nobody has removed it since it was picked.
  bool alive(const Entry& entry) const;

  void written(const KeyId& id);    // a PUT that ended ok
  void uncertain(const KeyId& id);  // a PUT or DELETE that was cut or failed: it may exist, never read
  // Takes a picked key out of reach: true where this call did it (its deletion is then the caller's).
  bool remove(const Entry& entry);
  // Keys of one size, in ascending order, that were deleted by somebody: takes those that are here out. Those
  // that take_excess() gave away, and whose deletion has not failed, go to `taken`.
  void deleted(std::uint32_t size_class, std::span<const KeyStamp> keys,
               std::vector<KeyStamp>* taken = nullptr);
  // The live keys of one size, in ascending order.
  std::vector<KeyStamp> all(std::uint32_t size_class) const;

  // The oldest key, certain or not, when there are more than the limits allow; it is out of reach from now
  // on and its deletion the caller's.
  std::optional<KeyId> take_excess();
  bool has_excess() const {
    return alive() + unknown() > limits_.keys || bytes_.load(std::memory_order_relaxed) > most_bytes_ ||
           crowded_.load(std::memory_order_relaxed);
  }

  std::uint64_t alive() const { return alive_.load(std::memory_order_relaxed); }
  std::uint64_t unknown() const { return unknown_count_.load(std::memory_order_relaxed); }

 private:
  struct Class {
    Class(std::uint64_t keys, std::uint64_t bytes) : ring(keys), object_bytes(bytes) {}
    KeyRing ring;
    const std::uint64_t object_bytes;
  };
  void forget(std::uint32_t size_class, std::uint64_t keys);
  std::atomic<std::uint64_t>& gone_early(std::uint64_t mark) { return gone_early_[mark % gone_early_slots]; }
  std::atomic<std::uint64_t>& taken(std::uint64_t mark) { return taken_[mark % taken_slots]; }
  bool take_crowded(KeyId& id);
  void mark_taken(const KeyId& id);

  const Limits limits_;
  const std::int64_t most_bytes_;
  std::vector<std::unique_ptr<Class>> classes_;
  std::atomic<std::uint64_t> alive_{0}, unknown_count_{0};
  std::atomic<std::int64_t> bytes_{0};
  std::atomic<bool> crowded_{false};  // a ring has little room left
  // Marks of keys that were listed and deleted while the PUT that made them had not ended here. A slot holds
  // the last mark that fell on it: bounded, and one that is lost costs an error that should be a not_found.
  static constexpr std::size_t gone_early_slots = 8192;
  std::unique_ptr<std::atomic<std::uint64_t>[]> gone_early_;
  // Marks of keys that take_excess() gave away; one that is lost costs a key that is counted twice.
  static constexpr std::size_t taken_slots = 8192;
  std::unique_ptr<std::atomic<std::uint64_t>[]> taken_;
  mutable std::mutex unknown_mutex_;
  std::deque<KeyId> unknown_;
};

}  // namespace s3lt
