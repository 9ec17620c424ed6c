// Holds the bytes of an object, piece by piece as they are read, against what its key says that they are
// (docs/content.md), and tells in which way they differ. Touches every byte once at the speed of memory;
// allocates only where something is wrong. Not thread-safe; belongs to one read.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/vocabulary.h"
#include "workload/content.h"

namespace s3lt {

// How much of what is read is checked.
enum class Verify : std::uint8_t {
  off,     // nothing
  sample,  // the stamps of what is read anyway and the first block of every read; one read in 64 whole
  all,     // every byte
};

inline constexpr std::array<std::string_view, 3> verify_names = {"off", "sample", "all"};
constexpr std::string_view name(Verify verify) {
  return verify_names[static_cast<std::size_t>(verify)];
}

// Bytes that are not the object's.
struct Mismatch {
  static constexpr std::size_t most_shown = 16;
  Corruption kind{};
  std::uint64_t offset = 0;          // of the first byte that differs
  std::string expected, found;       // from there, at most most_shown bytes, in hex
  std::optional<StampFields> stamp;  // of stale and swapped: what the stamp says that the bytes are
  std::string text(const ObjectContent& expected_content) const;  // one sentence for people
};

class ContentCheck {
 public:
  enum class Depth : std::uint8_t {
    stamps,  // the first block, and of the rest the stamps of what take() is given
    bytes,   // everything
  };
  // The pool has to outlive the check. The content's mode is a guess: objects of the same key and size in
  // other modes are told by their stamps, and are right too.
  ContentCheck(const ContentPool& pool, const ObjectContent& content, Depth depth);
  ~ContentCheck();

  // How many of the bytes that come next it needs to see.
  std::uint64_t wanted() const;
  // How many of those that come next it need not see: all of them (UINT64_MAX), or those before some that it
  // wants. Never other than 0 while some are wanted.
  std::uint64_t skippable() const;
  // The next bytes of the object; or that so many of them were not looked at (at most skippable()).
  void take(std::span<const std::byte> bytes);
  void skip(std::uint64_t n) { offset_ += n; }
  // What is wrong, once all bytes were given that were wanted or that there are; nothing where all is well.
  // Says nothing of the length.
  std::optional<Mismatch> finish() const;
  // Whether the object's stamp is of a mode that this version does not know: nothing is wrong, nor was
  // checked.
  bool unverifiable() const { return unverifiable_; }

 private:
  struct Evidence;
  std::size_t matching(std::span<const std::byte> bytes) const;
  void gather(std::uint64_t offset, std::span<const std::byte> bytes);
  std::optional<ContentMode> mode_of(std::span<const std::byte> first_block) const;

  const ContentPool& pool_;
  ObjectContent content_;
  Depth depth_;
  bool mode_is_sure_ = false, unverifiable_ = false;
  std::uint64_t offset_ = 0;            // of the next byte
  std::unique_ptr<Evidence> evidence_;  // the block that differs, from the first mismatch on
};

}  // namespace s3lt
