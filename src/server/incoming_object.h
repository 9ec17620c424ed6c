// The bytes of a PUT as they arrive: checked against what the key says, and kept only from the first byte on
// that differs. Belongs to one request.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

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

class IncomingObject {
 public:
  // Without a size (a chunked body that announces none) the bytes are kept first and recognised at the end.
  IncomingObject(const ContentPool& pool, Capacity& capacity, std::string key, std::uint64_t key_hash,
                 std::optional<std::uint64_t> size);

  // False: these bytes would have to be kept, and there is no room. An object is admitted by its announced
  // size as soon as its first block shows that it has to be kept.
  bool append(std::span<const std::byte> bytes);
  std::uint64_t received() const { return received_ + first_.size(); }

  // All bytes are there. Fills key, content and bytes of the object.
  std::unique_ptr<Object> finish();

 private:
  enum class State { undecided, recognised, kept };
  bool decide(std::span<const std::byte> first);
  bool advance(std::span<const std::byte> bytes);
  bool keep_from_here();
  bool keep(std::span<const std::byte> bytes);
  bool recognisable(std::uint64_t size) const;

  const ContentPool& pool_;
  Capacity& capacity_;
  std::string key_;
  std::uint64_t key_hash_;
  std::optional<std::uint64_t> size_;
  State state_ = State::undecided;
  ObjectContent content_;
  std::uint64_t received_ = 0;
  std::vector<std::byte> first_;  // of an undecided object: its first bytes
  std::unique_ptr<KeptBytes> kept_;
  std::uint64_t kept_size_ = 0, kept_room_ = 0;
  std::optional<Md5Stream> md5_;
};

}  // namespace s3lt::server
