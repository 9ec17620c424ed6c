// The keys of one pattern that one thread's clients have written: picked uniformly in O(1), forgotten
// oldest first when there are too many. A thread's clients read what that thread wrote, so nothing here
// is shared and nothing locks; the threads' counters add up. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "workload/pattern.h"

namespace s3lt {

// A key without what all keys of its size share: `{prefix}{worker}/{size}/{pattern}/` + micros + `/` +
// suffix.
struct KeyId {
  std::uint32_t size_class = 0;  // index into the pattern's sizes
  std::uint32_t suffix = 0;      // 8 hex digits
  std::uint64_t micros = 0;
  bool operator==(const KeyId&) const = default;
};

// Writes keys of one pattern and worker.
class KeyNames {
 public:
  KeyNames(std::string_view prefix, unsigned worker, const Pattern& pattern);
  // The whole key, in `out`.
  void write(const KeyId& id, std::string& out) const;

 private:
  std::vector<std::string> stems_;  // by size class
};

class Catalog {
 public:
  struct Limits {
    std::uint64_t keys = 5000, bytes = std::uint64_t(20) << 30;
  };
  Catalog(const Pattern& pattern, Limits limits);

  // A stored key with its place, so that it can later be asked for or removed.
  struct Entry {
    KeyId id;
    std::uint64_t sequence = 0;  // its place in its size's queue
  };

  // A key of that size that was stored and not removed; nothing where there is none.
  std::optional<Entry> pick(std::uint32_t size_class, Random& random) const;
  bool empty(std::uint32_t size_class) const { return queues_[size_class].alive == 0; }
  // Whether nobody has removed it since it was picked.
  bool alive(const Entry& entry) const;

  void written(const KeyId& id);    // a PUT that ended ok
  void uncertain(const KeyId& id);  // a PUT or DELETE that was cut or failed: it may exist, never read
  // Takes a picked key out of reach: true where this call did it (its deletion is then the caller's).
  bool remove(const Entry& entry);

  // The oldest key, certain or not, when there are more than the limits allow; it is out of reach from now
  // on and its deletion the caller's.
  std::optional<KeyId> take_excess();
  bool has_excess() const { return alive_ + unknown_.size() > limits_.keys || bytes_ > limits_.bytes; }

  std::uint64_t alive() const { return alive_; }
  std::uint64_t unknown() const { return unknown_.size(); }

 private:
  struct Slot {
    std::uint64_t micros = 0;  // 0: removed
    std::uint32_t suffix = 0;
  };
  struct Queue {
    std::deque<Slot> slots;
    std::uint64_t first = 0;  // sequence of slots.front()
    std::uint64_t alive = 0;
    std::uint64_t object_bytes = 0;
  };
  void forget_removed(Queue& queue);

  Limits limits_;
  std::vector<Queue> queues_;
  std::deque<KeyId> unknown_;
  std::uint64_t alive_ = 0, bytes_ = 0;
};

}  // namespace s3lt
