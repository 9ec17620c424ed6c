#include "workload/key_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "workload/key_shape.h"

namespace s3lt {

namespace {

std::vector<std::uint32_t> number_classes(const KeySpaceSpec& spec, KeyClasses& classes) {
  std::vector<std::uint32_t> numbers;
  for (const SizeClass& size : spec.sizes) numbers.push_back(classes.number(spec.pattern, size.label));
  return numbers;
}

}  // namespace

KeySpace::KeySpace(std::string_view prefix, unsigned worker, const KeySpaceSpec& spec, Catalog::Limits limits,
                   KeyClasses& classes)
    : pattern(spec.pattern),
      sizes(spec.sizes),
      others(spec.others),
      given(spec.given != nullptr),
      key_classes(number_classes(spec, classes)),
      names(given ? KeyNames(spec.given) : KeyNames(prefix, worker, pattern, sizes)),
      catalog(sizes, limits, std::max<std::uint64_t>(spec.room, given ? spec.given->size() : 0)),
      deleted_elsewhere(given) {
  for (std::uint64_t number = 0; given && number < spec.given->size(); ++number) {
    if (const auto found = size_class((*spec.given)[number].size)) catalog.written({*found, 0, number});
  }
}

std::optional<std::uint32_t> KeySpace::size_class(std::string_view label) const {
  const auto found = std::ranges::find(sizes, label, &SizeClass::label);
  if (found == sizes.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - sizes.begin());
}

KeyStore::KeyStore(std::string_view prefix, unsigned worker, std::span<const KeySpaceSpec> specs,
                   Catalog::Limits limits)
    : stem_(fmt::format("{}{}/", prefix, worker)) {
  for (const KeySpaceSpec& spec : specs) {
    spaces_.push_back(std::make_unique<KeySpace>(prefix, worker, spec, limits, classes_));
  }
}

KeySpace* KeyStore::find(std::string_view pattern) {
  for (const auto& space : spaces_) {
    if (space->pattern == pattern) return space.get();
  }
  return nullptr;
}

std::optional<KeyStore::Place> KeyStore::place(std::string_view key) {
  if (!key.starts_with(stem_)) return std::nullopt;
  const auto parts = parse_key_tail(key.substr(stem_.size()));
  KeySpace* space = parts ? find(parts->pattern) : nullptr;
  if (space == nullptr) return std::nullopt;
  const auto size_class = space->size_class(parts->size);
  if (!size_class) return std::nullopt;
  return Place{space, {*size_class, parts->stamp.suffix, parts->stamp.micros}};
}

std::vector<std::size_t> KeyStore::deleted(std::span<const std::string_view> keys) {
  std::map<std::pair<KeySpace*, std::uint32_t>, std::vector<KeyStamp>> gone;
  for (const std::string_view key : keys) {
    if (const auto at = place(key)) {
      gone[{at->space, at->id.size_class}].push_back({at->id.micros, at->id.suffix});
    }
  }
  bool any_taken = false;
  for (auto& [where, stamps] : gone) {
    std::ranges::sort(stamps);
    std::vector<KeyStamp> taken;
    where.first->catalog.deleted(where.second, stamps, &taken);
    any_taken = any_taken || !taken.empty();
    stamps = std::move(taken);
  }
  std::vector<std::size_t> trimmed;
  for (std::size_t i = 0; any_taken && i < keys.size(); ++i) {
    const auto at = place(keys[i]);
    if (at && std::ranges::binary_search(gone[{at->space, at->id.size_class}],
                                         KeyStamp{at->id.micros, at->id.suffix})) {
      trimmed.push_back(i);
    }
  }
  return trimmed;
}

void KeyStore::uncertain(std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const auto at = place(key)) at->space->catalog.uncertain(at->id);
  }
}

void KeyStore::doubt(std::uint64_t micros) {
  std::uint64_t known = doubt_micros_.load(std::memory_order_relaxed);
  while (known < micros && !doubt_micros_.compare_exchange_weak(known, micros)) {
  }
}

std::optional<std::pair<std::uint32_t, KeyStamp>> KeyStore::identify(std::string_view key) {
  if (!key.starts_with(stem_)) return std::nullopt;
  const auto parts = parse_key_tail(key.substr(stem_.size()));
  if (!parts) return std::nullopt;
  return std::pair(classes_.number(parts->pattern, parts->size), parts->stamp);
}

KeySource::KeySource(std::vector<KeySpace*> spaces, std::span<const SizeClass> sizes) {
  for (const SizeClass& size : sizes) {
    auto& places = places_.emplace_back();
    for (KeySpace* space : spaces) {
      if (const auto size_class = space->size_class(size.label)) places.push_back({space, *size_class});
    }
  }
}

std::optional<KeySource::Picked> KeySource::pick(std::uint32_t size_class, Random& random) const {
  const auto& places = places_[size_class];
  std::uint64_t all = 0;
  for (const Place& place : places) all += place.keys();
  if (all == 0) return std::nullopt;
  std::uint64_t at = random.below(all);
  for (const Place& place : places) {
    const std::uint64_t keys = place.keys();
    if (at < keys) {
      if (const auto entry = place.space->catalog.pick(place.size_class, random)) {
        return Picked{place.space, *entry};
      }
      return std::nullopt;  // the last of them went while we looked
    }
    at -= keys;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> KeySource::any_size(Random& random) const {
  const auto has_keys = [](const auto& places) {
    return std::ranges::any_of(places, [](const Place& place) { return place.keys() > 0; });
  };
  const auto filled = std::ranges::count_if(places_, has_keys);
  if (filled == 0) return std::nullopt;
  std::uint64_t at = random.below(static_cast<std::uint64_t>(filled));
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    if (has_keys(places_[i]) && at-- == 0) return i;
  }
  return std::nullopt;
}

}  // namespace s3lt
