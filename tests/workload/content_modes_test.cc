// Every mode of content: its layout, its proportions, and that any reader learns it from the object.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/random.h"
#include "workload/content_check.h"
#include "workload/content_layout.h"

namespace s3lt {
namespace {

using Bytes = std::vector<std::byte>;
using Depth = ContentCheck::Depth;

const ContentPool& pool() {
  static const ContentPool small(4 << 20);
  return small;
}

constexpr ContentMode modes[] = {ContentMode(),
                                 ContentMode::shared(),
                                 ContentMode::dedupe(0),
                                 ContentMode::dedupe(30),
                                 ContentMode::dedupe(100),
                                 ContentMode::compress(0),
                                 ContentMode::compress(50),
                                 ContentMode::compress(100)};
constexpr std::uint64_t sizes[] = {1,    31,   32,   33,   64,     1024,   4095,    4096,
                                   4097, 4120, 4128, 4129, 10'240, 20'480, 102'405, 1'000'000};

ObjectContent object(std::string_view key, std::uint64_t size, ContentMode mode,
                     std::uint32_t generation = 0) {
  return {.key_hash = hash64(key), .size = size, .generation = generation, .mode = mode_at(mode, size)};
}

Bytes bytes_of(const ObjectContent& content) {
  Bytes out(content.size);
  copy_content(pool(), content, 0, out);
  return out;
}

std::span<const std::byte> part(const Bytes& bytes, std::size_t offset, std::size_t n) {
  return std::span(bytes).subspan(offset, n);
}

std::string block_text(const Bytes& bytes, std::size_t at) {
  return {reinterpret_cast<const char*>(bytes.data() + at), std::min(block_size, bytes.size() - at)};
}

struct Verdict {
  std::optional<Mismatch> mismatch;
  bool unverifiable;
};

// As a connection does: nothing that may be skipped is given, and where it is read anyway (`all_come`), all
// is.
Verdict checked(const ObjectContent& guess, const Bytes& bytes, Depth depth, std::size_t piece,
                bool all_come = false) {
  ContentCheck check(pool(), guess, depth);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::uint64_t skippable = check.skippable();
    EXPECT_EQ(skippable == 0, check.wanted() > 0) << at;
    std::size_t n = bytes.size() - at;
    if (skippable > 0 && !all_come) {
      n = std::min<std::uint64_t>({n, piece, skippable});
      check.skip(n);
    } else {
      n = std::min(n, piece);
      if (!all_come) n = std::min<std::uint64_t>(n, check.wanted());
      check.take(part(bytes, at, n));
    }
    at += n;
  }
  return {check.finish(), check.unverifiable()};
}

TEST(ContentMode, IsReadAndWrittenAsUsersDo) {
  for (const ContentMode mode : modes) {
    const auto parsed = parse_content_mode(name(mode));
    ASSERT_TRUE(parsed) << name(mode);
    EXPECT_EQ(*parsed, mode);
    EXPECT_EQ(ContentMode::from_byte(mode.byte()), mode);
  }
  EXPECT_EQ(parse_content_mode("dedupe=30"), ContentMode::dedupe(30));
  for (const char* bad : {"", "Unique", "share", "30%", "dedupe30%"}) {
    const auto parsed = parse_content_mode(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().message,
              "\"" + std::string(bad) + "\" is none of unique, shared, dedupe=N% and compress=N%");
  }
  for (const char* bad : {"dedupe", "dedupe=", "dedupe=101%", "dedupe=-1%", "dedupe=0.3", "dedupe=30%%"}) {
    const auto parsed = parse_content_mode(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().message,
                testing::EndsWith(": dedupe needs a whole number from 0 to 100, as in dedupe=30%"));
  }
}

TEST(ContentMode, HasABytePerFormAndTheRestIsUnknown) {
  std::map<std::uint8_t, int> seen;
  ++seen[ContentMode().byte()];
  ++seen[ContentMode::shared().byte()];
  for (unsigned n = 0; n <= 100; ++n) {
    ++seen[ContentMode::dedupe(n).byte()];
    ++seen[ContentMode::compress(n).byte()];
    EXPECT_EQ(ContentMode::dedupe(n).percent(), n);
    EXPECT_EQ(ContentMode::compress(n).percent(), n);
  }
  EXPECT_EQ(seen.size(), 204u);
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool unknown =
        ContentMode::from_byte(static_cast<std::uint8_t>(byte)).kind() == ContentMode::Kind::unknown;
    EXPECT_EQ(unknown, byte > 203) << byte;
  }
}

TEST(ContentModes, PiecesCopiesAndComparisonsAgreeAtAnyOffset) {
  ContentGather gather;
  Random random(1);
  for (const ContentMode mode : modes) {
    for (const std::uint64_t size : sizes) {
      const ObjectContent content = object("key", size, mode);
      const Bytes whole = bytes_of(content);
      for (int i = 0; i < 40; ++i) {
        const std::uint64_t offset = i == 0 ? 0 : random.below(size);
        const std::uint64_t length = i == 0 ? size : 1 + random.below(size - offset);
        Bytes gathered, copied(length);
        while (gathered.size() < length) {
          const auto pieces =
              gather.gather(pool(), content, offset + gathered.size(), length - gathered.size());
          ASSERT_FALSE(pieces.empty());
          for (const iovec& piece : pieces) {
            const auto* from = static_cast<const std::byte*>(piece.iov_base);
            gathered.insert(gathered.end(), from, from + piece.iov_len);
          }
        }
        copy_content(pool(), content, offset, copied);
        ASSERT_EQ(gathered, copied) << name(mode) << " " << size << " " << offset;
        ASSERT_EQ(std::memcmp(copied.data(), whole.data() + offset, length), 0) << name(mode) << " " << size;
        ASSERT_EQ(matching_prefix(pool(), content, offset, copied), length);
        const std::uint64_t flipped = random.below(length);
        copied[flipped] ^= std::byte(1 << random.below(8));
        ASSERT_EQ(matching_prefix(pool(), content, offset, copied), flipped) << name(mode) << " " << size;
      }
    }
  }
}

// docs/content.md, in other words than the implementation's.
TEST(ContentModes, AreLaidOutAsDocumented) {
  const std::uint64_t size = 5 * block_size + 1000;
  const auto same = [&](const Bytes& bytes, std::size_t begin, std::size_t end, const std::byte* expected) {
    return std::memcmp(bytes.data() + begin, expected, end - begin) == 0;
  };
  const ObjectContent shared = object("key", size, ContentMode::shared());
  const Bytes alike = bytes_of(shared);
  EXPECT_TRUE(same(alike, 0, size - 32, pool().at(0)));
  EXPECT_TRUE(same(alike, size - 32, size, make_stamp(shared, 0).data()));

  const ObjectContent half = object("key", size, ContentMode::compress(50));
  const Bytes squeezed = bytes_of(half);
  const Bytes zeros(block_size);
  for (std::size_t b = 0; b < 6; ++b) {
    const std::size_t begin = b * block_size, end = std::min<std::size_t>(begin + block_size, size);
    const std::size_t from = end - 32 - (end - begin) / 2;
    EXPECT_TRUE(same(squeezed, begin, from, pool().at(begin))) << b;
    EXPECT_TRUE(same(squeezed, from, end - 32, zeros.data())) << b;
    EXPECT_TRUE(same(squeezed, end - 32, end, make_stamp(half, b).data())) << b;
  }

  const ObjectContent common = object("key", size, ContentMode::dedupe(40));
  const Bytes deduped = bytes_of(common);
  const std::uint64_t phase = common.key_hash % 100;
  std::uint64_t before = 0;
  for (std::size_t b = 0; b < 6; ++b) {
    const std::uint64_t count = std::min<std::uint64_t>(((b + 1) * 40 + phase) / 100, b);
    const std::size_t begin = b * block_size, end = std::min<std::size_t>(begin + block_size, size);
    const bool is_common = count > before;
    before = count;
    EXPECT_TRUE(same(deduped, begin, end - 32, pool().at(begin))) << b;
    const Stamp stamp = make_stamp(common, b);
    EXPECT_TRUE(same(deduped, end - 32, end, is_common ? pool().at(end - 32) : stamp.data())) << b;
  }
  EXPECT_EQ(bytes_of(object("key", 31, ContentMode::shared())), bytes_of(object("key", 31, ContentMode())));
}

// How many of the blocks of many objects of these sizes are those of other objects.
double common_share(ContentMode mode, std::span<const std::uint64_t> of_sizes, int objects) {
  std::map<std::string, int> holders;
  std::vector<std::vector<std::string>> blocks;
  for (int i = 0; i < objects; ++i) {
    const std::uint64_t size = of_sizes[static_cast<std::size_t>(i) % of_sizes.size()];
    const Bytes bytes = bytes_of(object("loadtest/0/" + std::to_string(i), size, mode));
    std::vector<std::string> hashes;
    for (std::size_t at = 0; at < bytes.size(); at += block_size)
      hashes.push_back(std::to_string(hash64(block_text(bytes, at))));
    std::map<std::string, int> own;
    for (const auto& h : hashes) own[h] = 1;
    for (const auto& [h, n] : own) ++holders[h];
    blocks.push_back(std::move(hashes));
  }
  double common = 0, total = 0;
  for (const auto& hashes : blocks) {
    for (const auto& h : hashes) {
      common += holders[h] > 1 ? 1 : 0;
      total += 1;
    }
  }
  return common / total;
}

TEST(ContentModes, HaveAsManyBlocksInCommonAsTheySay) {
  const std::uint64_t mixed[] = {1024, 10'240, 102'400, 262'144};
  EXPECT_EQ(common_share(ContentMode(), mixed, 200), 0);
  EXPECT_EQ(common_share(ContentMode::compress(50), mixed, 200), 0);
  EXPECT_EQ(common_share(ContentMode::dedupe(0), mixed, 200), 0);
  EXPECT_NEAR(common_share(ContentMode::dedupe(30), mixed, 400), 0.30, 0.02);
  EXPECT_NEAR(common_share(ContentMode::dedupe(75), mixed, 400), 0.75, 0.02);
  const std::uint64_t two_blocks[] = {8192};
  EXPECT_NEAR(common_share(ContentMode::dedupe(30), two_blocks, 1000), 0.30, 0.03);
  // All but the blocks with stamps.
  EXPECT_NEAR(common_share(ContentMode::shared(), mixed, 400), 1 - 4 / (1 + 3 + 25 + 64.0), 0.001);
}

TEST(ContentModes, AreRecognisedByKeyAndSize) {
  for (const ContentMode mode : modes) {
    for (const std::uint64_t size : sizes) {
      for (const std::uint32_t generation : {0u, 7u}) {
        if (size < stamp_size && generation > 0) continue;
        const ObjectContent content = object("key", size, mode, generation);
        const Bytes bytes = bytes_of(content);
        EXPECT_EQ(recognise(pool(), "key", size, bytes), content) << name(mode) << " " << size;
        EXPECT_EQ(recognise(pool(), "another", size, bytes).has_value(), false) << name(mode) << " " << size;
        const Bytes first(bytes.begin(),
                          bytes.begin() + std::min<std::ptrdiff_t>(block_size, bytes.end() - bytes.begin()));
        const bool stamp_to_come = mode == ContentMode::shared() && size > block_size;
        if (stamp_to_come && generation > 0) continue;
        EXPECT_EQ(recognise(pool(), "key", size, first), content) << name(mode) << " " << size;
      }
    }
  }
}

TEST(ContentModes, AReaderNeedNotKnowThem) {
  for (const ContentMode mode : modes) {
    for (const std::uint64_t size : sizes) {
      const Bytes bytes = bytes_of(object("key", size, mode));
      for (const ContentMode guess : modes) {
        for (const Depth depth : {Depth::stamps, Depth::bytes}) {
          for (const std::size_t piece : {std::size_t{7}, std::size_t{4096}, std::size_t{5000}, SIZE_MAX}) {
            if (piece == 7 && size > 10'240) continue;
            for (const bool all_come : {false, true}) {
              const auto mismatch =
                  checked(object("key", size, guess), bytes, depth, piece, all_come).mismatch;
              ASSERT_FALSE(mismatch) << name(mode) << " read as " << name(guess) << " " << size << " "
                                     << piece << " at " << mismatch->offset;
            }
          }
        }
      }
    }
  }
}

TEST(ContentModes, EveryFlippedBitIsFoundWhateverTheGuess) {
  Random random(2);
  for (const ContentMode mode : modes) {
    for (const std::uint64_t size : sizes) {
      const ObjectContent content = object("key", size, mode);
      const Bytes good = bytes_of(content);
      for (const ContentMode guess : modes) {
        for (int i = 0; i < 12; ++i) {
          Bytes bad = good;
          const std::uint64_t at = i == 0 ? size - 1 : random.below(size);
          bad[at] ^= std::byte(1 << random.below(8));
          const auto mismatch =
              checked(object("key", size, guess), bad, Depth::bytes, 1 + random.below(9000)).mismatch;
          ASSERT_TRUE(mismatch) << name(mode) << " read as " << name(guess) << " " << size << " " << at;
          if (mode != guess && at < block_size) continue;  // the stamp that tells the mode may be the damage
          EXPECT_EQ(mismatch->kind, Corruption::flipped)
              << name(mode) << " " << name(guess) << size << " " << at;
          ASSERT_EQ(mismatch->offset, at) << name(mode) << " read as " << name(guess) << " " << size;
        }
      }
    }
  }
}

TEST(ContentModes, SwappedAndStaleObjectsAreToldByTheLeastLook) {
  for (const ContentMode mode : modes) {
    for (const std::uint64_t size : {64u, 1024u, 4096u, 4100u, 10'240u, 102'405u}) {
      for (const ContentMode guess : modes) {
        const ObjectContent expected = object("key", size, guess, 5);
        for (const std::size_t piece : {std::size_t{100}, SIZE_MAX}) {
          const auto swapped =
              checked(expected, bytes_of(object("other", size, mode, 5)), Depth::stamps, piece).mismatch;
          ASSERT_TRUE(swapped) << name(mode) << " for " << name(guess) << " " << size;
          EXPECT_EQ(swapped->kind, Corruption::swapped)
              << name(mode) << " for " << name(guess) << " " << size;
          const auto stale =
              checked(expected, bytes_of(object("key", size, mode, 4)), Depth::stamps, piece).mismatch;
          ASSERT_TRUE(stale) << name(mode) << " for " << name(guess) << " " << size;
          EXPECT_EQ(stale->kind, Corruption::stale) << name(mode) << " for " << name(guess) << " " << size;
        }
      }
    }
  }
}

TEST(ContentModes, OfALargeSharedObjectASampleSeesBothEnds) {
  const std::uint64_t size = 1'000'000;
  const ObjectContent content = object("key", size, ContentMode::shared());
  ContentCheck check(pool(), content, Depth::stamps);
  const Bytes bytes = bytes_of(content);
  EXPECT_EQ(check.wanted(), block_size);
  check.take(part(bytes, 0, block_size));
  EXPECT_EQ(check.wanted(), 0u);
  EXPECT_EQ(check.skippable(), size - 32 - block_size);
  check.skip(size - 32 - block_size);
  EXPECT_EQ(check.wanted(), 32u);
  check.take(part(bytes, size - 32, 32));
  EXPECT_EQ(check.wanted(), 0u);
  EXPECT_EQ(check.skippable(), UINT64_MAX);
}

TEST(ContentModes, AModeOfANewerVersionIsNoCorruption) {
  for (const std::uint64_t size : {100u, 4096u, 50'000u}) {
    ObjectContent newer = object("key", size, ContentMode::from_byte(204));
    Bytes bytes(size, std::byte{'?'});
    const Stamp stamp = make_stamp(newer, 0);
    std::copy(
        stamp.begin(), stamp.end(),
        bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(size, block_size) - stamp_size));
    for (const ContentMode guess : modes) {
      const Verdict check = checked(object("key", size, guess), bytes, Depth::bytes, 3000);
      EXPECT_FALSE(check.mismatch) << size;
      EXPECT_TRUE(check.unverifiable) << size;
      const auto swapped = checked(object("other", size, guess), bytes, Depth::bytes, 3000).mismatch;
      ASSERT_TRUE(swapped);
      EXPECT_EQ(swapped->kind, Corruption::swapped);
    }
    EXPECT_EQ(recognise(pool(), "key", size, bytes), std::nullopt);
  }
}

}  // namespace
}  // namespace s3lt
