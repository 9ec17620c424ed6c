#include "measure/histogram.h"

#include <algorithm>
#include <utility>

namespace s3lt {

Histogram& Histogram::operator=(const Histogram& other) {
  if (this != &other) {
    clear();
    add(other);
  }
  return *this;
}

void Histogram::swap(Histogram& other) noexcept {
  pages_.swap(other.pages_);
  std::swap(count_, other.count_);
  std::swap(sum_, other.sum_);
  std::swap(min_, other.min_);
  std::swap(max_, other.max_);
}

void Histogram::record(std::int64_t micros, std::uint64_t n) {
  if (n == 0) return;
  record(micros);  // finds its place
  const std::int64_t value = std::clamp(micros, lowest, highest);
  const auto index = static_cast<std::size_t>(index_of(value));
  (*pages_[index / page_size])[index % page_size] += n - 1;
  count_ += n - 1;
  sum_ += (n - 1) * static_cast<std::uint64_t>(value);
}

void Histogram::add(const Histogram& other) {
  if (other.empty()) return;
  const std::size_t last = page_of(other.max_);
  for (std::size_t i = page_of(other.min_); i <= last; ++i) {
    const Page* theirs = other.pages_[i].get();
    if (theirs == nullptr) continue;
    auto& ours = pages_[i];
    if (!ours) {
      // A page kept from an earlier interval may hold nothing but zeros.
      if (std::ranges::all_of(*theirs, [](std::uint64_t n) { return n == 0; })) continue;
      ours = std::make_unique<Page>(*theirs);
      continue;
    }
    for (std::size_t k = 0; k < page_size; ++k) (*ours)[k] += (*theirs)[k];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
  if (empty()) return;
  const std::size_t last = page_of(max_);
  for (std::size_t i = page_of(min_); i <= last; ++i) {
    if (pages_[i]) pages_[i]->fill(0);
  }
  count_ = sum_ = 0;
  min_ = INT64_MAX;
  max_ = 0;
}

void Histogram::set_exact(std::int64_t least, double mean, std::int64_t greatest) {
  if (empty()) return;
  if (index_of(std::max<std::int64_t>(0, least)) == index_of(min_)) min_ = least;
  if (index_of(std::max<std::int64_t>(0, greatest)) == index_of(max_)) max_ = greatest;
  if (mean >= static_cast<double>(min_) && mean <= static_cast<double>(max_))
    sum_ = static_cast<std::uint64_t>(mean * static_cast<double>(count_) + 0.5);
}

std::int64_t Histogram::percentile(double p) const {
  if (empty()) return 0;
  const double rank = std::clamp(p, 0.0, 100.0) * static_cast<double>(count_) / 100 + 0.5;
  const std::uint64_t target = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
  std::uint64_t seen = 0;
  const int last = index_of(max_);
  for (int index = index_of(min_); index <= last; ++index) {
    seen += count_at(index);
    if (seen >= target) return std::min(highest_equivalent(index), max_);
  }
  return max_;
}

std::int64_t Histogram::lowest_equivalent(int index) {
  if (index < sub_bucket_count) return index;
  const int bucket = index / sub_bucket_half - 1;
  return static_cast<std::int64_t>(index % sub_bucket_half + sub_bucket_half) << bucket;
}

std::int64_t Histogram::highest_equivalent(int index) {
  if (index < sub_bucket_count) return index;
  const int bucket = index / sub_bucket_half - 1;
  return lowest_equivalent(index) + (std::int64_t{1} << bucket) - 1;
}

void Histogram::add_bucket(int index, std::uint64_t n) {
  auto& page = pages_[static_cast<std::size_t>(index) / page_size];
  if (!page) page = std::make_unique<Page>();
  (*page)[static_cast<std::size_t>(index) % page_size] += n;
  const std::int64_t low = std::max(lowest, lowest_equivalent(index));
  const std::int64_t high = std::min(highest, highest_equivalent(index));
  count_ += n;
  sum_ += n * static_cast<std::uint64_t>(low + (high - low) / 2);
  min_ = std::min(min_, low);
  max_ = std::max(max_, high);
}

}  // namespace s3lt
