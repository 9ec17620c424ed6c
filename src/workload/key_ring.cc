#include "workload/key_ring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <new>

namespace s3lt {
namespace {

constexpr std::uint64_t free_slot = 0, dead_slot = 1;

constexpr std::uint64_t live_state(std::uint64_t micros) {
  return micros << 2 | 2;
}
constexpr bool is_live_state(std::uint64_t state) {
  return (state & 2) != 0;
}

using Word = std::atomic_ref<std::uint64_t>;

}  // namespace

KeyRing::KeyRing(std::uint64_t keys)
    : slots_per_page_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / sizeof(Slot)),
      capacity_(std::bit_ceil(std::max<std::uint64_t>(2 * keys, 1024) + slots_per_page_)),
      mask_(capacity_ - 1),
      room_(capacity_ - slots_per_page_) {
  void* memory = mmap(nullptr, capacity_ * sizeof(Slot), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  slots_ = static_cast<Slot*>(memory);
}

KeyRing::~KeyRing() {
  munmap(slots_, capacity_ * sizeof(Slot));
}

bool KeyRing::push(const KeyStamp& key) {
  std::uint64_t position = tail_.load(std::memory_order_relaxed);
  do {
    if (position - head_.load(std::memory_order_acquire) >= room_) return false;
  } while (!tail_.compare_exchange_weak(position, position + 1, std::memory_order_acq_rel));
  Slot& s = slot(position);
  Word(s.suffix).store(key.suffix, std::memory_order_release);
  live_.fetch_add(1, std::memory_order_relaxed);
  Word(s.state).store(live_state(key.micros), std::memory_order_release);
  return true;
}

// A slot may be removed and used anew while we read it: its state, which holds the time of the key, is then
// another one at the second look.
std::optional<KeyRing::Entry> KeyRing::read(std::uint64_t position) const {
  Slot& s = slot(position);
  const std::uint64_t state = Word(s.state).load(std::memory_order_acquire);
  if (!is_live_state(state)) return std::nullopt;
  const std::uint64_t suffix = Word(s.suffix).load(std::memory_order_acquire);
  if (Word(s.state).load(std::memory_order_relaxed) != state) return std::nullopt;
  return Entry{{state >> 2, static_cast<std::uint32_t>(suffix)}, position};
}

std::optional<KeyRing::Entry> KeyRing::pick(Random& random) const {
  const std::uint64_t head = head_.load(std::memory_order_acquire);
  const std::uint64_t used = tail_.load(std::memory_order_acquire) - head;
  if (used == 0 || live() == 0) return std::nullopt;
  // Among slots of which most are live, a few draws find one, and each live one equally often.
  for (int draws = 0; draws < 64; ++draws) {
    if (const auto entry = read(head + random.below(used))) return entry;
  }
  const std::uint64_t start = random.below(used);
  for (std::uint64_t i = 0; i < used; ++i) {
    if (const auto entry = read(head + (start + i) % used)) return entry;
  }
  return std::nullopt;
}

std::optional<KeyRing::Entry> KeyRing::oldest() const {
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  for (std::uint64_t at = head_.load(std::memory_order_acquire); at < tail; ++at) {
    if (const auto entry = read(at)) return entry;
  }
  return std::nullopt;
}

bool KeyRing::is_live(const Entry& entry) const {
  const auto there = read(entry.position);
  return there && there->key == entry.key;
}

bool KeyRing::remove(const Entry& entry) {
  std::uint64_t expected = live_state(entry.key.micros);
  if (!Word(slot(entry.position).state)
           .compare_exchange_strong(expected, dead_slot, std::memory_order_acq_rel)) {
    return false;
  }
  live_.fetch_sub(1, std::memory_order_relaxed);
  move_head();
  return true;
}

std::uint64_t KeyRing::remove_all(std::span<const KeyStamp> keys, std::vector<KeyStamp>* absent) {
  std::uint64_t removed = 0;
  std::vector<bool> here(keys.size());
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  for (std::uint64_t at = head_.load(std::memory_order_acquire); at < tail && removed < keys.size(); ++at) {
    const auto entry = read(at);
    if (!entry) continue;
    const auto found = std::lower_bound(keys.begin(), keys.end(), entry->key);
    if (found == keys.end() || *found != entry->key || !remove(*entry)) continue;
    here[static_cast<std::size_t>(found - keys.begin())] = true;
    ++removed;
  }
  for (std::size_t i = 0; absent != nullptr && i < keys.size(); ++i) {
    if (!here[i]) absent->push_back(keys[i]);
  }
  return removed;
}

std::vector<KeyStamp> KeyRing::all() const {
  std::vector<KeyStamp> keys;
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  for (std::uint64_t at = head_.load(std::memory_order_acquire); at < tail; ++at) {
    if (const auto entry = read(at)) keys.push_back(entry->key);
  }
  return keys;
}

bool KeyRing::is_crowded() const {
  return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_relaxed) > room_ / 4 * 3;
}

void KeyRing::move_head() {
  if (head_moving_.test_and_set(std::memory_order_acquire)) return;  // another thread is at it
  std::uint64_t at = head_.load(std::memory_order_relaxed);
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  while (at < tail && Word(slot(at).state).load(std::memory_order_acquire) == dead_slot) {
    Word(slot(at).state).store(free_slot, std::memory_order_release);
    // A whole page of free slots behind the head, which reads as zeros either way.
    const std::uint64_t next = at + 1;
    if (next % slots_per_page_ == 0) {
      madvise(&slot(next - slots_per_page_), slots_per_page_ * sizeof(Slot), MADV_DONTNEED);
    }
    head_.store(at = next, std::memory_order_release);
  }
  head_moving_.clear(std::memory_order_release);
}

}  // namespace s3lt
