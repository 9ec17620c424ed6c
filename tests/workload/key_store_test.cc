#include "workload/key_store.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "workload/key_shape.h"

namespace s3lt {
namespace {

const KeySpaceSpec first{.pattern = "first", .sizes = {{"1KB", 1 << 10}, {"1MB", 1 << 20}}};
const KeySpaceSpec both[] = {first, {.pattern = "second", .sizes = {{"1MB", 1 << 20}}}};

TEST(KeyShape, ReadsBackWhatKeyNamesWrites) {
  const KeyNames names("loadtest/", 3, "first", first.sizes);
  std::string key;
  names.write({.size_class = 1, .suffix = 0xabcdef01, .micros = 1790000000000001}, key);
  const auto parts = parse_key_tail(std::string_view(key).substr(std::string_view("loadtest/3/").size()));
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->size, "1MB");
  EXPECT_EQ(parts->pattern, "first");
  EXPECT_EQ(parts->stamp, (KeyStamp{1790000000000001, 0xabcdef01}));
  for (const char* wrong :
       {"", "1MB", "1MB/first/12", "1MB/first/12/abc", "1MB/first/1x/abcdef01", "/first/12/abcdef01",
        "1MB/first/12/abcdef0g", "1MB/first/99999999999999999999/abcdef01"}) {
    EXPECT_FALSE(parse_key_tail(wrong)) << wrong;
  }
}

TEST(KeyShape, KnowsTestObjectsFromForeignOnes) {
  for (const char* ours : {"0/1KB/baseload/1790000000000001/abcdef01", "12/100MB/x", "7/other/a/b",
                           "3/elephant/1", "0/1.5MB/mine/1/2"}) {
    EXPECT_TRUE(is_test_key(ours)) << ours;
  }
  for (const char* foreign : {"", "data.csv", "0/", "0/1KB/", "a/1KB/x", "0/photos/x", "-1/1KB/x", "0/1kb",
                              "/1KB/x", "0/1024KB/x", "0/KB/x"}) {
    EXPECT_FALSE(is_test_key(foreign)) << foreign;
    EXPECT_EQ(tester_prefix_below("", foreign), "") << foreign;
  }
  EXPECT_EQ(tester_prefix_below("loadtest/", "loadtest/a/b/0/1KB/baseload/1790000000000001/abcdef01"),
            "loadtest/a/b/");
  EXPECT_EQ(tester_prefix_below("loadtest/", "other/a/0/1KB/x"), "");
}

TEST(KeyStore, ADeletedPageTakesItsKeysOutOfEveryPattern) {
  KeyStore store("loadtest/", 1, both, {});
  std::vector<std::string> keys;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    for (std::size_t p = 0; p < 2; ++p) {
      KeySpace& space = store.space(p);
      const KeyId id{.size_class = static_cast<std::uint32_t>(p == 0 ? i % 2 : 0),
                     .suffix = static_cast<std::uint32_t>(1000 - i),
                     .micros = i};
      space.catalog.written(id);
      if (i % 2 == 0) space.names.write(id, keys.emplace_back());
    }
  }
  store.space(1).catalog.uncertain({.size_class = 0, .suffix = 5, .micros = 77});
  store.space(1).names.write({.size_class = 0, .suffix = 5, .micros = 77}, keys.emplace_back());
  keys.emplace_back("loadtest/10/1KB/first/2/000003e6");  // another worker's
  keys.emplace_back("loadtest/1/1KB/unknown/2/000003e6");
  const std::vector<std::string_view> views(keys.rbegin(), keys.rend());
  store.deleted(views);
  EXPECT_EQ(store.space(0).catalog.alive(), 10u);
  EXPECT_EQ(store.space(1).catalog.alive(), 10u);
  EXPECT_EQ(store.space(1).catalog.unknown(), 0u);
  store.deleted(views);
  EXPECT_EQ(store.space(0).catalog.alive(), 10u) << "once only";
}

TEST(KeyStore, KeysWhoseDeletionFailedMayExistAndAreNoLongerRead) {
  KeyStore store("loadtest/", 1, both, {});
  const KeyId id{.size_class = 1, .suffix = 9, .micros = 5};
  store.space(0).catalog.written(id);
  std::string key;
  store.space(0).names.write(id, key);
  const std::vector<std::string_view> page{key, "loadtest/10/1KB/first/2/000003e6", "elsewhere"};
  for (int pass = 0; pass < 3; ++pass) {
    store.deleted(page);
    EXPECT_EQ(store.space(0).catalog.unknown(), 0u);
    store.uncertain(page);
    EXPECT_EQ(store.space(0).catalog.unknown(), 1u) << "however often it fails";
    EXPECT_EQ(store.space(0).catalog.alive(), 0u);
  }
}

TEST(KeyStore, AListedKeyThatATrimTookIsLeftToTheTrim) {
  KeyStore store("loadtest/", 1, both, {.keys = 2, .bytes = UINT64_MAX});
  std::vector<std::string> keys;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const KeyId id{.size_class = 0, .suffix = 1, .micros = i};
    store.space(0).catalog.written(id);
    store.space(0).names.write(id, keys.emplace_back());
  }
  ASSERT_TRUE(store.space(0).catalog.take_excess());
  ASSERT_TRUE(store.space(0).catalog.take_excess());
  const std::vector<std::string_view> page{keys[3], keys[1], keys[2], "elsewhere", keys[0]};
  EXPECT_EQ(store.deleted(page), (std::vector<std::size_t>{1, 4}));
  const std::vector<std::string_view> failed{keys[1]};
  store.uncertain(failed);
  EXPECT_EQ(store.deleted(page), (std::vector<std::size_t>{4}));
}

TEST(KeySource, ReadsEverySizeThatHasKeysEquallyOftenAndEveryKeyOfItToo) {
  KeyStore store("loadtest/", 1, both, {});
  for (std::uint64_t i = 1; i <= 90; ++i) store.space(0).catalog.written({0, 1, i});
  for (std::uint64_t i = 1; i <= 9; ++i) store.space(0).catalog.written({1, 2, 100 + i});
  store.space(1).catalog.written({0, 3, 200});
  const std::vector<SizeClass> sizes{{"1KB", 1 << 10}, {"10KB", 10 << 10}, {"1MB", 1 << 20}};
  const KeySource source({&store.space(0), &store.space(1)}, sizes);
  Random random(7);
  std::map<std::uint32_t, int> drawn;
  for (int i = 0; i < 20'000; ++i) ++drawn[*source.any_size(random)];
  ASSERT_EQ(drawn.size(), 2u);
  EXPECT_NEAR(drawn[0], 10'000, 350);
  EXPECT_FALSE(source.pick(1, random));
  std::map<std::pair<KeySpace*, std::uint64_t>, int> picked;
  for (int i = 0; i < 20'000; ++i) {
    const auto found = source.pick(2, random);
    ASSERT_TRUE(found);
    ++picked[{found->space, found->entry.id.micros}];
  }
  ASSERT_EQ(picked.size(), 10u);
  for (const auto& [key, times] : picked) EXPECT_NEAR(times, 2000, 215) << key.second;
}

TEST(KeyRing, ManyThreadsLoseAndDoubleNothing) {
  KeyRing ring(4096);
  constexpr int threads = 4, each = 20'000;
  std::atomic<int> removed{0}, refused{0};
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      Random random(static_cast<std::uint64_t>(t));
      for (int i = 0; i < each; ++i) {
        const auto micros = static_cast<std::uint64_t>(i) * threads + static_cast<std::uint64_t>(t) + 1;
        if (!ring.push({micros, static_cast<std::uint32_t>(micros * 3)})) ++refused;
        while (ring.live() > 1000) {
          const auto entry = random.next() % 2 ? ring.pick(random) : ring.oldest();
          if (!entry) continue;
          ASSERT_EQ(entry->key.suffix, static_cast<std::uint32_t>(entry->key.micros * 3)) << "no torn slot";
          if (ring.remove(*entry)) ++removed;
        }
      }
    });
  }
  for (auto& thread : pool) thread.join();
  // A thread that is put to sleep between taking a slot and filling it holds the head for so long.
  EXPECT_LT(refused, threads * each / 4);
  EXPECT_EQ(static_cast<int>(ring.live()) + removed, threads * each - refused);
  int left = 0;
  while (const auto entry = ring.oldest()) {
    ASSERT_TRUE(ring.remove(*entry));
    ++left;
  }
  EXPECT_EQ(left + removed, threads * each - refused);
  EXPECT_EQ(ring.live(), 0u);
}

// Writers behind a full ring take slots as soon as the head has passed them, while it gives their memory
// back.
TEST(KeyRing, AFullOneGivesBackNoMemoryThatIsInUseAgain) {
  KeyRing ring(512);
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> pushed{0};
  std::vector<std::thread> writers;
  for (std::uint64_t t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      for (std::uint64_t i = 1; !done; ++i) {
        while (!done && !ring.push({2 * i + t, static_cast<std::uint32_t>(i)})) std::this_thread::yield();
        if (!done) ++pushed;
      }
    });
  }
  std::uint64_t removed = 0;
  for (std::uint64_t tries = 0; removed < 100'000 && tries < 1'000'000; ++tries) {
    const auto entry = ring.oldest();
    if (entry && ring.remove(*entry)) {
      ++removed;
    } else {
      std::this_thread::yield();  // the writers have to come first
    }
  }
  done = true;
  for (auto& writer : writers) writer.join();
  EXPECT_GE(removed, 100'000u);
  while (const auto entry = ring.oldest()) {
    ASSERT_TRUE(ring.remove(*entry));
    ++removed;
  }
  EXPECT_EQ(ring.live(), 0u) << "of " << pushed << " keys, " << removed << " were found again";
}

TEST(KeyRing, SaysWhenItIsFullAndGoesOnOnceThereIsRoom) {
  KeyRing ring(512);  // and as many dead ones
  std::uint64_t next = 1;
  while (next < 100'000 && ring.push({next, 0})) ++next;
  EXPECT_GT(next, 1024u);
  EXPECT_LT(next, 100'000u);
  EXPECT_TRUE(ring.is_crowded());
  const std::uint64_t third = next / 3;
  for (std::uint64_t i = 0; i < third; ++i) ASSERT_TRUE(ring.remove(*ring.oldest()));
  EXPECT_FALSE(ring.is_crowded());
  ASSERT_TRUE(ring.push({next, 0}));
  Random random(3);
  for (int i = 0; i < 1000; ++i) ASSERT_GT(ring.pick(random)->key.micros, third);
}

}  // namespace
}  // namespace s3lt
