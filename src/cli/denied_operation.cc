#include "cli/denied_operation.h"

#include <fmt/format.h>

#include <map>

#include "base/units.h"

namespace s3lt {
namespace {

constexpr std::uint64_t enough_refusals = 10;

std::string_view action(OperationKind kind) {
  switch (kind) {
    case OperationKind::put:
    case OperationKind::part:
      return "s3:PutObject";
    case OperationKind::get:
    case OperationKind::head:
      return "s3:GetObject";
    case OperationKind::list:
      return "s3:ListBucket";
    default:
      return "s3:DeleteObject";
  }
}

// Of one operation of one pattern, all sizes.
struct Tally {
  std::uint64_t count = 0, errors = 0, attempts = 0, refused = 0;
  bool always_refused() const { return count > 0 && errors == count && refused == attempts; }
};
using Tallies = std::map<std::pair<std::string, OperationKind>, Tally>;

Tallies tally(const Snapshot& total) {
  Tallies tallies;
  for (const auto& [key, cell] : total.cells) {
    if (key.operation == OperationKind::part) continue;  // its PUT says so
    Tally& t = tallies[{key.pattern, key.operation}];
    const auto of = [&](Outcome outcome) {
      return cell.counters.outcomes[static_cast<std::size_t>(outcome)];
    };
    t.count += cell.counters.count;
    t.errors += cell.counters.errors;
    t.attempts += cell.counters.attempts - of(Outcome::cancelled);
    t.refused += of(Outcome::auth);
  }
  return tallies;
}

// "403 AccessDenied from http://…", of the first such error.
std::string first_refusal(const Snapshot& total, const std::string& pattern, OperationKind kind) {
  for (const OperationSample& e : total.errors) {
    if (e.pattern != pattern || e.operation != name(kind) || e.outcome != Outcome::auth) continue;
    return fmt::format("{}{}{} from {}", e.status, e.code.empty() ? "" : " ", e.code, e.endpoint);
  }
  return "access denied";
}

std::string where(const RunPlan& plan) {
  return fmt::format("under {}{}/ in bucket {}", plan.prefix, plan.worker, plan.bucket);
}

}  // namespace

std::vector<Error> denied_operations(const RunPlan& plan, const Snapshot& total) {
  const Tallies tallies = tally(total);
  std::uint64_t succeeded = 0;
  for (const auto& [key, t] : tallies) succeeded += t.count - t.errors;
  std::vector<Error> denied;
  std::string_view last;  // the tallies of a pattern stand together
  for (const auto& [key, t] : tallies) {
    const auto& [pattern, kind] = key;
    if (kind == OperationKind::trim || pattern == last || !t.always_refused()) continue;
    if (succeeded > 0 && t.count < enough_refusals) continue;
    last = pattern;
    denied.push_back(
        {ErrorKind::unavailable,
         fmt::format("this access key may do no {} {} ({}, {} of {} refused); grant it {} there, "
                     "or use a key that may",
                     name(kind), where(plan), first_refusal(total, pattern, kind), format_count(t.errors),
                     format_count(t.count), action(kind))});
  }
  return denied;
}

std::string trim_denied(const RunPlan& plan, const Snapshot& total) {
  std::uint64_t refused = 0;
  for (const auto& [key, t] : tally(total)) {
    if (key.second == OperationKind::trim && t.always_refused()) refused += t.errors;
  }
  if (refused == 0) return {};
  return fmt::format(
      "this access key may do no DELETE {}: objects beyond --max-keys and --max-bytes stay; grant "
      "it s3:DeleteObject there",
      where(plan));
}

}  // namespace s3lt
