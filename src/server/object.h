// A stored object: either the fact that its bytes are what its key says, or the bytes themselves.
// Immutable once stored, shared by reference count between threads.
#pragma once

#include <array>
#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "s3/checksum.h"
#include "workload/content.h"

namespace s3lt::server {

// The bytes that may be kept in memory, in all. Thread-safe.
class Capacity {
 public:
  explicit Capacity(std::uint64_t limit) : limit_(limit) {}
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

// A share of the capacity, given back when it goes.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : capacity_(std::exchange(other.capacity_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    release();
    capacity_ = std::exchange(other.capacity_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~Reservation() { release(); }
  // Takes more; false (and unchanged) where it does not fit.
  bool grow(Capacity& capacity, std::uint64_t bytes);
  // What another one holds becomes this one's.
  void absorb(Reservation&& other);
  void release();
  std::uint64_t bytes() const { return bytes_; }

 private:
  Capacity* capacity_ = nullptr;
  std::uint64_t bytes_ = 0;
};

using Md5 = std::array<std::byte, 16>;

// Immutable once stored; copies of an object share them.
struct KeptBytes {
  std::unique_ptr<std::byte[]> data;
  Reservation reservation;
  Md5 md5{};                // of a multipart upload: of its parts' MD5s
  std::uint32_t parts = 0;  // 0: put in one piece
};

// What a PUT said besides the bytes, as it goes into the head of an answer.
struct Attributes {
  std::string content_type;                                  // empty: S3's default
  std::vector<std::pair<std::string, std::string>> headers;  // x-amz-meta-*, Cache-Control and the like
};

struct Object {
  mutable std::atomic<std::uint32_t> references{0};
  std::uint32_t parts = 0;    // of a recognised object that was uploaded in parts
  Checksum checksum;          // that the client gave, and that was right
  std::int64_t modified = 0;  // unix seconds
  std::string key;
  ObjectContent content;                         // key hash and size always; the rest where recognised
  std::shared_ptr<const KeptBytes> bytes;        // null: recognised
  std::shared_ptr<const Attributes> attributes;  // null: none

  bool recognised() const { return bytes == nullptr; }
  std::uint64_t size() const { return content.size; }
};

inline void intrusive_ptr_add_ref(const Object* o) {
  o->references.fetch_add(1, std::memory_order_relaxed);
}
inline void intrusive_ptr_release(const Object* o) {
  if (o->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete o;
}
using ObjectPtr = boost::intrusive_ptr<const Object>;

// As x-amz-checksum- headers have it; "-3" follows a composite one of three parts.
std::string checksum_text(const Checksum& checksum, std::size_t parts);
inline std::string checksum_text(const Object& object) {
  return checksum_text(object.checksum, object.bytes ? object.bytes->parts : object.parts);
}

// With its quotes. Of kept bytes their MD5, of a multipart upload with "-" and the number of parts; of a
// recognised object 32 digits that follow from its content and "-1", or its number of parts, which no client
// takes for an MD5.
void append_etag(std::string& out, const Object& object);
inline std::string etag(const Object& object) {
  std::string out;
  append_etag(out, object);
  return out;
}

}  // namespace s3lt::server
