// Bytes that arrive one after the other and are kept in memory, with their MD5. Belongs to one request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "server/object.h"

typedef struct evp_md_ctx_st EVP_MD_CTX;

namespace s3lt::server {

class Md5Stream {
 public:
  Md5Stream();
  void update(std::span<const std::byte> bytes);
  Md5 finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

class ByteKeeper {
 public:
  explicit ByteKeeper(Capacity& capacity) : capacity_(capacity), kept_(std::make_unique<KeptBytes>()) {}

  // All that will come; false where there is no room. Without it room is made as bytes arrive.
  bool reserve(std::uint64_t size);
  // False: no room, or more than was reserved.
  bool append(std::span<const std::byte> bytes);
  // Bytes [offset, offset + length) of an object.
  bool append_content(const ContentPool& pool, const ObjectContent& content, std::uint64_t offset,
                      std::uint64_t length);
  bool append_object(const ContentPool& pool, const Object& object, std::uint64_t offset,
                     std::uint64_t length);

  std::uint64_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {kept_->data.get(), size_}; }
  std::unique_ptr<KeptBytes> finish();

 private:
  bool make_room(std::uint64_t more);

  Capacity& capacity_;
  std::unique_ptr<KeptBytes> kept_;
  std::uint64_t size_ = 0, room_ = 0;
  bool fixed_ = false;
  Md5Stream md5_;
};

}  // namespace s3lt::server
