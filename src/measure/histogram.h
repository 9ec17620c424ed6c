// A histogram with HdrHistogram's layout: 3 significant digits from 1 us to 1 h, so that the existing
// HdrHistogram tools read what results/ writes (https://hdrhistogram.org). Recording is one increment;
// pages of counters appear when a value first falls into them, so that an empty histogram is small.
// Not thread-safe: one belongs to one thread; merging is lossless.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace s3lt {

class Histogram {
 public:
  static constexpr std::int64_t lowest = 1, highest = 3'600'000'000;  // microseconds
  static constexpr int significant_digits = 3;
  static constexpr int sub_bucket_count = 2048, sub_bucket_half = 1024, bucket_count = 22;
  static constexpr int counts_length = (bucket_count + 1) * sub_bucket_half;
  static constexpr std::size_t page_size = 256;  // counters that appear together: 2 KiB

  Histogram() = default;
  Histogram(const Histogram& other) { add(other); }
  Histogram& operator=(const Histogram& other);
  Histogram(Histogram&& other) noexcept { swap(other); }
  Histogram& operator=(Histogram&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Histogram() = default;
  void swap(Histogram& other) noexcept;

  // Values outside [lowest, highest] count as the nearest bound.
  void record(std::int64_t micros) {
    if (micros < lowest) micros = lowest;
    if (micros > highest) micros = highest;
    const auto index = static_cast<std::size_t>(index_of(micros));
    auto& page = pages_[index / page_size];
    if (!page) page = std::make_unique<Page>();
    ++(*page)[index % page_size];
    ++count_;
    sum_ += static_cast<std::uint64_t>(micros);
    if (micros > max_) max_ = micros;
    if (micros < min_) min_ = micros;
  }
  void record(std::int64_t micros, std::uint64_t n);  // so many samples
  void add(const Histogram& other);
  void clear();  // keeps its pages
  // The exact least, mean and greatest value, which stood beside an encoded histogram: its buckets have them
  // to 0.1% only. One that does not lie in the bucket of min() or max() is not believed.
  void set_exact(std::int64_t least, double mean, std::int64_t greatest);

  std::uint64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::int64_t min() const { return count_ ? min_ : 0; }  // exact
  std::int64_t max() const { return count_ ? max_ : 0; }  // exact
  double mean() const {
    return count_ ? static_cast<double>(sum_) / static_cast<double>(count_) : 0;
  }  // exact
  // The highest value equivalent to the one at this percentile (0 to 100), but never above max(); 0 when
  // empty. Its rank is p/100 * count() rounded to the nearest whole, at least 1, as the HdrHistogram
  // libraries for Python, C and Go have it (those for Java and Rust round up).
  std::int64_t percentile(double p) const;

  // The counter of a bucket, 0 <= index < counts_length.
  std::uint64_t count_at(int index) const {
    const auto at = static_cast<std::size_t>(index);
    const auto& page = pages_[at / page_size];
    return page ? (*page)[at % page_size] : 0;
  }
  static constexpr int index_of(std::int64_t value) {
    // Bucket b holds values below 2^(11+b) in steps of 2^b; all but the first use only the upper half
    // of their sub-buckets, since the lower half would repeat the bucket below.
    const int bucket = 64 - std::countl_zero(static_cast<std::uint64_t>(value) | (sub_bucket_count - 1)) - 11;
    const int sub = static_cast<int>(value >> bucket);
    return (bucket + 1) * sub_bucket_half + sub - sub_bucket_half;
  }
  static std::int64_t lowest_equivalent(int index);
  static std::int64_t highest_equivalent(int index);

  // The V2 encoding (cookie base 0x1c849303, ZigZag LEB128 counts with runs of zeros), deflated
  // (0x1c849304) and in base64: "HISTFAAA…", a column of a histogram log. What is decoded has the same
  // counters; its min, max and mean are those of the buckets, exact to 0.1%. Any histogram of 3 digits
  // from 1 decodes; the error says what is wrong with another.
  std::string encode_compressed_base64() const;
  static Result<Histogram> decode_compressed_base64(std::string_view text);

 private:
  using Page = std::array<std::uint64_t, page_size>;
  static constexpr std::size_t page_of(std::int64_t value) {
    return static_cast<std::size_t>(index_of(value)) / page_size;
  }
  void add_bucket(int index, std::uint64_t n);

  // Only those between min_ and max_ hold anything but zeros.
  std::array<std::unique_ptr<Page>, counts_length / page_size> pages_;
  std::uint64_t count_ = 0, sum_ = 0;
  std::int64_t min_ = INT64_MAX, max_ = 0;
};

}  // namespace s3lt
