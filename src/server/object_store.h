// Buckets and their objects, in memory. Thread-safe: a bucket's keys are spread over shards by their hash,
// and each shard, behind a mutex of its own, finds them by hash and lists them in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/multipart_uploads.h"
#include "server/object.h"

namespace s3lt::server {

struct ListQuery {
  std::string prefix, delimiter;
  std::string after;  // only what is greater: keys, and common prefixes
  std::size_t max_keys = 1000;
};

struct ListPage {
  // In order; an item without an object is a common prefix.
  struct Item {
    ObjectPtr object;
    std::string common_prefix;
  };
  std::vector<Item> items;
  bool truncated = false;
  std::string last;  // `after` of the next page
};

class Bucket {
 public:
  // With `keep_former`, the version before the last one of every overwritten object is kept, too.
  Bucket(std::string name, std::int64_t created, bool keep_former = false);
  ~Bucket();
  const std::string& name() const { return name_; }
  std::int64_t created() const { return created_; }

  ObjectPtr find(std::string_view key, std::uint64_t key_hash) const;
  // What the object was before it was overwritten with other bytes; null: never, or nobody keeps it.
  ObjectPtr find_former(std::string_view key, std::uint64_t key_hash) const;
  // Another object of the same size that is `good` (asked under a lock); null: none. Meant for faults: it may
  // look at every object.
  ObjectPtr find_alike(const Object& object, const std::function<bool(const Object&)>& good) const;
  enum class Put { stored, exists, bucket_gone };
  // With `only_new`, an existing object stays and `exists` comes back.
  Put put(ObjectPtr object, bool only_new = false);
  bool erase(std::string_view key, std::uint64_t key_hash);  // false: there was none
  ListPage list(const ListQuery& query) const;

  MultipartUploads& uploads() { return uploads_; }

  // Closes the bucket for good where it is empty; false where it is not.
  bool close_if_empty();

  struct Totals {
    std::uint64_t objects = 0, recognised = 0, uploads = 0;
  };
  Totals totals() const;

 private:
  struct Shard;
  struct Cursor;
  Shard& shard(std::uint64_t key_hash) const;
  std::string name_;
  std::int64_t created_;
  bool keep_former_;
  std::unique_ptr<Shard[]> shards_;
  MultipartUploads uploads_;
};

class ObjectStore {
 public:
  explicit ObjectStore(std::uint64_t capacity, bool keep_former = false)
      : capacity_(capacity), keep_former_(keep_former) {}

  std::shared_ptr<Bucket> find(std::string_view name) const;  // null: no such bucket
  bool create(std::string_view name, std::int64_t now);       // false: it was there
  enum class Erase { erased, not_empty, no_such_bucket };
  Erase erase(std::string_view name);
  std::vector<std::shared_ptr<Bucket>> buckets() const;

  // Changes with the set of buckets: what find() said before may be kept until then.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  Capacity& capacity() { return capacity_; }
  const Capacity& capacity() const { return capacity_; }

 private:
  Capacity capacity_;  // outlives the objects
  bool keep_former_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::shared_ptr<Bucket>, std::less<>> buckets_;
  std::atomic<std::uint64_t> generation_{1};
};

// The rules for names of buckets: 3 to 63 of a-z 0-9 . -, a letter or digit at both ends.
bool is_bucket_name(std::string_view name);

}  // namespace s3lt::server
