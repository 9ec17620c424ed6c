#include "workload/catalog.h"

#include <fmt/format.h>

#include <algorithm>

namespace s3lt {
namespace {

// Never 0, which is a free slot.
std::uint64_t mark_of(std::uint32_t size_class, const KeyStamp& key) {
  return Random::stream(key.micros, {size_class, key.suffix}).next() | 1ULL << 63;
}

}  // namespace

KeyNames::KeyNames(std::string_view prefix, unsigned worker, std::string_view pattern,
                   std::span<const SizeClass> sizes) {
  for (const SizeClass& size : sizes) {
    stems_.push_back(fmt::format("{}{}/{}/{}/", prefix, worker, size.label, pattern));
  }
}

void KeyNames::write(const KeyId& id, std::string& out) const {
  if (keys_ != nullptr) {
    out = (*keys_)[id.micros].key;
    return;
  }
  out = stems_[id.size_class];
  fmt::format_to(std::back_inserter(out), "{}/{:08x}", id.micros, id.suffix);
}

Catalog::Catalog(std::span<const SizeClass> sizes, Limits limits, std::uint64_t room)
    : limits_(limits),
      most_bytes_(static_cast<std::int64_t>(std::min<std::uint64_t>(limits.bytes, INT64_MAX))),
      gone_early_(std::make_unique<std::atomic<std::uint64_t>[]>(gone_early_slots)),
      taken_(std::make_unique<std::atomic<std::uint64_t>[]>(taken_slots)) {
  for (const SizeClass& size : sizes) {
    classes_.push_back(std::make_unique<Class>(std::max(std::min(limits.keys, most_keys), room), size.bytes));
  }
}

std::optional<Catalog::Entry> Catalog::pick(std::uint32_t size_class, Random& random) const {
  const auto found = classes_[size_class]->ring.pick(random);
  if (!found) return std::nullopt;
  return Entry{{size_class, found->key.suffix, found->key.micros}, found->position};
}

bool Catalog::alive(const Entry& entry) const {
  return classes_[entry.id.size_class]->ring.is_live({{entry.id.micros, entry.id.suffix}, entry.position});
}

void Catalog::written(const KeyId& id) {
  Class& c = *classes_[id.size_class];
  // Counted first: another thread may remove it at once.
  alive_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(static_cast<std::int64_t>(c.object_bytes), std::memory_order_relaxed);
  if (!c.ring.push({id.micros, id.suffix})) {
    forget(id.size_class, 1);
    uncertain(id);  // no room to remember it for reading; it is deleted like the others
    return;
  }
  if (c.ring.is_crowded()) crowded_.store(true, std::memory_order_relaxed);
  // Pushed first, then looked; deleted() marks first, then looks into the ring: one of them sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const KeyStamp stamp{id.micros, id.suffix};
  std::uint64_t mark = mark_of(id.size_class, stamp);
  if (gone_early(mark).load(std::memory_order_relaxed) == mark &&
      gone_early(mark).compare_exchange_strong(mark, 0)) {
    forget(id.size_class, c.ring.remove_all({&stamp, 1}));
  }
}

void Catalog::uncertain(const KeyId& id) {
  // Whoever took it has failed to delete it.
  std::uint64_t mark = mark_of(id.size_class, {id.micros, id.suffix});
  taken(mark).compare_exchange_strong(mark, 0);
  const std::lock_guard lock(unknown_mutex_);
  unknown_.push_back(id);
  unknown_count_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(static_cast<std::int64_t>(classes_[id.size_class]->object_bytes),
                   std::memory_order_relaxed);
}

bool Catalog::remove(const Entry& entry) {
  KeyRing& ring = classes_[entry.id.size_class]->ring;
  if (!ring.remove({{entry.id.micros, entry.id.suffix}, entry.position})) return false;
  forget(entry.id.size_class, 1);
  return true;
}

void Catalog::forget(std::uint32_t size_class, std::uint64_t keys) {
  alive_.fetch_sub(keys, std::memory_order_relaxed);
  bytes_.fetch_sub(static_cast<std::int64_t>(keys * classes_[size_class]->object_bytes),
                   std::memory_order_relaxed);
}

void Catalog::deleted(std::uint32_t size_class, std::span<const KeyStamp> keys,
                      std::vector<KeyStamp>* taken_keys) {
  KeyRing& ring = classes_[size_class]->ring;
  std::vector<KeyStamp> absent;
  forget(size_class, ring.remove_all(keys, &absent));
  if (!absent.empty()) {
    for (const KeyStamp& key : absent) {
      const std::uint64_t mark = mark_of(size_class, key);
      gone_early(mark).store(mark, std::memory_order_relaxed);
      if (taken_keys != nullptr && taken(mark).load() == mark) taken_keys->push_back(key);
    }
    std::atomic_thread_fence(std::memory_order_seq_cst);
    forget(size_class, ring.remove_all(absent));
  }
  if (unknown() == 0) return;
  const std::lock_guard lock(unknown_mutex_);
  const auto gone = std::erase_if(unknown_, [&](const KeyId& id) {
    return id.size_class == size_class &&
           std::binary_search(keys.begin(), keys.end(), KeyStamp{id.micros, id.suffix});
  });
  unknown_count_.fetch_sub(gone, std::memory_order_relaxed);
  bytes_.fetch_sub(static_cast<std::int64_t>(gone * classes_[size_class]->object_bytes),
                   std::memory_order_relaxed);
}

std::vector<KeyStamp> Catalog::all(std::uint32_t size_class) const {
  std::vector<KeyStamp> keys = classes_[size_class]->ring.all();
  std::ranges::sort(keys);
  return keys;
}

// Before the key is removed: whoever then does not find it sees the mark. A mark of one that somebody else
// removed at that moment does no harm: then its deletion is theirs.
void Catalog::mark_taken(const KeyId& id) {
  const std::uint64_t mark = mark_of(id.size_class, {id.micros, id.suffix});
  taken(mark).store(mark);
}

// The oldest key of a ring with little room left.
bool Catalog::take_crowded(KeyId& id) {
  for (std::uint32_t i = 0; i < classes_.size(); ++i) {
    KeyRing& ring = classes_[i]->ring;
    while (ring.is_crowded()) {
      const auto oldest = ring.oldest();
      if (!oldest) break;
      id = {i, oldest->key.suffix, oldest->key.micros};
      mark_taken(id);
      if (!ring.remove(*oldest)) continue;  // another thread took it
      forget(i, 1);
      return true;
    }
  }
  crowded_.store(false, std::memory_order_relaxed);
  return false;
}

std::optional<KeyId> Catalog::take_excess() {
  KeyId id;
  if (crowded_.load(std::memory_order_relaxed) && take_crowded(id)) return id;
  while (has_excess()) {
    std::optional<KeyRing::Entry> oldest;
    std::uint32_t size_class = 0;
    for (std::uint32_t i = 0; i < classes_.size(); ++i) {
      const auto front = classes_[i]->ring.oldest();
      if (!front || (oldest && front->key.micros >= oldest->key.micros)) continue;
      oldest = front;
      size_class = i;
    }
    if (unknown() > 0) {
      const std::lock_guard lock(unknown_mutex_);
      if (!unknown_.empty() && (!oldest || unknown_.front().micros < oldest->key.micros)) {
        id = unknown_.front();
        unknown_.pop_front();
        mark_taken(id);
        unknown_count_.fetch_sub(1, std::memory_order_relaxed);
        bytes_.fetch_sub(static_cast<std::int64_t>(classes_[id.size_class]->object_bytes),
                         std::memory_order_relaxed);
        return id;
      }
    }
    if (!oldest) return std::nullopt;
    id = {size_class, oldest->key.suffix, oldest->key.micros};
    mark_taken(id);
    if (remove({id, oldest->position})) return id;
  }
  return std::nullopt;
}

}  // namespace s3lt
