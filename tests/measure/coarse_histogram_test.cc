#include "measure/coarse_histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace s3lt {
namespace {

// Over all of its range.
std::vector<std::int64_t> values(int n) {
  Random random = Random::stream(1, {});
  std::vector<std::int64_t> out;
  for (int i = 0; i < n; ++i) out.push_back(std::llround(std::exp(random.uniform() * 22)));
  return out;
}

TEST(CoarseHistogram, TellsEachValueToOnePercent) {
  for (const std::int64_t value : values(20'000)) {
    CoarseHistogram histogram;
    histogram.record(value);
    const double told = static_cast<double>(histogram.percentile(50));
    EXPECT_LE(std::abs(told / static_cast<double>(value) - 1), 0.008) << value;
    if (value < 128) {
      EXPECT_EQ(histogram.percentile(50), value);
    }
  }
}

TEST(CoarseHistogram, CountsWhatLiesOutsideAtTheBounds) {
  CoarseHistogram histogram;
  histogram.record(-5);
  histogram.record(Histogram::highest * 2);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.at_rank(1), Histogram::lowest);
  EXPECT_NEAR(static_cast<double>(histogram.max()) / static_cast<double>(Histogram::highest), 1, 0.01);
}

TEST(CoarseHistogram, HasThePercentilesOfTheFineOneToOnePercent) {
  CoarseHistogram coarse;
  Histogram fine;
  for (const std::int64_t value : values(50'000)) {
    coarse.record(value);
    fine.record(value);
  }
  for (const double p : {0.0, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto exact = static_cast<double>(fine.percentile(p));
    EXPECT_NEAR(static_cast<double>(coarse.percentile(p)), exact, 0.01 * exact + 1) << p;
  }
}

TEST(CoarseHistogram, LosesNothingWhenMergedLoggedAndReadBack) {
  CoarseHistogram all, even, odd;
  int i = 0;
  for (const std::int64_t value : values(50'000)) {
    all.record(value);
    (i++ % 2 == 0 ? even : odd).record(value);
  }
  even.add(odd);
  const auto decoded = Histogram::decode_compressed_base64(even.fine().encode_compressed_base64());
  ASSERT_TRUE(decoded);
  CoarseHistogram back;
  back.add(*decoded);
  EXPECT_EQ(back.count(), all.count());
  for (std::uint64_t rank = 1; rank <= all.count(); rank += 97)
    ASSERT_EQ(back.at_rank(rank), all.at_rank(rank));
}

TEST(CoarseHistogram, IsEmptyAfterAClearAndCopiesStandAlone) {
  CoarseHistogram histogram;
  histogram.record(1000, 3);
  const CoarseHistogram copy = histogram;
  histogram.clear();
  EXPECT_TRUE(histogram.empty());
  EXPECT_EQ(histogram.percentile(50), 0);
  EXPECT_EQ(copy.count(), 3U);
  histogram.record(5);
  EXPECT_EQ(histogram.max(), 5);
  histogram = copy;
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.at_rank(1), copy.at_rank(1));
}

}  // namespace
}  // namespace s3lt
