#include "measure/second_mode.h"

#include <algorithm>

namespace s3lt {
namespace {

// Microseconds. Linux waits for 40 ms with a delayed ACK and for 200 ms with the first retransmission; what
// the answer takes otherwise comes on top.
struct Place {
  std::int64_t from = 0, to = 0;  // where the bump may begin and end
  std::int64_t width = 0;         // of the bump
  // Around it next to nothing may lie: what reaches it from either side is a wide distribution.
  std::int64_t around_from = 0, around_to = 0;
};
constexpr Place places[] = {{35'000, 48'000, 8'000, 18'000, 75'000},
                            {195'000, 260'000, 30'000, 100'000, 380'000}};
constexpr std::uint64_t least_samples = 20;
constexpr double least_share = 0.0005;
constexpr double least_concentration = 0.6;  // of what lies around it, the bump's part
// Most answers take at most this part of where the bump may begin.
constexpr std::int64_t times_below = 3;

std::uint64_t between(const Histogram& histogram, std::int64_t low, std::int64_t high) {
  std::uint64_t sum = 0;
  const int last = Histogram::index_of(high);
  for (int i = Histogram::index_of(low); i <= last; ++i) sum += histogram.count_at(i);
  return sum;
}

// The value of the sample of this rank (from 1) among those between the bounds.
std::int64_t at_rank(const Histogram& histogram, std::int64_t low, std::int64_t high, std::uint64_t rank) {
  std::uint64_t seen = 0;
  const int last = Histogram::index_of(high);
  for (int i = Histogram::index_of(low); i <= last; ++i) {
    seen += histogram.count_at(i);
    if (seen >= rank) return Histogram::lowest_equivalent(i);
  }
  return high;
}

}  // namespace

std::optional<SecondMode> second_mode(const Histogram& service, ModeCause cause) {
  const Place& place = places[static_cast<std::size_t>(cause)];
  const std::int64_t usual = service.percentile(50);
  if (service.count() < 2 * least_samples || usual * times_below > place.from) return std::nullopt;
  const std::int64_t step = place.width / 8, limit = place.to + usual;
  std::int64_t best = 0;
  std::uint64_t samples = 0;
  for (std::int64_t low = place.from; low < limit; low += step) {
    const std::uint64_t n = between(service, low, std::min(low + place.width, limit));
    if (n > samples) {
      samples = n;
      best = low;
    }
  }
  const double all = static_cast<double>(service.count());
  const std::uint64_t around = between(service, place.around_from, place.around_to + usual);
  if (samples < least_samples || static_cast<double>(samples) < least_share * all ||
      static_cast<double>(samples) < least_concentration * static_cast<double>(around))
    return std::nullopt;
  const std::int64_t end = std::min(best + place.width, limit);
  return SecondMode{.cause = cause,
                    .samples = samples,
                    .share = static_cast<double>(samples) / all,
                    .low = at_rank(service, best, end, std::max<std::uint64_t>(1, samples / 20)),
                    .high = at_rank(service, best, end, samples - samples / 20),
                    .usual = usual};
}

}  // namespace s3lt
