#include "server/faults.h"

#include <fmt/format.h>

#include <charconv>

#include "base/random.h"
#include "base/units.h"

namespace s3lt::server {
namespace {

// The operations that clients count, and that a fault may therefore meet: PUT to LIST.
constexpr std::size_t faultable = 6;
constexpr std::array<std::string_view, 3> kind_names = {"status", "delay", "reset"};

std::unexpected<Error> refuse(std::string_view spec, std::string_view why) {
  return usage_error(
      fmt::format("--fault {}: {}; write OPERATION:KIND:p=0.01 or OPERATION:KIND:every=100, such as "
                  "GET:status=503:p=0.01, PUT:delay=200ms:every=100, *:reset:p=0.001",
                  spec, why));
}

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

Result<void> parse_operation(std::string_view spec, std::string_view name, FaultRule& rule) {
  if (name == "*") return {};
  for (std::size_t i = 0; i < faultable; ++i) {
    if (http::iequals(name, operation_labels[i])) {
      rule.operation = static_cast<Operation>(i);
      return {};
    }
  }
  return refuse(
      spec,
      fmt::format("there is no operation '{}' (PUT, GET, HEAD, DELETE, DELETE-BATCH, LIST or *)", name));
}

Result<void> parse_kind(std::string_view spec, std::string_view name, std::string_view value,
                        FaultRule& rule) {
  if (name == "status") {
    rule.kind = FaultKind::status;
    if (!parse_number(value, rule.status) || rule.status < 400 || rule.status > 599) {
      return refuse(spec, fmt::format("'{}' is no status from 400 to 599", value));
    }
  } else if (name == "delay") {
    rule.kind = FaultKind::delay;
    const auto delay = parse_duration(value);
    if (!delay) return refuse(spec, delay.error().message);
    rule.delay = *delay;
  } else if (name == "reset" && value.empty()) {
    rule.kind = FaultKind::reset;
  } else {
    return refuse(spec, fmt::format("there is no fault '{}' (status=N, delay=DURATION or reset)", name));
  }
  return {};
}

Result<void> parse_frequency(std::string_view spec, std::string_view name, std::string_view value,
                             FaultRule& rule) {
  if (name == "p") {
    if (!parse_number(value, rule.probability) || !(rule.probability >= 0 && rule.probability <= 1)) {
      return refuse(spec, fmt::format("'{}' is no probability from 0 to 1", value));
    }
  } else if (name == "every") {
    if (!parse_number(value, rule.every) || rule.every == 0) {
      return refuse(spec, fmt::format("'{}' is no whole number above 0", value));
    }
  } else {
    return refuse(spec, fmt::format("there is no parameter '{}' (p=PROBABILITY or every=N)", name));
  }
  return {};
}

}  // namespace

Result<FaultRule> parse_fault(std::string_view spec) {
  FaultRule rule;
  rule.spec = spec;
  std::string_view rest = spec;
  int field = 0;
  for (; !rest.empty(); ++field) {
    const std::string_view item = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    const std::size_t equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = equals == item.npos ? std::string_view() : item.substr(equals + 1);
    const auto parsed = field == 0   ? parse_operation(spec, item, rule)
                        : field == 1 ? parse_kind(spec, name, value, rule)
                                     : parse_frequency(spec, name, value, rule);
    if (!parsed) return std::unexpected(parsed.error());
  }
  if (field < 2) return refuse(spec, "it has to name an operation and a fault");
  return rule;
}

FaultPlan::FaultPlan(std::vector<FaultRule> rules, std::uint64_t seed)
    : rules_(std::move(rules)), seed_(seed), counters_(std::make_unique<Counters[]>(rules_.size())) {}

FaultDecision FaultPlan::decide(Operation operation) {
  if (static_cast<std::size_t>(operation) >= faultable) return nullptr;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const FaultRule& rule = rules_[i];
    if (rule.operation && *rule.operation != operation) continue;
    const std::uint64_t n = counters_[i].seen.fetch_add(1, std::memory_order_relaxed) + 1;
    const bool fires =
        rule.every != 0 ? n % rule.every == 0 : Random::stream(seed_, {i, n}).uniform() < rule.probability;
    if (fires) return &rule;
  }
  return nullptr;
}

void FaultPlan::count(FaultDecision decision, int change) {
  if (decision == nullptr) return;
  counters_[decision - rules_.data()].done.fetch_add(static_cast<std::uint64_t>(change),
                                                     std::memory_order_relaxed);
}

std::vector<FaultPlan::Count> FaultPlan::counts() const {
  std::vector<Count> out;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    out.push_back({rules_[i].spec, kind_names[static_cast<std::size_t>(rules_[i].kind)],
                   counters_[i].seen.load(std::memory_order_relaxed),
                   counters_[i].done.load(std::memory_order_relaxed)});
  }
  return out;
}

}  // namespace s3lt::server
