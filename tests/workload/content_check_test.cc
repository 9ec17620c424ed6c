#include "workload/content_check.h"

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"
#include "base/random.h"

namespace s3lt {
namespace {

using Bytes = std::vector<std::byte>;
using Depth = ContentCheck::Depth;

const ContentPool& pool() {
  static const ContentPool small(1 << 20);
  return small;
}

ObjectContent object(std::string_view key, std::uint64_t size, std::uint32_t generation = 0) {
  return {.key_hash = hash64(key), .size = size, .generation = generation};
}

Bytes bytes_of(const ObjectContent& content) {
  Bytes out(content.size);
  copy_content(pool(), content, 0, out);
  return out;
}

// Gives the bytes in pieces of `piece` and no more than the check wants, as a connection does.
std::optional<Mismatch> check(const ObjectContent& expected, const Bytes& bytes, Depth depth = Depth::bytes,
                              std::size_t piece = SIZE_MAX) {
  ContentCheck check(pool(), expected, depth);
  for (std::size_t at = 0; at < bytes.size() && check.wanted() > 0;) {
    const std::size_t n = std::min({piece, bytes.size() - at, static_cast<std::size_t>(check.wanted())});
    check.take(std::span(bytes).subspan(at, n));
    at += n;
  }
  return check.finish();
}

constexpr std::uint64_t sizes[] = {1, 31, 32, 33, 1024, 4095, 4096, 4097, 4128, 4129, 10'240, 102'400};
constexpr std::size_t pieces[] = {1, 7, 32, 1000, 4096, 5000, SIZE_MAX};

TEST(ContentCheck, FindsNothingWrongWithTheObjectWhateverThePieces) {
  for (const std::uint64_t size : sizes) {
    const ObjectContent content = object("key", size, 3);
    for (const std::size_t piece : pieces) {
      for (const Depth depth : {Depth::stamps, Depth::bytes}) {
        EXPECT_FALSE(check(content, bytes_of(content), depth, piece)) << size << " " << piece;
      }
    }
  }
  EXPECT_FALSE(check(object("key", 0), {}));
}

TEST(ContentCheck, WantsTheFirstBlockOrEverything) {
  const ObjectContent content = object("key", 10'000);
  const Bytes bytes = bytes_of(content);
  ContentCheck stamps(pool(), content, Depth::stamps), all(pool(), content, Depth::bytes);
  EXPECT_EQ(stamps.wanted(), block_size);
  EXPECT_EQ(all.wanted(), 10'000u);
  for (ContentCheck* c : {&stamps, &all}) c->take(std::span(bytes).first(1000));
  EXPECT_EQ(stamps.wanted(), block_size - 1000);
  EXPECT_EQ(all.wanted(), 9000u);
  for (ContentCheck* c : {&stamps, &all}) c->take(std::span(bytes).subspan(1000));
  EXPECT_EQ(stamps.wanted(), 0u);
  EXPECT_EQ(all.wanted(), 0u);
}

TEST(ContentCheck, FindsEveryFlippedBitAndSaysWhere) {
  Random random(1);
  for (const std::uint64_t size : sizes) {
    const ObjectContent content = object("key", size);
    const Bytes good = bytes_of(content);
    for (int i = 0; i < 200; ++i) {
      Bytes bad = good;
      const std::uint64_t at = random.below(size);
      bad[at] ^= std::byte(1 << random.below(8));
      const auto mismatch = check(content, bad, Depth::bytes, pieces[random.below(std::size(pieces))]);
      ASSERT_TRUE(mismatch) << size << " " << at;
      EXPECT_EQ(mismatch->kind, Corruption::flipped) << size << " " << at;
      ASSERT_EQ(mismatch->offset, at);
      const std::size_t shown = std::min<std::size_t>(Mismatch::most_shown, size - at);
      EXPECT_TRUE(mismatch->expected.starts_with(to_hex(std::span(good).subspan(at, 1))));
      EXPECT_TRUE(mismatch->found.starts_with(to_hex(std::span(bad).subspan(at, 1))));
      EXPECT_LE(mismatch->found.size(), 2 * shown);
      EXPECT_EQ(mismatch->expected.size(), mismatch->found.size());
      EXPECT_FALSE(mismatch->stamp);
    }
  }
}

TEST(ContentCheck, ShallowlyItFindsWhatIsWrongInTheFirstBlockAndInStamps) {
  const ObjectContent content = object("key", 3 * block_size + 100);
  const auto flipped_at = [&](std::size_t at, std::size_t piece) {
    Bytes bad = bytes_of(content);
    bad[at] ^= std::byte{4};
    ContentCheck check(pool(), content, Depth::stamps);
    for (std::size_t begin = 0; begin < bad.size(); begin += piece) {
      check.take(std::span(bad).subspan(begin, std::min(piece, bad.size() - begin)));
    }
    return check.finish();
  };
  for (const std::size_t piece : {std::size_t{7}, std::size_t{5000}, std::size_t{1} << 20}) {
    for (const std::size_t seen : {std::size_t{0}, std::size_t{2000}, block_size - 1, 2 * block_size - 32,
                                   2 * block_size - 1, 3 * block_size + 68, 3 * block_size + 99}) {
      const auto mismatch = flipped_at(seen, piece);
      ASSERT_TRUE(mismatch) << seen << " " << piece;
      EXPECT_EQ(mismatch->kind, Corruption::flipped) << seen << " " << piece;
      EXPECT_EQ(mismatch->offset, seen);
    }
    for (const std::size_t unseen : {block_size, 2 * block_size - 33, 3 * block_size + 67}) {
      EXPECT_FALSE(flipped_at(unseen, piece)) << unseen;
    }
  }
}

TEST(ContentCheck, AnotherKeysObjectIsSwapped) {
  for (const Depth depth : {Depth::stamps, Depth::bytes}) {
    for (const std::size_t piece : pieces) {
      for (const std::uint64_t size : {32u, 1024u, 4096u, 10'240u}) {
        const auto mismatch = check(object("key", size), bytes_of(object("other", size)), depth, piece);
        ASSERT_TRUE(mismatch) << size;
        EXPECT_EQ(mismatch->kind, Corruption::swapped) << size;
        EXPECT_EQ(mismatch->offset, std::min<std::uint64_t>(size, block_size) - stamp_size);
        ASSERT_TRUE(mismatch->stamp);
        EXPECT_EQ(mismatch->stamp->content, object("other", size));
      }
    }
  }
}

TEST(ContentCheck, AnotherObjectOfAnotherLengthIsSwappedToo) {
  for (const char* key : {"key", "other"}) {
    for (const auto& [expected, found] :
         {std::pair(10'240u, 1024u), std::pair(1024u, 10'240u), std::pair(10'240u, 9000u),
          std::pair(100u, 60u), std::pair(100u, 110u), std::pair(9000u, 4096u)}) {
      const auto mismatch = check(object("key", expected), bytes_of(object(key, found)), Depth::bytes, 500);
      ASSERT_TRUE(mismatch) << expected << " " << found;
      EXPECT_EQ(mismatch->kind, Corruption::swapped) << expected << " " << found;
      EXPECT_EQ(mismatch->stamp->content, object(key, found));
      EXPECT_NE(mismatch->text(object("key", expected)).find(std::to_string(found)), std::string::npos);
    }
  }
}

TEST(ContentCheck, ABlockInTheWrongPlaceIsSwapped) {
  const ObjectContent content = object("key", 5 * block_size);
  Bytes bad = bytes_of(content);
  const Bytes good = bad;
  std::copy_n(good.begin() + 3 * block_size, block_size, bad.begin() + block_size);
  const auto mismatch = check(content, bad);
  ASSERT_TRUE(mismatch);
  EXPECT_EQ(mismatch->kind, Corruption::swapped);
  EXPECT_EQ(mismatch->offset, block_size);
  EXPECT_TRUE(mismatch->text(content).starts_with("block 3 of the object in another place at offset 4096: "))
      << mismatch->text(content);
}

TEST(ContentCheck, AnotherGenerationIsStale) {
  for (const std::uint64_t size : {32u, 1024u, 10'240u}) {
    const auto mismatch = check(object("key", size, 5), bytes_of(object("key", size, 4)), Depth::stamps, 100);
    ASSERT_TRUE(mismatch);
    EXPECT_EQ(mismatch->kind, Corruption::stale);
    EXPECT_TRUE(
        mismatch->text(object("key", size, 5)).starts_with("generation 4 of the object instead of 5"));
  }
}

TEST(ContentCheck, BytesOfNobodyAreForeign) {
  Random random(2);
  for (const std::uint64_t size : {16u, 1024u, 10'240u}) {
    Bytes noise(size), zeros(size);
    for (std::byte& b : noise) b = std::byte(random.below(256));
    for (const Bytes& bytes : {noise, zeros}) {
      const auto mismatch = check(object("key", size), bytes, Depth::bytes, 900);
      ASSERT_TRUE(mismatch);
      EXPECT_EQ(mismatch->kind, Corruption::foreign) << size;
    }
  }
}

TEST(ContentCheck, SaysNothingOfAnObjectThatIsRightAsFarAsItGoes) {
  const ObjectContent content = object("key", 10'240);
  Bytes shorter = bytes_of(content), longer = shorter;
  shorter.resize(5000);
  longer.resize(12'000);
  EXPECT_FALSE(check(content, shorter)) << "its length is for others to judge";
  ContentCheck whole(pool(), content, Depth::bytes);
  whole.take(longer);
  EXPECT_FALSE(whole.finish());
}

}  // namespace
}  // namespace s3lt
