#include "measure/batched_series.h"

#include <algorithm>
#include <utility>

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

std::vector<double> BatchedSeries::rates(double Batch::* amount) const {
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

const std::vector<StandStill>& RunCourse::stand_stills(const std::string& pattern) const {
  static const std::vector<StandStill> none;
  const auto found = progress_.find(pattern);
  return found == progress_.end() ? none : found->second.stops;
}

bool RunCourse::is_open(const std::string& pattern) const {
  const auto found = progress_.find(pattern);
  return found != progress_.end() && found->second.intended > 0;
}

void RunCourse::watch(const Snapshot& second) {
  constexpr double hardly = 0.1;
  std::map<std::string, Counters> sums;
  std::map<std::string, std::int64_t> longest;  // response time
  for (const auto& [key, cell] : second.cells) {
    if (key.operation == OperationKind::trim) continue;
    sums[key.pattern].add(cell.counters);
    std::int64_t& us = longest[key.pattern];
    us = std::max({us, cell.response.max(), cell.failed.max()});
  }
  for (const auto& [pattern, sum] : sums) progress_.try_emplace(pattern);
  const double length = to_seconds(second.loaded());
  for (auto& [pattern, progress] : progress_) {
    const auto found = sums.find(pattern);
    const double operations = found == sums.end() ? 0 : static_cast<double>(found->second.in_time()) / length;
    const double bytes =
        found == sums.end() ? 0 : static_cast<double>(found->second.bytes_in_time()) / length;
    bool stands = progress.seconds > 0 && operations * progress.seconds <= hardly * progress.operations &&
                  bytes * progress.seconds <= hardly * progress.bytes;
    double usual = progress.seconds > 0 ? progress.operations / progress.seconds : 0;
    if (const auto open = second.arrivals.find(pattern); open != second.arrivals.end()) {
      const std::uint64_t before = std::exchange(progress.intended, open->second.intended);
      usual = static_cast<double>(progress.intended - std::min(before, progress.intended)) / length;
      stands = stands && usual > 0 && operations <= hardly * usual;
    }
    if (!stands) {
      if (progress.stands) {
        StandStill& stop = progress.stops.back();
        stop.latest_end = second.from + second.loaded();
        stop.longest = std::chrono::microseconds(longest[pattern]);
      }
      progress.seconds += length;
      progress.operations += operations * length;
      progress.bytes += bytes * length;
      progress.last_rate = operations;
    } else if (progress.stands) {
      StandStill& stop = progress.stops.back();
      const double before = to_seconds(stop.to - stop.from);
      stop.rate = (stop.rate * before + operations * length) / (before + length);
      stop.to = second.from + second.loaded();
    } else if (progress.stops.size() < most_stand_stills) {
      progress.stops.push_back({.from = second.from,
                                .to = second.from + second.loaded(),
                                .rate = operations,
                                .before = progress.last_rate,
                                .usual = usual});
    } else {
      continue;
    }
    progress.stands = stands;
  }
}

void RunCourse::add(const Snapshot& second) {
  const double length = to_seconds(second.loaded());
  const bool rest = length < least_second && seconds_ > 0;
  if (length >= least_second) watch(second);
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
}

}  // namespace s3lt
