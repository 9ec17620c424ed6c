// What the objects of a run have in common, and how far they compress (`--content`; docs/content.md). A value
// of one byte, which stands in every stamp, so that any reader learns it from the object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace s3lt {

class ContentMode {
 public:
  enum class Kind : std::uint8_t {
    unique,    // no two aligned blocks alike, nothing compresses
    shared,    // objects of a size are alike but for a stamp at their end
    dedupe,    // percent() of the blocks are those of other objects
    compress,  // percent() of each block are zeros
    unknown,   // a newer version's: the bytes are anybody's guess
  };
  constexpr ContentMode() = default;  // unique
  static constexpr ContentMode shared() { return ContentMode(1); }
  // `percent` is at most 100.
  static constexpr ContentMode dedupe(unsigned percent) { return ContentMode(first_dedupe + percent); }
  static constexpr ContentMode compress(unsigned percent) { return ContentMode(first_compress + percent); }
  static constexpr ContentMode from_byte(std::uint8_t byte) { return ContentMode(byte); }

  constexpr std::uint8_t byte() const { return byte_; }
  constexpr Kind kind() const {
    if (byte_ == 0) return Kind::unique;
    if (byte_ < first_dedupe) return Kind::shared;
    if (byte_ < first_compress) return Kind::dedupe;
    return byte_ <= first_compress + 100 ? Kind::compress : Kind::unknown;
  }
  constexpr unsigned percent() const {
    return kind() == Kind::dedupe     ? byte_ - first_dedupe
           : kind() == Kind::compress ? byte_ - first_compress
                                      : 0;
  }
  constexpr bool operator==(const ContentMode&) const = default;

 private:
  static constexpr unsigned first_dedupe = 2, first_compress = 103;
  explicit constexpr ContentMode(unsigned byte) : byte_(static_cast<std::uint8_t>(byte)) {}
  std::uint8_t byte_ = 0;
};

// "unique", "shared", "dedupe=30%", "compress=50%"; whole numbers from 0 to 100.
Result<ContentMode> parse_content_mode(std::string_view text);
std::string name(ContentMode mode);

}  // namespace s3lt
