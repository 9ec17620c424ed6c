#include "measure/coarse_histogram.h"

#include <algorithm>
#include <utility>

namespace s3lt {

CoarseHistogram& CoarseHistogram::operator=(const CoarseHistogram& other) {
  if (this != &other) {
    clear();
    add(other);
  }
  return *this;
}

void CoarseHistogram::swap(CoarseHistogram& other) noexcept {
  pages_.swap(other.pages_);
  std::swap(count_, other.count_);
}

void CoarseHistogram::add(const CoarseHistogram& other) {
  if (other.empty()) return;
  for (std::size_t i = 0; i < page_count; ++i) {
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
}

void CoarseHistogram::clear() {
  if (empty()) return;
  for (auto& page : pages_) {
    if (page) page->fill(0);
  }
  count_ = 0;
}

std::int64_t CoarseHistogram::middle_of(std::size_t index) {
  if (index < page_size) return static_cast<std::int64_t>(index);
  const std::size_t shift = index / page_size - 1;
  const std::int64_t low = static_cast<std::int64_t>(index % page_size + page_size) << shift;
  return std::min(Histogram::highest, low + ((std::int64_t{1} << shift) - 1) / 2);
}

std::int64_t CoarseHistogram::at_rank(std::uint64_t rank) const {
  std::uint64_t seen = 0;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < page_count; ++i) {
    if (!pages_[i]) continue;
    for (std::size_t k = 0; k < page_size; ++k) {
      if ((*pages_[i])[k] == 0) continue;
      seen += (*pages_[i])[k];
      last = middle_of(i * page_size + k);
      if (seen >= rank) return last;
    }
  }
  return last;
}

std::int64_t CoarseHistogram::percentile(double p) const {
  if (empty()) return 0;
  const double rank = std::clamp(p, 0.0, 100.0) * static_cast<double>(count_) / 100 + 0.5;
  return at_rank(std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_));
}

Histogram CoarseHistogram::fine() const {
  Histogram out;
  for (std::size_t i = 0; i < page_count; ++i) {
    if (!pages_[i]) continue;
    for (std::size_t k = 0; k < page_size; ++k) {
      if (const std::uint64_t n = (*pages_[i])[k]; n != 0) out.record(middle_of(i * page_size + k), n);
    }
  }
  return out;
}

void CoarseHistogram::add(const Histogram& fine) {
  if (fine.empty()) return;
  const int last = Histogram::index_of(fine.max());
  for (int index = Histogram::index_of(fine.min()); index <= last; ++index) {
    if (const std::uint64_t n = fine.count_at(index); n != 0) record(Histogram::lowest_equivalent(index), n);
  }
}

}  // namespace s3lt
