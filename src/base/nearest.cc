#include "base/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace s3lt {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment, three rows of its table at a time.
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  const auto folded = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
  };
  return edit_distance(folded(a), folded(b));
}

}  // namespace

std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates) {
  const auto best = std::ranges::min_element(
      candidates, {}, [text](std::string_view candidate) { return distance(text, candidate); });
  return best == candidates.end() ? std::string_view{} : *best;
}

std::string suggest(std::string_view text, std::span<const std::string_view> candidates) {
  const std::string_view best = nearest(text, candidates);
  // Half of its letters wrong is no misspelling any more.
  const bool near = distance(text, best) <= std::max<std::size_t>(1, best.size() / 2);
  if (near || candidates.size() > 20) return fmt::format("did you mean \"{}\"?", best);
  return fmt::format("use one of {}", fmt::join(candidates, ", "));
}

}  // namespace s3lt
