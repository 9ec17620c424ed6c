#include "cli/run_slos.h"

#include <algorithm>

#include "base/units.h"

namespace s3lt {
namespace {

// What no client uploads in parts of its own accord is smaller.
constexpr std::uint64_t least_in_parts = 5 * MiB;

bool may_write_parts(const Pattern& pattern, const RunFlags& flags) {
  const auto large = [&](const SizeClass& size) {
    return flags.multipart_size || size.bytes > least_in_parts;
  };
  return pattern.writes() && std::ranges::any_of(pattern.sizes, large);
}

std::vector<OperationKind> operations_of(const Pattern& pattern, const RunFlags& flags) {
  std::vector<OperationKind> operations;
  for (std::size_t k = 0; k < operation_kinds; ++k) {
    const auto kind = static_cast<OperationKind>(k);
    // A pattern that makes its own objects also writes in place of a read without a key, maybe in parts, and
    // trims; one that deletes in batches lists what it deletes.
    const bool made = pattern.writes() && (kind == OperationKind::put || kind == OperationKind::trim);
    if (made || (kind == OperationKind::part && may_write_parts(pattern, flags)) || pattern.does(kind) ||
        (kind == OperationKind::list && pattern.sweeps()))
      operations.push_back(kind);
  }
  return operations;
}

// Around the clock, at one rate, and with keys of its own: what it did so far says what it can do.
bool is_steady(const Pattern& pattern) {
  const bool one_rate = !pattern.open_loop || pattern.open_loop->course.is_flat();
  return pattern.schedule.kind == Schedule::Kind::always && one_rate && pattern.keys_from.empty();
}

}  // namespace

std::vector<SloScope> slo_scopes(std::span<const PlannedPattern> patterns, const RunFlags& flags) {
  std::vector<SloScope> scopes;
  for (const PlannedPattern& p : patterns) {
    SloScope scope{.pattern = p.pattern.name,
                   .operations = operations_of(p.pattern, flags),
                   .other_sizes = !p.pattern.keys_from.empty() && (flags.sizes.empty() || flags.existing),
                   .steady = is_steady(p.pattern)};
    for (const SizeClass& size : p.pattern.sizes) scope.sizes.push_back(size.label);
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

Result<void> check_slos(const RunFlags& flags, std::span<const PlannedPattern> patterns) {
  if (flags.slo_abort && flags.slos.empty())
    return usage_error("--slo-abort is for a run with an --slo; give it one, as in --slo 'GET.p99 < 50ms'");
  const std::vector<SloScope> scopes = slo_scopes(patterns, flags);
  for (const Slo& slo : flags.slos) {
    if (const auto checked = check_slo(slo, scopes); !checked)
      return usage_error("--slo: " + checked.error().message);
  }
  return {};
}

std::unique_ptr<SloWatch> watch_slos(const RunPlan& plan, const RunFlags& flags) {
  if (!flags.slo_abort) return nullptr;
  RunHorizon horizon{.duration = plan.duration,
                     .warmup = plan.warmup,
                     .grace = plan.grace,
                     .operations = plan.operations,
                     .byte_limit = plan.bytes.has_value()};
  for (const PlannedPattern& p : plan.patterns) horizon.clients += p.clients;
  return std::make_unique<SloWatch>(flags.slos, slo_scopes(plan.patterns, flags), horizon);
}

}  // namespace s3lt
