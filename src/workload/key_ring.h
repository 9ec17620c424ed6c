// The keys of one size in the order in which they were written: picked uniformly, removed anywhere, forgotten
// at the front. Thread-safe without locks: any number of threads may do anything at once.
//
// A ring of slots of 16 bytes, of which [head, tail) are in use. A slot is free, live or dead: a push takes
// the slot at the tail, a removal leaves it dead, and once the slots at the head are dead the head moves
// over them. Memory that the head has passed goes back to the system, so that what is held follows from the
// keys that live and not from the ring's capacity.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"

namespace s3lt {

// What tells a key from the others of its size and pattern.
struct KeyStamp {
  std::uint64_t micros = 0;  // below 2^62
  std::uint32_t suffix = 0;
  auto operator<=>(const KeyStamp&) const = default;
};

class KeyRing {
 public:
  struct Entry {
    KeyStamp key;
    std::uint64_t position = 0;
  };

  // Room for `keys` live keys and as many dead ones among them.
  explicit KeyRing(std::uint64_t keys);
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  bool push(const KeyStamp& key);  // false: there is no room
  // One of the live keys; nothing where there is none.
  std::optional<Entry> pick(Random& random) const;
  std::optional<Entry> oldest() const;
  bool is_live(const Entry& entry) const;
  // True for the one call that removed it.
  bool remove(const Entry& entry);
  // Removes those of `keys` (in ascending order) that are here: how many. The others go to `absent`.
  std::uint64_t remove_all(std::span<const KeyStamp> keys, std::vector<KeyStamp>* absent = nullptr);

  std::vector<KeyStamp> all() const;  // the live keys, oldest first

  std::uint64_t live() const { return live_.load(std::memory_order_relaxed); }
  // Whether three quarters of the room are in use, dead slots included: removing the oldest keys makes more.
  bool is_crowded() const;

 private:
  struct Slot {
    std::uint64_t state;  // free, dead, or 4 * micros + 2
    std::uint64_t suffix;
  };
  Slot& slot(std::uint64_t position) const { return slots_[position & mask_]; }
  std::optional<Entry> read(std::uint64_t position) const;
  void move_head();

  std::uint64_t slots_per_page_, capacity_, mask_;
  // Slots in use at most: a page less than there are, so that the page that the head is about to leave, and
  // to give back, is nobody's yet.
  std::uint64_t room_;
  Slot* slots_;  // mapped, zero: free
  alignas(64) std::atomic<std::uint64_t> head_{0};
  std::atomic_flag head_moving_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::atomic<std::uint64_t> live_{0};
};

}  // namespace s3lt
