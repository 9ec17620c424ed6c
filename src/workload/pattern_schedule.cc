// What a pattern does and when: [mix], [[burst]] and [schedule] of a pattern file.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/units.h"
#include "workload/pattern_reader.h"

namespace s3lt {
namespace {

constexpr std::string_view gap_form = "burst = \"10m\", gap = \"1h\"";
constexpr std::string_view window_form = "window = \"5m\", bursts = [1, 3], burst = \"1m\"";
constexpr std::string_view cycle_form = "every = \"3m\"";

constexpr std::string_view stands_alone =
    "DELETE-BATCH stands alone, as DELETE-BATCH = 100: it is a way through a listing that all clients of the "
    "pattern go together, not an operation that a client draws";

// Shares in percent, 100 in all.
Mix read_shares(const toml::table& shares, std::string_view place) {
  static constexpr std::array<OperationKind, 6> kinds{OperationKind::get,  OperationKind::put,
                                                      OperationKind::head, OperationKind::del,
                                                      OperationKind::list, OperationKind::delete_batch};
  static constexpr std::array<std::string_view, 6> fields{name(kinds[0]), name(kinds[1]), name(kinds[2]),
                                                          name(kinds[3]), name(kinds[4]), name(kinds[5])};
  allow_only(shares, place, fields);
  Mix mix{};
  double sum = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const toml::node* node = shares.get(fields[i]);
    if (node == nullptr) continue;
    const double percent = number(*node, fields[i]);
    if (kinds[i] == OperationKind::delete_batch && percent > 0 && (percent != 100 || sum > 0))
      refuse(*node, std::string(stands_alone));
    mix[static_cast<std::size_t>(kinds[i])] = percent / 100;
    sum += percent;
  }
  if (std::abs(sum - 100) > 1e-6)
    refuse(shares, fmt::format("the shares of {} add up to {:.10g}, not to 100", place, sum));
  return mix;
}

// How often a burst comes in a window: bursts = 2, or bursts = [1, 3].
void read_times(const toml::node& node, Schedule& schedule) {
  const auto times = [](const toml::node& n) {
    return static_cast<unsigned>(whole_number(n, "bursts", 0, Schedule::most_bursts));
  };
  if (const toml::array* range = node.as_array()) {
    if (range->size() != 2)
      refuse(node, "bursts must be a number or the least and the most of them, as in bursts = [1, 3]");
    schedule.least = times(*range->get(0));
    schedule.most = times(*range->get(1));
    if (schedule.least > schedule.most)
      refuse(node, fmt::format("bursts has its least first, as in bursts = [{}, {}]", schedule.most,
                               schedule.least));
  } else {
    schedule.least = schedule.most = times(node);
  }
  if (schedule.most == 0)
    refuse(node, "bursts must be at least 1; a pattern without bursts has no [schedule]");
}

std::string any_form() {
  return fmt::format("it takes one of {} | {} | {}", gap_form, window_form, cycle_form);
}

void need(const toml::table& table, std::initializer_list<std::string_view> fields, std::string_view form) {
  for (const std::string_view field : fields) {
    if (table.get(field) == nullptr) refuse(table, fmt::format("[schedule] needs {}, as in {}", field, form));
  }
}

Schedule read_cycle(const toml::table& table, const Pattern& pattern) {
  const toml::node& every = *table.get("every");
  const bool has_end =
      pattern.share(OperationKind::delete_batch) == 1 || pattern.share(OperationKind::list) == 1;
  if (!has_end)
    refuse(every,
           fmt::format("every is for passes that come to an end, those of LIST = 100 or DELETE-BATCH = 100; "
                       "this mix takes {} | {}",
                       gap_form, window_form));
  return {.kind = Schedule::Kind::cycle, .cycle = duration(every, "every")};
}

Schedule read_random_bursts(const toml::table& table) {
  need(table, {"window", "bursts", "burst"}, window_form);
  Schedule schedule{.kind = Schedule::Kind::random_bursts,
                    .burst = duration(*table.get("burst"), "burst"),
                    .window = duration(*table.get("window"), "window")};
  read_times(*table.get("bursts"), schedule);
  if (schedule.burst > schedule.window / static_cast<Duration::rep>(schedule.most))
    refuse(*table.get("burst"),
           fmt::format("{} burst(s) of {} do not fit a window of {}; they never overlap", schedule.most,
                       format_duration(schedule.burst), format_duration(schedule.window)));
  return schedule;
}

Schedule read_burst_and_gap(const toml::table& table) {
  need(table, {"burst", "gap"}, gap_form);
  return {.kind = Schedule::Kind::burst_and_gap,
          .burst = duration(*table.get("burst"), "burst"),
          .gap = duration(*table.get("gap"), "gap")};
}

}  // namespace

void read_mixes(const toml::table& table, Pattern& pattern) {
  pattern.mix = read_shares(table_of(*table.get("mix"), "mix"), "[mix]");
  const toml::node* bursts = table.get("burst");
  if (bursts == nullptr) return;
  const toml::array* list = bursts->as_array();
  if (list == nullptr || list->empty() || !list->is_array_of_tables())
    refuse(*bursts,
           "the mixes of bursts stand as [[burst]], one after another (their length is burst of [schedule])");
  for (const toml::node& node : *list) {
    pattern.burst_mixes.push_back(read_shares(*node.as_table(), "[[burst]]"));
    const auto batch = static_cast<std::size_t>(OperationKind::delete_batch);
    if (pattern.burst_mixes.back()[batch] != pattern.mix[batch]) refuse(node, std::string(stands_alone));
  }
  if (table.get("schedule") == nullptr)
    refuse(*bursts, fmt::format("[[burst]] needs a [schedule] with bursts: {} | {}", gap_form, window_form));
}

void read_schedule(const toml::table& table, Pattern& pattern) {
  static constexpr std::array<std::string_view, 5> fields{"burst", "gap", "window", "bursts", "every"};
  allow_only(table, "[schedule]", fields);
  const bool cycle = table.get("every") != nullptr;
  const bool gap = table.get("gap") != nullptr;
  const bool window = table.get("window") != nullptr || table.get("bursts") != nullptr;
  if (table.empty()) refuse(table, fmt::format("[schedule] is empty: {}", any_form()));
  if (cycle + gap + window > 1 || (cycle && table.size() > 1))
    refuse(table, fmt::format("[schedule] mixes kinds of schedule: {}", any_form()));
  if (!cycle && !gap && !window)
    refuse(table, fmt::format("[schedule] says how long a burst is, and not how often it comes: {} | {}",
                              gap_form, window_form));
  if (cycle) {
    if (!pattern.burst_mixes.empty())
      refuse(table, fmt::format("[[burst]] needs a [schedule] with bursts: {} | {}", gap_form, window_form));
    pattern.schedule = read_cycle(table, pattern);
  } else if (window) {
    pattern.schedule = read_random_bursts(table);
  } else {
    pattern.schedule = read_burst_and_gap(table);
  }
}

}  // namespace s3lt
