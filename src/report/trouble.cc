#include "report/trouble.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "base/units.h"

namespace s3lt {
namespace {

// Throttling is worth a word from ten attempts on, if that is one in ten.
constexpr std::uint64_t worth_a_word = 10, one_in = 10;

// "507 InsufficientStorage", or several: what the storage answered where an attempt ended so.
std::string answers_of(const Snapshot& total, Outcome outcome) {
  std::set<std::string> answers;
  for (const OperationSample& e : total.errors) {
    if (e.outcome != outcome || e.status == 0) continue;
    answers.insert(e.code.empty() ? fmt::format("{}", e.status) : fmt::format("{} {}", e.status, e.code));
  }
  constexpr std::size_t most = 3;
  if (answers.size() > most) answers.erase(std::next(answers.begin(), most), answers.end());
  return fmt::format("{}", fmt::join(answers, " or "));
}

}  // namespace

std::string storage_trouble(const Snapshot& total) {
  std::uint64_t attempts = 0, throttled = 0, full = 0, behind = 0, slow_transfers = 0;
  std::set<std::string_view> slow_patterns;
  for (const auto& [key, cell] : total.cells) {
    if (cell.counters.behind > 0) slow_patterns.insert(key.pattern);
  }
  for (const auto& [key, cell] : total.cells) {
    const Counters& c = cell.counters;
    attempts += c.attempts;
    throttled += c.outcomes[static_cast<std::size_t>(Outcome::throttled)];
    if (key.operation == OperationKind::part) continue;  // its PUT says the rest
    full += c.outcomes[static_cast<std::size_t>(Outcome::full)];
    behind += c.behind;
    const bool transfers = key.operation == OperationKind::get || key.operation == OperationKind::put;
    if (transfers && slow_patterns.contains(key.pattern)) slow_transfers += c.count - c.errors - c.not_found;
  }
  std::string words;
  if (full != 0) {
    words = fmt::format("the storage is full: {} write{} refused with {}", format_count(full),
                        full == 1 ? " was" : "s were", answers_of(total, Outcome::full));
  }
  if (throttled >= worth_a_word && throttled * one_in >= attempts) {
    words += fmt::format("{}the storage throttled: {} of {} attempts were answered with {}",
                         words.empty() ? "" : "; ", format_count(throttled), format_count(attempts),
                         answers_of(total, Outcome::throttled));
  }
  if (behind * one_in >= std::max<std::uint64_t>(slow_transfers, 1)) {
    words += fmt::format(
        "{}{} of {} transfers of slow clients were slower than the clients: storage or network "
        "did not keep up",
        words.empty() ? "" : "; ", format_count(behind), format_count(slow_transfers));
  }
  return words;
}

}  // namespace s3lt
