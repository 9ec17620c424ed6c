#include "workload/catalog.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace s3lt {
namespace {

std::vector<SizeClass> two_sizes() {
  return {{.label = "1KB", .bytes = 1024}, {.label = "1MB", .bytes = 1 << 20}};
}

KeyId key(std::uint32_t size_class, std::uint64_t micros) {
  return {.size_class = size_class, .suffix = static_cast<std::uint32_t>(micros * 7), .micros = micros};
}

TEST(KeyNames, WritesPrefixWorkerSizePatternTimeAndSuffix) {
  const KeyNames names("loadtest/", 3, "mine", two_sizes());
  std::string out = "old";
  names.write({.size_class = 1, .suffix = 0xab, .micros = 1790000000000001}, out);
  EXPECT_EQ(out, "loadtest/3/1MB/mine/1790000000000001/000000ab");
}

TEST(Catalog, IsEmptyUntilAKeyOfTheSizeIsWritten) {
  Catalog catalog(two_sizes(), {});
  Random random(1);
  EXPECT_FALSE(catalog.pick(0, random));
  catalog.written(key(1, 10));
  EXPECT_EQ(catalog.alive(0), 0u);
  EXPECT_FALSE(catalog.pick(0, random));
  ASSERT_TRUE(catalog.pick(1, random));
  EXPECT_EQ(catalog.pick(1, random)->id, key(1, 10));
  EXPECT_EQ(catalog.alive(), 1u);
}

TEST(Catalog, PicksEveryKeyEquallyOften) {
  Catalog catalog(two_sizes(), {});
  for (std::uint64_t i = 1; i <= 100; ++i) catalog.written(key(0, i));
  Random random(2);
  std::map<std::uint64_t, int> picked;
  for (int i = 0; i < 100'000; ++i) ++picked[catalog.pick(0, random)->id.micros];
  ASSERT_EQ(picked.size(), 100u);
  // 1000 each, give or take five standard deviations.
  for (const auto& [micros, times] : picked) EXPECT_NEAR(times, 1000, 160) << micros;
}

TEST(Catalog, ARemovedKeyIsNeverPickedAndIsRemovedOnce) {
  Catalog catalog(two_sizes(), {});
  for (std::uint64_t i = 1; i <= 50; ++i) catalog.written(key(0, i));
  Random random(3);
  std::set<std::uint64_t> gone;
  while (catalog.alive() > 0) {
    const auto entry = catalog.pick(0, random);
    ASSERT_TRUE(entry);
    ASSERT_FALSE(gone.contains(entry->id.micros));
    ASSERT_TRUE(catalog.alive(*entry));
    ASSERT_TRUE(catalog.remove(*entry));
    ASSERT_FALSE(catalog.alive(*entry));
    ASSERT_FALSE(catalog.remove(*entry));
    gone.insert(entry->id.micros);
  }
  EXPECT_EQ(gone.size(), 50u);
  EXPECT_FALSE(catalog.pick(0, random));
  catalog.written(key(0, 99));
  EXPECT_EQ(catalog.pick(0, random)->id, key(0, 99));
}

TEST(Catalog, TakesTheOldestOverAllSizesWhenThereAreTooManyKeys) {
  Catalog catalog(two_sizes(), {.keys = 3, .bytes = UINT64_MAX});
  for (const auto& id : {key(1, 10), key(0, 20), key(1, 30)}) catalog.written(id);
  EXPECT_FALSE(catalog.has_excess());
  EXPECT_FALSE(catalog.take_excess());
  catalog.written(key(0, 40));
  catalog.written(key(0, 50));
  EXPECT_EQ(catalog.take_excess(), key(1, 10));
  EXPECT_EQ(catalog.take_excess(), key(0, 20));
  EXPECT_FALSE(catalog.take_excess());
  EXPECT_EQ(catalog.alive(), 3u);
}

TEST(Catalog, TakesTheOldestWhenThereAreTooManyBytes) {
  Catalog catalog(two_sizes(), {.keys = 1000, .bytes = (2 << 20) + 1024});
  for (const auto& id : {key(0, 1), key(1, 2), key(1, 3)}) catalog.written(id);
  EXPECT_FALSE(catalog.has_excess());
  catalog.written(key(0, 4));
  EXPECT_TRUE(catalog.has_excess());
  EXPECT_EQ(catalog.take_excess(), key(0, 1));
  EXPECT_FALSE(catalog.has_excess());
}

TEST(Catalog, UncertainKeysAreCountedAndTrimmedButNeverRead) {
  Catalog catalog(two_sizes(), {.keys = 2, .bytes = UINT64_MAX});
  catalog.uncertain(key(0, 5));
  Random random(4);
  EXPECT_FALSE(catalog.pick(0, random));
  EXPECT_EQ(catalog.alive(), 0u);
  EXPECT_EQ(catalog.unknown(), 1u);
  catalog.written(key(0, 4));
  catalog.written(key(0, 6));
  EXPECT_EQ(catalog.take_excess(), key(0, 4));
  catalog.written(key(0, 7));
  EXPECT_EQ(catalog.take_excess(), key(0, 5));
  EXPECT_EQ(catalog.unknown(), 0u);
  EXPECT_EQ(catalog.alive(), 2u);
}

// A server lists an object as soon as it has it; here its PUT has ended only once the answer was read.
TEST(Catalog, AKeyThatWasDeletedBeforeItsPutHadEndedIsNeverPicked) {
  Catalog catalog(two_sizes(), {});
  Random random(1);
  catalog.written(key(1, 10));
  const KeyStamp listed[] = {{key(1, 10).micros, key(1, 10).suffix}, {key(1, 20).micros, key(1, 20).suffix}};
  catalog.deleted(1, listed);
  catalog.written(key(1, 20));
  EXPECT_FALSE(catalog.pick(1, random));
  EXPECT_EQ(catalog.alive(), 0u);
  catalog.written(key(0, 20));  // of another size
  catalog.written(key(1, 30));
  EXPECT_EQ(catalog.alive(), 2u);
  ASSERT_TRUE(catalog.pick(1, random));
  EXPECT_EQ(catalog.pick(1, random)->id, key(1, 30));
}

// A trim takes a key while a page that lists it is on its way to be deleted: one of the two counts it.
TEST(Catalog, AKeyThatATrimTookIsKnownAsSuchUntilItsDeletionFails) {
  Catalog catalog(two_sizes(), {.keys = 1, .bytes = UINT64_MAX});
  const auto taken = [&](const KeyId& id) {
    const KeyStamp listed[] = {{id.micros, id.suffix}};
    std::vector<KeyStamp> found;
    catalog.deleted(id.size_class, listed, &found);
    return !found.empty();
  };
  catalog.written(key(0, 10));
  catalog.written(key(0, 20));
  ASSERT_EQ(catalog.take_excess(), key(0, 10));
  EXPECT_TRUE(taken(key(0, 10)));
  EXPECT_TRUE(taken(key(0, 10))) << "in the next listing, too";
  EXPECT_FALSE(taken(key(0, 20))) << "the page's";
  EXPECT_FALSE(taken(key(1, 10))) << "of another size";
  catalog.uncertain(key(0, 10));
  EXPECT_FALSE(taken(key(0, 10))) << "left to the next listing";
  catalog.uncertain(key(0, 5));
  catalog.uncertain(key(0, 6));
  ASSERT_EQ(catalog.take_excess(), key(0, 5)) << "one of unknown fate is taken like the others";
  EXPECT_TRUE(taken(key(0, 5)));
}

TEST(Catalog, UncertainBytesCountAgainstTheBound) {
  Catalog catalog(two_sizes(), {.keys = 1000, .bytes = 1 << 20});
  catalog.uncertain(key(1, 1));
  EXPECT_FALSE(catalog.has_excess());
  catalog.written(key(0, 2));
  EXPECT_EQ(catalog.take_excess(), key(1, 1));
  EXPECT_FALSE(catalog.has_excess());
}

TEST(Catalog, StaysInsideItsBoundsOverALongRun) {
  const Catalog::Limits limits{.keys = 100, .bytes = 40 << 20};
  Catalog catalog(two_sizes(), limits);
  Random random(5);
  std::map<std::uint64_t, std::uint64_t> stored;  // micros -> bytes
  std::uint64_t bytes = 0;
  for (std::uint64_t t = 1; t <= 20'000; ++t) {
    const auto size_class = static_cast<std::uint32_t>(random.below(2));
    if (random.below(10) == 0) {
      if (const auto entry = catalog.pick(size_class, random); entry && catalog.remove(*entry)) {
        bytes -= stored.at(entry->id.micros);
        stored.erase(entry->id.micros);
      }
    }
    const KeyId id = key(size_class, t);
    stored[t] = size_class == 0 ? 1024 : 1 << 20;
    bytes += stored[t];
    if (random.below(20) == 0) {
      catalog.uncertain(id);
    } else {
      catalog.written(id);
    }
    while (const auto excess = catalog.take_excess()) {
      // The oldest of all that is stored.
      ASSERT_EQ(excess->micros, stored.begin()->first);
      bytes -= stored.begin()->second;
      stored.erase(stored.begin());
    }
    ASSERT_EQ(catalog.alive() + catalog.unknown(), stored.size());
    ASSERT_LE(stored.size(), limits.keys);
    ASSERT_LE(bytes, limits.bytes);
  }
}

}  // namespace
}  // namespace s3lt
