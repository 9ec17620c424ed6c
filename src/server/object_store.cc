#include "server/object_store.h"

#include <algorithm>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/ordered_index.hpp>
#include <boost/multi_index_container.hpp>
#include <mutex>
#include <unordered_map>

namespace s3lt::server {
namespace {

constexpr std::size_t shards = 32;

struct KeyOf {
  using result_type = std::string_view;
  std::string_view operator()(const ObjectPtr& o) const { return o->key; }
};

// A key together with its hash, which every object already holds.
struct HashedKey {
  std::string_view key;
  std::uint64_t hash;
  bool operator==(const HashedKey&) const = default;
};
struct HashedKeyOf {
  using result_type = HashedKey;
  HashedKey operator()(const ObjectPtr& o) const { return {o->key, o->content.key_hash}; }
};
struct HashOf {
  std::size_t operator()(const HashedKey& k) const { return k.hash; }
};

namespace mi = boost::multi_index;
using Index = mi::multi_index_container<
    ObjectPtr, mi::indexed_by<mi::hashed_unique<HashedKeyOf, HashOf>, mi::ordered_unique<KeyOf>>>;

// The least text that is greater than everything that starts with `prefix`; empty: there is none.
std::string successor(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

struct alignas(64) Bucket::Shard {
  mutable std::mutex mutex;
  Index objects;
  std::uint64_t recognised = 0;
  std::unordered_map<std::string, ObjectPtr> former;
  bool closed = false;
};

// Walks one shard in order, a batch under its lock at a time.
struct Bucket::Cursor {
  const Shard* shard;
  std::vector<ObjectPtr> batch;
  std::size_t at = 0, batch_size;

  const ObjectPtr* current() const { return at < batch.size() ? &batch[at] : nullptr; }
  // To the first key that is not below `from` (above it, if `past`).
  void seek(std::string_view from, bool past) {
    batch.clear();
    at = 0;
    const std::lock_guard lock(shard->mutex);
    const auto& ordered = shard->objects.get<1>();
    auto it = past ? ordered.upper_bound(from) : ordered.lower_bound(from);
    for (; it != ordered.end() && batch.size() < batch_size; ++it) batch.push_back(*it);
  }
  // Also skips what the batch holds already.
  void skip_to(std::string_view from) {
    while (at < batch.size() && batch[at]->key < from) ++at;
    if (at == batch.size()) seek(from, false);
  }
  void next() {
    if (++at < batch.size()) return;
    const ObjectPtr last = batch.back();
    seek(last->key, true);
  }
};

Bucket::Bucket(std::string name, std::int64_t created, bool keep_former)
    : name_(std::move(name)),
      created_(created),
      keep_former_(keep_former),
      shards_(std::make_unique<Shard[]>(shards)) {}
Bucket::~Bucket() = default;

// The hash table within a shard takes the low bits; the shard is chosen by the high ones.
Bucket::Shard& Bucket::shard(std::uint64_t key_hash) const {
  return shards_[(key_hash >> 48) % shards];
}

ObjectPtr Bucket::find(std::string_view key, std::uint64_t key_hash) const {
  const Shard& s = shard(key_hash);
  const std::lock_guard lock(s.mutex);
  const auto it = s.objects.find(HashedKey{key, key_hash});
  return it == s.objects.end() ? ObjectPtr() : *it;
}

ObjectPtr Bucket::find_former(std::string_view key, std::uint64_t key_hash) const {
  const Shard& s = shard(key_hash);
  const std::lock_guard lock(s.mutex);
  const auto it = s.former.find(std::string(key));
  return it == s.former.end() ? ObjectPtr() : it->second;
}

// From the object's neighbour in its shard on, once around, then the other shards.
ObjectPtr Bucket::find_alike(const Object& object, const std::function<bool(const Object&)>& good) const {
  const auto suits = [&](const ObjectPtr& o) {
    return o->size() == object.size() && o->key != object.key && good(*o);
  };
  const std::size_t home = static_cast<std::size_t>(&shard(object.content.key_hash) - shards_.get());
  for (std::size_t i = 0; i < shards; ++i) {
    const Shard& s = shards_[(home + i) % shards];
    const std::lock_guard lock(s.mutex);
    const auto& ordered = s.objects.get<1>();
    const auto middle = ordered.upper_bound(std::string_view(object.key));
    auto found = std::find_if(middle, ordered.end(), suits);
    if (found != ordered.end()) return *found;
    found = std::find_if(ordered.begin(), middle, suits);
    if (found != middle) return *found;
  }
  return {};
}

Bucket::Put Bucket::put(ObjectPtr object, bool only_new) {
  Shard& s = shard(object->content.key_hash);
  ObjectPtr replaced;  // ends after the lock: freeing much memory takes long
  const std::lock_guard lock(s.mutex);
  if (s.closed) return Put::bucket_gone;
  const bool recognised = object->recognised();
  const auto [it, added] = s.objects.insert(object);
  if (!added) {
    if (only_new) return Put::exists;
    replaced = *it;
    s.recognised -= replaced->recognised() ? 1 : 0;
    // The same bytes again leave the former version the former one.
    if (keep_former_ && etag(*replaced) != etag(*object)) s.former[object->key] = replaced;
    s.objects.replace(it, std::move(object));
  }
  s.recognised += recognised ? 1 : 0;
  return Put::stored;
}

bool Bucket::erase(std::string_view key, std::uint64_t key_hash) {
  Shard& s = shard(key_hash);
  ObjectPtr erased;
  const std::lock_guard lock(s.mutex);
  const auto it = s.objects.find(HashedKey{key, key_hash});
  if (it == s.objects.end()) return false;
  erased = *it;
  s.recognised -= erased->recognised() ? 1 : 0;
  s.objects.erase(it);
  if (keep_former_) s.former.erase(std::string(key));
  return true;
}

ListPage Bucket::list(const ListQuery& query) const {
  ListPage page;
  if (query.max_keys == 0) return page;
  const auto greater = [](const Cursor* a, const Cursor* b) {
    return (*a->current())->key > (*b->current())->key;
  };
  std::vector<Cursor> cursors(shards);
  std::vector<Cursor*> heap;
  const std::size_t batch_size = std::max<std::size_t>(8, query.max_keys * 3 / 2 / shards);
  for (std::size_t i = 0; i < shards; ++i) {
    cursors[i].shard = &shards_[i];
    cursors[i].batch_size = batch_size;
    const bool after = query.after >= query.prefix;
    cursors[i].seek(after ? query.after : query.prefix, after);
    if (cursors[i].current()) heap.push_back(&cursors[i]);
  }
  std::make_heap(heap.begin(), heap.end(), greater);

  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), greater);
    Cursor* const cursor = heap.back();
    const ObjectPtr object = *cursor->current();
    if (!object->key.starts_with(query.prefix)) break;
    std::size_t cut = std::string::npos;
    if (!query.delimiter.empty()) cut = object->key.find(query.delimiter, query.prefix.size());
    if (cut == std::string::npos) {
      if (page.items.size() == query.max_keys) {
        page.truncated = true;
        break;
      }
      page.items.push_back({object, {}});
      page.last = object->key;
      cursor->next();
      if (cursor->current()) {
        std::push_heap(heap.begin(), heap.end(), greater);
      } else {
        heap.pop_back();
      }
      continue;
    }
    // A common prefix stands for all its keys, and once it was listed none of them comes again.
    std::string common = object->key.substr(0, cut + query.delimiter.size());
    if (common > query.after) {
      if (page.items.size() == query.max_keys) {
        page.truncated = true;
        break;
      }
      page.items.push_back({{}, common});
      page.last = common;
    }
    const std::string beyond = successor(std::move(common));
    if (beyond.empty()) break;
    heap.clear();
    for (Cursor& c : cursors) {
      if (c.current() == nullptr) continue;
      c.skip_to(beyond);
      if (c.current()) heap.push_back(&c);
    }
    std::make_heap(heap.begin(), heap.end(), greater);
  }
  return page;
}

bool Bucket::close_if_empty() {
  std::vector<std::unique_lock<std::mutex>> locks;
  for (std::size_t i = 0; i < shards; ++i) {
    locks.emplace_back(shards_[i].mutex);
    if (!shards_[i].objects.empty()) return false;
  }
  for (std::size_t i = 0; i < shards; ++i) shards_[i].closed = true;
  return true;
}

Bucket::Totals Bucket::totals() const {
  Totals sum{.uploads = uploads_.count()};
  for (std::size_t i = 0; i < shards; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    sum.objects += shards_[i].objects.size();
    sum.recognised += shards_[i].recognised;
  }
  return sum;
}

std::shared_ptr<Bucket> ObjectStore::find(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto it = buckets_.find(name);
  return it == buckets_.end() ? nullptr : it->second;
}

bool ObjectStore::create(std::string_view name, std::int64_t now) {
  const std::unique_lock lock(mutex_);
  if (buckets_.contains(name)) return false;
  buckets_.emplace(name, std::make_shared<Bucket>(std::string(name), now, keep_former_));
  generation_.fetch_add(1, std::memory_order_release);
  return true;
}

ObjectStore::Erase ObjectStore::erase(std::string_view name) {
  const std::unique_lock lock(mutex_);
  const auto it = buckets_.find(name);
  if (it == buckets_.end()) return Erase::no_such_bucket;
  if (!it->second->close_if_empty()) return Erase::not_empty;
  buckets_.erase(it);
  generation_.fetch_add(1, std::memory_order_release);
  return Erase::erased;
}

std::vector<std::shared_ptr<Bucket>> ObjectStore::buckets() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<Bucket>> out;
  for (const auto& [name, bucket] : buckets_) out.push_back(bucket);
  return out;
}

bool is_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!letter_or_digit(name.front()) || !letter_or_digit(name.back())) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return letter_or_digit(c) || c == '-' || c == '.'; });
}

}  // namespace s3lt::server
