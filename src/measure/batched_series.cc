#include "measure/batched_series.h"

#include <algorithm>

namespace s3lt {
namespace {

SparseCounts sparse(const Histogram& histogram) {
  SparseCounts counts;
  if (histogram.empty()) return counts;
  const int last = Histogram::index_of(histogram.max());
  for (int index = Histogram::index_of(histogram.min()); index <= last; ++index) {
    if (const std::uint64_t n = histogram.count_at(index); n != 0)
      counts.emplace_back(static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(n));
  }
  return counts;
}

SparseCounts merged(const SparseCounts& a, const SparseCounts& b) {
  SparseCounts out;
  out.reserve(a.size() + b.size());
  auto x = a.begin(), y = b.begin();
  while (x != a.end() || y != b.end()) {
    if (y == b.end() || (x != a.end() && x->first < y->first)) {
      out.push_back(*x++);
    } else if (x == a.end() || y->first < x->first) {
      out.push_back(*y++);
    } else {
      out.emplace_back(x->first, x->second + y->second);
      ++x;
      ++y;
    }
  }
  out.shrink_to_fit();
  return out;
}

Batch batch_of(double seconds, const Cell* cell) {
  if (cell == nullptr) return {.seconds = seconds};
  return {.seconds = seconds,
          .count = static_cast<double>(cell->counters.in_time()),
          .bytes_moved = static_cast<double>(cell->counters.bytes_in_time()),
          .response_sum = cell->response.mean() * static_cast<double>(cell->response.count()),
          .response = sparse(cell->response)};
}

Exceedance exceedance(const Batch& batch, int limit) {
  Exceedance e;
  for (const auto& [index, n] : batch.response) {
    e.samples += n;
    if (static_cast<int>(index) > limit) e.beyond += n;
  }
  return e;
}

}  // namespace

void Batch::add(const Batch& other) {
  seconds += other.seconds;
  count += other.count;
  bytes_moved += other.bytes_moved;
  response_sum += other.response_sum;
  response = merged(response, other.response);
}

void BatchedSeries::add(double seconds, const Cell* cell) {
  Batch next = batch_of(seconds, cell);
  if (!batches_.empty() && seconds_in_last_ < seconds_each_) {
    batches_.back().add(next);
    ++seconds_in_last_;
    return;
  }
  if (batches_.size() == most) {  // all of them full
    for (std::size_t i = 0; i < most / 2; ++i) {
      batches_[2 * i].add(batches_[2 * i + 1]);
      if (i != 0) batches_[i] = std::move(batches_[2 * i]);
    }
    batches_.resize(most / 2);
    seconds_each_ *= 2;
  }
  batches_.push_back(std::move(next));
  seconds_in_last_ = 1;
}

void BatchedSeries::extend(double seconds, const Cell* cell) {
  if (!batches_.empty()) batches_.back().add(batch_of(seconds, cell));
}

std::vector<double> BatchedSeries::rates(double Batch::*amount) const {
  std::vector<double> out;
  if (batches_.empty()) return out;
  const std::size_t full = batches_.size() - (seconds_in_last_ < seconds_each_ ? 1 : 0);
  for (std::size_t i = 0; i < full; ++i) {
    if (batches_[i].seconds >= least_second * static_cast<double>(seconds_each_))
      out.push_back(batches_[i].*amount / batches_[i].seconds);
  }
  return out;
}

std::optional<Interval> BatchedSeries::percentile_interval(const Histogram& total, double percentile,
                                                           double confidence) const {
  if (total.empty()) return {};
  const int limit = Histogram::index_of(total.percentile(percentile));
  std::vector<Exceedance> stretches;
  for (const Batch& batch : batches_) stretches.push_back(exceedance(batch, limit));
  const auto share = share_interval(stretches, confidence);
  if (!share) return {};
  return Interval{static_cast<double>(total.percentile(100 * (1 - share->high))),
                  static_cast<double>(total.percentile(100 * (1 - share->low)))};
}

void RunCourse::add(const Snapshot& second) {
  const double length = to_seconds(second.loaded());
  const bool rest = length < least_second && seconds_ > 0;
  std::map<Key, Cell> cells;
  for (const auto& [key, cell] : second.cells) cells[{key.pattern, key.operation}].add(cell);
  for (const auto& [key, cell] : cells) {
    if (series_.contains(key)) continue;
    BatchedSeries& series = series_[key];  // as if it had been there from the start
    for (std::size_t i = 0; i < seconds_; ++i) series.add(1, nullptr);
  }
  for (auto& [key, series] : series_) {
    const auto found = cells.find(key);
    const Cell* cell = found == cells.end() ? nullptr : &found->second;
    rest ? series.extend(std::max(length, 0.0), cell) : series.add(length, cell);
  }
  if (!rest) ++seconds_;
  if (!rest) look_for_standstills(second);
}

void RunCourse::look_for_standstills(const Snapshot& second) {
  constexpr double least_rate = 10;  // of which a second without any is no chance
  for (const auto& [key, cell] : second.cells) {
    if (key.operation != OperationKind::part && key.operation != OperationKind::trim)
      paces_[key.pattern].operations += cell.counters.count;
  }
  for (auto& [pattern, pace] : paces_) {
    std::uint64_t ended = 0;
    for (auto cell = second.cells.lower_bound({pattern, OperationKind{}, ""});
         cell != second.cells.end() && cell->first.pattern == pattern; ++cell)
      ended += cell->second.counters.count;
    const bool still =
        ended == 0 && static_cast<double>(pace.operations) >= least_rate * pace.seconds && pace.seconds > 0;
    if (still) {
      Standstill& stands = standstills_[pattern];
      if (!pace.stands_still) ++stands.times;
      if (stands.times == 1) {
        if (!pace.stands_still) stands.from = to_seconds(second.from);
        stands.to = to_seconds(second.to);
      }
      stands.seconds += to_seconds(second.loaded());
    }
    pace.stands_still = still;
    pace.seconds += to_seconds(second.loaded());
  }
}

}  // namespace s3lt
