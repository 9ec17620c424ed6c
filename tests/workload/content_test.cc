#include "workload/content.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"

namespace s3lt {
namespace {

using Bytes = std::vector<std::byte>;

const ContentPool& pool() {
  static const ContentPool small(4 << 20);
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

std::span<const std::byte> part(const Bytes& bytes, std::size_t offset, std::size_t n) {
  return std::span(bytes).subspan(offset, n);
}

TEST(ContentPool, IsSplitmix64OfSeedZeroAsOthersComputeIt) {
  // The first outputs of the reference implementation (Steele, Lea and Flood; Vigna's splitmix64.c).
  const std::uint64_t expected[] = {0xe220a8397b1dcdafULL, 0x6e789e6aa1b965f4ULL, 0x06c45d188009454fULL};
  std::uint64_t found[3];
  std::memcpy(found, pool().at(0), sizeof found);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(found[i], expected[i]);
}

TEST(ContentPool, ASmallerPoolIsAPrefixOfALargerOne) {
  const ContentPool tiny(5000);
  EXPECT_EQ(tiny.size(), 2 * block_size);
  EXPECT_EQ(std::memcmp(tiny.at(0), pool().at(0), tiny.size()), 0);
}

TEST(ContentPool, CanBeWrittenFromAnywhereAndBeginsAgainBehindItsEnd) {
  Bytes bytes(10'003);
  for (const std::uint64_t offset : {0ULL, 8ULL, 4096ULL, 3'000'000ULL}) {
    write_pool_bytes(offset, bytes);
    EXPECT_EQ(std::memcmp(bytes.data(), pool().at(offset), bytes.size()), 0) << offset;
    write_pool_bytes(offset + 3 * ContentPool::full_size, bytes);
    EXPECT_EQ(std::memcmp(bytes.data(), pool().at(offset), bytes.size()), 0) << offset;
  }
  write_pool_bytes(ContentPool::full_size - 8000, bytes);
  EXPECT_EQ(std::memcmp(bytes.data() + 8000, pool().at(0), 2003), 0);
  EXPECT_NE(std::memcmp(bytes.data(), pool().at(0), 2003), 0);
}

TEST(Stamp, GivesBackWhatWentIn) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const ObjectContent content{.key_hash = random.next(),
                                .size = random.next() >> 8,
                                .generation = static_cast<std::uint32_t>(random.next())};
    const std::uint64_t block = random.next() >> 32;
    const auto fields = read_stamp(make_stamp(content, block));
    ASSERT_TRUE(fields.has_value());
    EXPECT_EQ(fields->content, content);
    EXPECT_EQ(fields->block, block);
  }
}

TEST(Stamp, AnyFlippedBitBreaksIt) {
  const Stamp good = make_stamp(object("k", 1 << 20, 3), 17);
  for (std::size_t bit = 0; bit < 8 * stamp_size; ++bit) {
    Stamp bad = good;
    bad[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_FALSE(read_stamp(bad).has_value()) << bit;
  }
  EXPECT_FALSE(read_stamp(Stamp{}).has_value());
}

// docs/content.md, in other words than the implementation's.
TEST(Stamp, IsLaidOutAsDocumented) {
  const std::uint64_t gamma = 0x9e3779b97f4a7c15ULL, key_hash = hash64("loadtest/0/1KB/p/1/00000000");
  const std::uint64_t words[] = {key_hash, 5ULL << 32 | 7, 1048576ULL << 8};
  std::uint64_t check = gamma;
  for (const auto word : words) check = mix64(check ^ word) + gamma;
  check = mix64(check);
  const std::uint64_t expected[] = {words[0] ^ mix64(check + gamma), words[1] ^ mix64(check + 2 * gamma),
                                    words[2] ^ mix64(check + 3 * gamma), check};
  const Stamp stamp = make_stamp({.key_hash = key_hash, .size = 1048576, .generation = 7}, 5);
  EXPECT_EQ(std::memcmp(stamp.data(), expected, stamp_size), 0);
}

TEST(Content, EndsEveryBlockInItsStamp) {
  const ObjectContent content = object("key", 3 * block_size + 100);
  const Bytes bytes = bytes_of(content);
  const std::size_t ends[] = {block_size, 2 * block_size, 3 * block_size, bytes.size()};
  for (std::size_t b = 0; b < 4; ++b) {
    const Stamp stamp = make_stamp(content, b);
    EXPECT_EQ(std::memcmp(bytes.data() + ends[b] - stamp_size, stamp.data(), stamp_size), 0) << b;
    const std::size_t begin = b * block_size;
    EXPECT_EQ(std::memcmp(bytes.data() + begin, pool().at(begin), ends[b] - stamp_size - begin), 0) << b;
  }
}

TEST(Content, ALastBlockBelowAStampHoldsTheStampsBeginning) {
  const ObjectContent content = object("key", block_size + 5);
  const Stamp stamp = make_stamp(content, 1);
  EXPECT_EQ(std::memcmp(bytes_of(content).data() + block_size, stamp.data(), 5), 0);
}

Bytes gathered(ContentGather& gather, const ObjectContent& content, std::uint64_t offset,
               std::uint64_t length) {
  Bytes out;
  while (out.size() < length) {
    const auto pieces = gather.gather(pool(), content, offset + out.size(), length - out.size());
    EXPECT_FALSE(pieces.empty());
    EXPECT_LE(pieces.size(), ContentGather::max_pieces);
    if (pieces.empty()) break;
    for (const iovec& piece : pieces) {
      const auto* from = static_cast<const std::byte*>(piece.iov_base);
      out.insert(out.end(), from, from + piece.iov_len);
    }
  }
  return out;
}

TEST(Content, GatheredPiecesAreTheCopiedBytesAtAnyOffset) {
  ContentGather gather;
  Random random(2);
  for (const std::uint64_t size :
       {1u, 31u, 32u, 33u, 4095u, 4096u, 4097u, 4128u, 4129u, 12'345u, 2'500'000u}) {
    const ObjectContent content = object("key", size);
    const Bytes whole = bytes_of(content);
    EXPECT_EQ(gathered(gather, content, 0, size), whole) << size;
    for (int i = 0; i < 60; ++i) {
      const std::uint64_t offset = random.below(size), length = 1 + random.below(size - offset);
      ASSERT_EQ(gathered(gather, content, offset, length),
                Bytes(whole.begin() + static_cast<std::ptrdiff_t>(offset),
                      whole.begin() + static_cast<std::ptrdiff_t>(offset + length)))
          << size << " " << offset << " " << length;
      Bytes copied(length);
      copy_content(pool(), content, offset, copied);
      ASSERT_EQ(std::memcmp(copied.data(), whole.data() + offset, length), 0) << size << " " << offset;
    }
  }
}

TEST(Content, NoAlignedBlockIsSharedByTwoObjects) {
  std::set<std::string> blocks;
  std::size_t total = 0;
  for (int i = 0; i < 60; ++i) {
    for (const std::uint64_t size : {4096u, 8192u, 40'960u, 102'400u}) {
      const Bytes bytes = bytes_of(object("key" + std::to_string(i) + "/" + std::to_string(size), size));
      for (std::size_t at = 0; at < bytes.size(); at += block_size) {
        blocks.emplace(reinterpret_cast<const char*>(bytes.data() + at),
                       std::min(block_size, bytes.size() - at));
        ++total;
      }
    }
  }
  // Generations and sizes of one key differ too.
  for (std::uint32_t generation = 0; generation < 10; ++generation) {
    for (const std::uint64_t size : {8192u, 12'288u}) {
      const Bytes bytes = bytes_of(object("one key", size, generation));
      for (std::size_t at = 0; at < bytes.size(); at += block_size, ++total)
        blocks.emplace(reinterpret_cast<const char*>(bytes.data() + at), block_size);
    }
  }
  EXPECT_EQ(blocks.size(), total);
}

TEST(Content, MatchingPrefixFindsTheFirstByteThatDiffers) {
  const ObjectContent content = object("key", 3 * block_size + 50);
  const Bytes good = bytes_of(content);
  EXPECT_EQ(matching_prefix(pool(), content, 0, good), good.size());
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t offset = random.below(good.size()), n = 1 + random.below(good.size() - offset);
    ASSERT_EQ(matching_prefix(pool(), content, offset, part(good, offset, n)), n);
    Bytes bad = good;
    const std::size_t flipped = offset + random.below(n);
    bad[flipped] ^= std::byte(1 << random.below(8));
    ASSERT_EQ(matching_prefix(pool(), content, offset, part(bad, offset, n)), flipped - offset) << offset;
  }
}

TEST(Content, NothingBehindTheEndMatches) {
  const ObjectContent content = object("key", 100);
  Bytes longer = bytes_of(content);
  longer.resize(200);
  EXPECT_EQ(matching_prefix(pool(), content, 0, longer), 100u);
}

TEST(Content, IsRecognisedByKeyAndSizeAtEverySize) {
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t s = 1; s <= 100; ++s) sizes.push_back(s);
  for (std::uint64_t s = 4095; s <= 4129; ++s) sizes.push_back(s);
  for (const std::uint64_t size : sizes) {
    const ObjectContent content = object("key", size);
    const Bytes bytes = bytes_of(content);
    EXPECT_EQ(recognise(pool(), "key", size, bytes), content) << size;
    EXPECT_EQ(recognise(pool(), "key", size, part(bytes, 0, std::min<std::uint64_t>(size, block_size))),
              content);
    Bytes bad = bytes;
    bad[std::min<std::size_t>(size, block_size) - 1] ^= std::byte{1};
    EXPECT_EQ(recognise(pool(), "key", size, bad), std::nullopt) << size;
    bad = bytes;
    bad[0] ^= std::byte{1};
    EXPECT_EQ(recognise(pool(), "key", size, bad), std::nullopt) << size;
    if (size >= 8) {
      EXPECT_EQ(recognise(pool(), "another", size, bytes), std::nullopt) << size;
    }
    if (size > 1) {
      EXPECT_EQ(recognise(pool(), "key", size, part(bytes, 0, std::min<std::uint64_t>(size, block_size) - 1)),
                std::nullopt);
    }
  }
  EXPECT_EQ(recognise(pool(), "key", 0, {}), std::nullopt);
}

TEST(Content, TellsGenerationsApartAndSizesOfTheSameFirstBlock) {
  const ObjectContent second = object("key", 10'000, 2);
  EXPECT_EQ(recognise(pool(), "key", 10'000, bytes_of(second)), second);
  EXPECT_EQ(recognise(pool(), "key", 10'001, bytes_of(second)), std::nullopt);
}

// What deflate saves, in parts of the whole.
double compressed_gain(const Bytes& bytes) {
  uLongf size = compressBound(bytes.size());
  std::vector<Bytef> out(size);
  EXPECT_EQ(compress2(out.data(), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 9),
            Z_OK);
  return 1 - static_cast<double>(size) / static_cast<double>(bytes.size());
}

TEST(Content, DoesNotCompress) {
  for (const std::uint64_t size : {1024u, 10'240u, 1'048'576u}) {
    EXPECT_LT(compressed_gain(bytes_of(object("key", size))), 0.01) << size;
  }
  // Nor do small objects of one pattern together.
  Bytes many;
  for (int i = 0; i < 1000; ++i) {
    const Bytes one = bytes_of(object("key" + std::to_string(i), 32));
    many.insert(many.end(), one.begin(), one.end());
  }
  EXPECT_LT(compressed_gain(many), 0.01);
}

}  // namespace
}  // namespace s3lt
