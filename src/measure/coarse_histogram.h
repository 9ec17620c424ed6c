// A histogram in little room: values are told apart to 1.6%, and a distribution over a decade takes 2 KiB.
// For what is kept a hundred times over, such as the latencies of each endpoint, where histogram.h would take
// more memory and more of the CPU's cache than what it is for. Merging is lossless. Not thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "measure/histogram.h"

namespace s3lt {

class CoarseHistogram {
 public:
  CoarseHistogram() = default;
  CoarseHistogram(const CoarseHistogram& other) { add(other); }
  CoarseHistogram& operator=(const CoarseHistogram& other);
  CoarseHistogram(CoarseHistogram&& other) noexcept { swap(other); }
  CoarseHistogram& operator=(CoarseHistogram&& other) noexcept {
    swap(other);
    return *this;
  }
  ~CoarseHistogram() = default;
  void swap(CoarseHistogram& other) noexcept;

  // Microseconds; values outside [Histogram::lowest, Histogram::highest] count as the nearest bound.
  void record(std::int64_t micros, std::uint64_t n = 1) {
    if (micros < Histogram::lowest) micros = Histogram::lowest;
    if (micros > Histogram::highest) micros = Histogram::highest;
    const auto index = static_cast<std::size_t>(index_of(micros));
    auto& page = pages_[index / page_size];
    if (!page) page = std::make_unique<Page>();
    (*page)[index % page_size] += n;
    count_ += n;
  }
  void add(const CoarseHistogram& other);
  void clear();  // keeps its pages

  std::uint64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  // The middle of the bucket that holds the sample of this rank (1 is the least); 0 when empty.
  std::int64_t at_rank(std::uint64_t rank) const;
  // Ranks as Histogram::percentile() has them.
  std::int64_t percentile(double p) const;
  std::int64_t max() const { return at_rank(count_); }

  // For a histogram log, and back: a value stands for its bucket, so that nothing is lost either way.
  Histogram fine() const;
  void add(const Histogram& fine);

 private:
  static constexpr std::size_t page_size = 64;   // counters of one doubling of the value
  static constexpr std::size_t page_count = 27;  // values below 2^32
  using Page = std::array<std::uint64_t, page_size>;
  static constexpr int index_of(std::int64_t value) {
    // Values below 64 have a counter each; of each doubling beyond, 64 counters.
    const auto bits = static_cast<std::uint64_t>(value);
    const int shift = 64 - std::countl_zero(bits | 63) - 7;
    if (shift < 0) return static_cast<int>(value);
    return (shift + 1) * static_cast<int>(page_size) + static_cast<int>((bits >> shift) & 63);
  }
  static std::int64_t middle_of(std::size_t index);

  std::array<std::unique_ptr<Page>, page_count> pages_;
  std::uint64_t count_ = 0;
};

}  // namespace s3lt
