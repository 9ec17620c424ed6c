#include "server/incoming_object.h"

namespace s3lt::server {

std::optional<PartContent> IncomingObject::claim(std::span<const std::byte> first, std::uint64_t size) const {
  if (!knows_objects_of(size)) return std::nullopt;
  const auto content = recognise(pool_, key_, size, first);
  return content ? std::optional(PartContent{*content, 0}) : std::nullopt;
}

std::unique_ptr<Object> IncomingObject::finish() {
  auto object = std::make_unique<Object>();
  if (const auto& whole = recognised()) {
    object->content = whole->content;
  } else {
    // Whole, more is known than at first: without an announced size, and where the only stamp is at the end.
    const std::span<const std::byte> all = kept().bytes();
    const auto content =
        knows_objects_of(all.size()) ? recognise(pool_, key_, all.size(), all) : std::nullopt;
    if (content && matching_prefix(pool_, *content, 0, all) == all.size()) {
      object->content = *content;
    } else {
      object->content = {.key_hash = key_hash_, .size = all.size()};
      object->bytes = kept().finish();
    }
  }
  object->key = std::move(key_);
  return object;
}

}  // namespace s3lt::server
