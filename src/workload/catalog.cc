#include "workload/catalog.h"

#include <fmt/format.h>

namespace s3lt {

KeyNames::KeyNames(std::string_view prefix, unsigned worker, const Pattern& pattern) {
  for (const SizeClass& size : pattern.sizes) {
    stems_.push_back(fmt::format("{}{}/{}/{}/", prefix, worker, size.label, pattern.name));
  }
}

void KeyNames::write(const KeyId& id, std::string& out) const {
  out = stems_[id.size_class];
  fmt::format_to(std::back_inserter(out), "{}/{:08x}", id.micros, id.suffix);
}

Catalog::Catalog(const Pattern& pattern, Limits limits) : limits_(limits) {
  for (const SizeClass& size : pattern.sizes) queues_.emplace_back().object_bytes = size.bytes;
}

std::optional<Catalog::Entry> Catalog::pick(std::uint32_t size_class, Random& random) const {
  const Queue& queue = queues_[size_class];
  if (queue.alive == 0) return std::nullopt;
  std::size_t at = random.below(queue.slots.size());
  // Removed slots are few: those at the front are forgotten at once.
  while (queue.slots[at].micros == 0) at = (at + 1) % queue.slots.size();
  const Slot& slot = queue.slots[at];
  return Entry{{size_class, slot.suffix, slot.micros}, queue.first + at};
}

bool Catalog::alive(const Entry& entry) const {
  const Queue& queue = queues_[entry.id.size_class];
  if (entry.sequence < queue.first || entry.sequence - queue.first >= queue.slots.size()) return false;
  const Slot& slot = queue.slots[entry.sequence - queue.first];
  return slot.micros == entry.id.micros && slot.suffix == entry.id.suffix;
}

void Catalog::written(const KeyId& id) {
  Queue& queue = queues_[id.size_class];
  queue.slots.push_back({id.micros, id.suffix});
  ++queue.alive;
  ++alive_;
  bytes_ += queue.object_bytes;
}

void Catalog::uncertain(const KeyId& id) {
  unknown_.push_back(id);
  bytes_ += queues_[id.size_class].object_bytes;
}

bool Catalog::remove(const Entry& entry) {
  if (!alive(entry)) return false;
  Queue& queue = queues_[entry.id.size_class];
  queue.slots[entry.sequence - queue.first].micros = 0;
  --queue.alive;
  --alive_;
  bytes_ -= queue.object_bytes;
  forget_removed(queue);
  return true;
}

void Catalog::forget_removed(Queue& queue) {
  while (!queue.slots.empty() && queue.slots.front().micros == 0) {
    queue.slots.pop_front();
    ++queue.first;
  }
}

std::optional<KeyId> Catalog::take_excess() {
  if (!has_excess()) return std::nullopt;
  const Queue* oldest = nullptr;
  std::uint32_t size_class = 0;
  for (std::uint32_t i = 0; i < queues_.size(); ++i) {
    const Queue& queue = queues_[i];
    if (queue.slots.empty()) continue;
    if (oldest == nullptr || queue.slots.front().micros < oldest->slots.front().micros) {
      oldest = &queue;
      size_class = i;
    }
  }
  if (!unknown_.empty() && (oldest == nullptr || unknown_.front().micros < oldest->slots.front().micros)) {
    const KeyId id = unknown_.front();
    unknown_.pop_front();
    bytes_ -= queues_[id.size_class].object_bytes;
    return id;
  }
  if (oldest == nullptr) return std::nullopt;
  const KeyId id{size_class, oldest->slots.front().suffix, oldest->slots.front().micros};
  remove({id, oldest->first});
  return id;
}

}  // namespace s3lt
