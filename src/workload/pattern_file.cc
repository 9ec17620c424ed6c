// Pattern files: TOML to Pattern. A field that is not here is an error, so that a misspelt one is never a
// silent default; nor may one stand where it has no effect.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "base/nearest.h"
#include "base/units.h"
#include "workload/pattern_reader.h"

namespace s3lt {
namespace {

// More clients than any machine holds are a slip of the keyboard.
constexpr double most_clients = 10'000'000;
constexpr std::size_t most_name = 64;

bool is_name(std::string_view name) {
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string read_name(const toml::node& node) {
  const std::string name = text(node, "name");
  if (!is_name(name))
    refuse(
        node,
        fmt::format("the name \"{}\" may have a-z, 0-9, _ and (not first) - only: it is part of keys", name));
  if (name.size() > most_name)
    refuse(node, fmt::format("the name is longer than {} letters: it is part of keys and of file names",
                             most_name));
  if (name == "all") refuse(node, "the name \"all\" means every pattern; choose another one");
  return name;
}

void read_clients(const toml::table& clients, Pattern& pattern) {
  static constexpr std::array<std::string_view, 2> fields{"per_core", "total"};
  allow_only(clients, "[clients]", fields);
  const toml::node *per_core = clients.get("per_core"), *total = clients.get("total");
  if (per_core != nullptr && total != nullptr) refuse(*total, "[clients] takes per_core or total, not both");
  if (per_core != nullptr) pattern.clients_per_core = number_above_zero(*per_core, "per_core");
  if (total != nullptr) {
    const double n = number_above_zero(*total, "total");
    if (n != std::floor(n)) refuse(*total, fmt::format("total must be a whole number, not {}", n));
    if (n <= most_clients) pattern.clients = static_cast<std::uint64_t>(n);
  }
  for (const toml::node* node : {per_core, total}) {
    if (node == nullptr) continue;
    const double n = *node->value<double>();
    if (n > most_clients) {
      refuse(*node, fmt::format("the number of clients must be at most {:.0f}, not {}", most_clients, n));
    }
  }
}

void read_pacing(const toml::table& pacing, Pattern& pattern) {
  static constexpr std::array<std::string_view, 1> fields{"operations_per_second"};
  allow_only(pacing, "[pacing]", fields);
  const toml::node& node = needed(pacing, "[pacing]", fields[0]);
  pattern.pace = number_above_zero(node, fields[0]);
  if (pattern.schedule.kind == Schedule::Kind::burst_and_gap)
    refuse(pacing, "[pacing] holds outside of bursts, and this [schedule] is silent there");
}

double operation_rate(const toml::node& node, std::string_view field, bool allow_zero = false) {
  const auto written = node.value_exact<std::string>();
  if (!written) refuse(node, fmt::format("{} must be a rate in quotes, such as \"500/s\"", field));
  const auto rate = parse_operation_rate(*written);
  if (!rate) refuse(node, fmt::format("{}: {}", field, rate.error().message));
  if (*rate < 0 || (*rate == 0 && !allow_zero)) refuse(node, fmt::format("{} must be above 0", field));
  if (*rate > static_cast<double>(most_arrival_rate))
    refuse(node, fmt::format("{} must be at most {}/s", field, format_count(most_arrival_rate)));
  return *rate;
}

void read_ramp(const toml::node& node, RateCourse& course) {
  static constexpr std::array<std::string_view, 3> fields{"from", "to", "over"};
  const toml::table& ramp = table_of(node, "ramp");
  allow_only(ramp, "ramp", fields);
  const double from = operation_rate(needed(ramp, "ramp", "from"), "from", true);
  const double to = operation_rate(needed(ramp, "ramp", "to"), "to", true);
  if (from == 0 && to == 0) refuse(node, "a ramp from 0 to 0 does nothing");
  course.stretches = {{from, to, duration(needed(ramp, "ramp", "over"), "over")}};
}

void read_steps(const toml::node& node, RateCourse& course) {
  static constexpr std::array<std::string_view, 2> fields{"rate", "for"};
  const toml::array* steps = node.as_array();
  if (steps == nullptr || steps->empty())
    refuse(node,
           "steps must be a list, as in steps = [{ rate = \"100/s\", for = \"1m\" }, { rate = \"200/s\", "
           "for = \"1m\" }]");
  for (const toml::node& item : *steps) {
    const toml::table& step = table_of(item, "steps");
    allow_only(step, "a step", fields);
    const double rate = operation_rate(needed(step, "a step", "rate"), "rate", true);
    course.stretches.push_back({rate, rate, duration(needed(step, "a step", "for"), "for")});
  }
}

void read_arrivals(const toml::table& arrivals, Pattern& pattern) {
  static constexpr std::array<std::string_view, 5> fields{"rate", "ramp", "steps", "kind", "max_backlog"};
  allow_only(arrivals, "[arrivals]", fields);
  if (pattern.sweeps())
    refuse(arrivals,
           "[arrivals] is for operations that clients draw, and DELETE-BATCH goes through a listing");
  if (pattern.pace > 0)
    refuse(arrivals, "[arrivals] says when all clients together begin, [pacing] when each does: not both");
  const toml::node *rate = arrivals.get("rate"), *ramp = arrivals.get("ramp"), *steps = arrivals.get("steps");
  if ((rate != nullptr) + (ramp != nullptr) + (steps != nullptr) != 1) {
    refuse(arrivals,
           "[arrivals] takes one of rate = \"500/s\" | ramp = { from = \"100/s\", to = \"5000/s\", over "
           "= \"10m\" } | steps = [{ rate = \"100/s\", for = \"1m\" }, …]");
  }
  OpenLoopSpec spec;
  if (rate != nullptr) spec.course = RateCourse::constant(operation_rate(*rate, "rate"));
  if (ramp != nullptr) read_ramp(*ramp, spec.course);
  if (steps != nullptr) read_steps(*steps, spec.course);
  if (const toml::node* node = arrivals.get("kind")) {
    const std::string kind = text(*node, "kind");
    if (kind != "constant" && kind != "poisson")
      refuse(*node, fmt::format("kind must be \"constant\" or \"poisson\", not \"{}\"", kind));
    spec.kind = kind == "poisson" ? ArrivalKind::poisson : ArrivalKind::constant;
  }
  if (const toml::node* node = arrivals.get("max_backlog"))
    spec.max_backlog = whole_number(*node, "max_backlog", 1, 1'000'000'000);
  pattern.open_loop = std::move(spec);
}

void read_delay(const toml::node& node, Pattern& pattern) {
  const toml::array* range = node.as_array();
  if (range == nullptr) {
    pattern.least_delay = pattern.most_delay = duration(node, "delay");
    return;
  }
  if (range->size() != 2)
    refuse(node,
           "delay must be a time or the least and the most of it, as in delay = [\"100ms\", \"500ms\"]");
  pattern.least_delay = duration(*range->get(0), "delay", true);
  pattern.most_delay = duration(*range->get(1), "delay");
  if (pattern.least_delay > pattern.most_delay)
    refuse(node, fmt::format("delay has its least first, as in delay = [\"{}\", \"{}\"]",
                             format_duration(pattern.most_delay), format_duration(pattern.least_delay)));
}

void read_client(const toml::table& client, Pattern& pattern) {
  static constexpr std::array<std::string_view, 2> fields{"speed", "delay"};
  allow_only(client, "[client]", fields);
  if (const toml::node* node = client.get("speed")) {
    const auto written = node->value_exact<std::string>();
    if (!written) refuse(*node, "speed must be a rate in quotes, such as \"125KB/s\" or \"1Mbit/s\"");
    const auto speed = parse_rate(*written);
    if (!speed) refuse(*node, fmt::format("speed: {}", speed.error().message));
    pattern.client_speed = *speed;
  }
  if (const toml::node* node = client.get("delay")) read_delay(*node, pattern);
}

void read_list(const toml::table& list, Pattern& pattern) {
  static constexpr std::array<std::string_view, 2> fields{"of", "page"};
  allow_only(list, "[list]", fields);
  if (!pattern.does(OperationKind::list) && !pattern.sweeps())
    refuse(list, "[list] is for mixes with LIST or DELETE-BATCH, and this one has neither");
  if (const toml::node* node = list.get("of")) {
    static constexpr std::array<std::string_view, 2> scopes{"worker", "prefix"};
    const std::string of = text(*node, "of");
    if (of != scopes[0] && of != scopes[1])
      refuse(*node, fmt::format("of must be \"worker\" (the keys of this worker) or \"prefix\" (those of all "
                                "workers), not \"{}\"",
                                of));
    pattern.list_scope = of == scopes[1] ? ListScope::prefix : ListScope::worker;
  }
  if (const toml::node* node = list.get("page"))
    pattern.list_page = static_cast<unsigned>(whole_number(*node, "page", 1, 1000));
}

// Whether it asks for keys that exist.
bool reads_keys(const Pattern& pattern) {
  return pattern.does(OperationKind::get) || pattern.does(OperationKind::head) ||
         pattern.does(OperationKind::del);
}

void read_keys(const toml::table& keys, Pattern& pattern) {
  static constexpr std::array<std::string_view, 1> fields{"from"};
  allow_only(keys, "[keys]", fields);
  const toml::node& from = needed(keys, "[keys]", "from");
  const toml::array* list = from.as_array();
  if (list == nullptr || list->empty())
    refuse(from, "from must be a list of patterns, as in from = [\"baseload\", \"spiky\"]");
  for (const toml::node& item : *list) {
    const std::string name = text(item, "a pattern in from");
    if (!is_name(name)) refuse(item, fmt::format("\"{}\" in from is not a name of a pattern", name));
    if (std::ranges::count(pattern.keys_from, name) > 0)
      refuse(item, fmt::format("{} stands twice in from", name));
    pattern.keys_from.push_back(name);
  }
  if (!reads_keys(pattern))
    refuse(keys, "[keys] says whose keys are read, and this mix has no GET, HEAD or DELETE");
}

// The sizes, where they mean something. A reader of others' keys may leave them out: settle_sources.
void read_sizes_of(const toml::table& table, Pattern& pattern) {
  const toml::node* sizes = table.get("sizes");
  const bool puts = pattern.does(OperationKind::put);
  const bool of_objects = puts || reads_keys(pattern);
  if (sizes != nullptr) {
    if (!of_objects)
      refuse(*sizes,
             "sizes are of objects that are written or read, and this mix has only LIST or "
             "DELETE-BATCH; leave sizes out");
    read_sizes(*sizes, pattern);
  } else if (of_objects && (puts || pattern.keys_from.empty())) {
    refuse(table,
           "a pattern needs sizes, unless it only lists, deletes batches or reads the keys of others "
           "([keys] from)");
  }
}

Pattern read_pattern(const toml::table& table) {
  static constexpr std::array<std::string_view, 12> fields{"name",   "summary",  "sizes",  "mix",
                                                           "burst",  "schedule", "pacing", "arrivals",
                                                           "client", "list",     "keys",   "clients"};
  allow_only(table, "a pattern", fields);
  Pattern pattern;
  pattern.name = read_name(needed(table, "a pattern", "name"));
  if (const toml::node* node = table.get("summary")) {
    pattern.summary = text(*node, "summary");
    if (pattern.summary.find('\n') != std::string::npos) refuse(*node, "summary must be one line");
  }
  needed(table, "a pattern", "mix");
  read_mixes(table, pattern);
  using Reader = void (*)(const toml::table&, Pattern&);
  // In this order: [pacing] looks at the schedule.
  static constexpr std::array<std::pair<std::string_view, Reader>, 7> readers{{{"schedule", read_schedule},
                                                                               {"pacing", read_pacing},
                                                                               {"arrivals", read_arrivals},
                                                                               {"client", read_client},
                                                                               {"list", read_list},
                                                                               {"keys", read_keys},
                                                                               {"clients", read_clients}}};
  for (const auto& [field, read] : readers) {
    if (const toml::node* node = table.get(field)) read(table_of(*node, field), pattern);
  }
  read_sizes_of(table, pattern);
  return pattern;
}

// A source of keys that this process has no pattern for may be written by another process, but one that is
// nearly a name that we know is rather misspelt. "baseload2" and "baseload-eu" are names of their own.
void refuse_misspelt(const toml::node& node, std::string_view source,
                     std::span<const std::string_view> known) {
  const std::string_view near = nearest(source, known);
  const bool extends = source.starts_with(near) && source.size() > near.size() &&
                       !(source[near.size()] >= 'a' && source[near.size()] <= 'z');
  if (extends || edit_distance(source, near) > near.size() / 4) return;
  refuse(node, fmt::format("there is no pattern \"{}\" to read from; did you mean \"{}\"?", source, near));
}

// Looks at the sources of a reader once all patterns of the file are known; where it has no sizes, it takes
// those of its sources.
void settle_sources(const toml::table& table, Pattern& reader, std::span<const Pattern> patterns) {
  std::vector<std::string_view> known = builtin_pattern_names();
  for (const Pattern& p : patterns) known.push_back(p.name);
  const bool takes_sizes = reader.sizes.empty();
  for (const toml::node& node : *table["keys"]["from"].as_array()) {
    const std::string name = *node.value<std::string>();
    if (std::ranges::find(known, name) == known.end()) {
      refuse_misspelt(node, name, known);
      if (takes_sizes) {
        const std::string_view near = nearest(name, known);
        refuse(
            node,
            fmt::format("the sizes that {} writes are not known here; this pattern needs sizes{}", name,
                        edit_distance(name, near) > 1 ? "" : fmt::format(", or did you mean \"{}\"?", near)));
      }
      continue;
    }
    const auto here = std::ranges::find(patterns, name, &Pattern::name);
    const auto source = here != patterns.end() ? *here : builtin_pattern(name);
    if (!source) refuse(node, source.error().message);
    if (!source->writes()) refuse(node, fmt::format("{} writes no keys that could be read", name));
    if (!takes_sizes) continue;
    for (const SizeClass& size : source->sizes) {
      if (std::ranges::find(reader.sizes, size.label, &SizeClass::label) == reader.sizes.end())
        reader.sizes.push_back({size.label, size.bytes, 1});
    }
  }
  if (takes_sizes) std::ranges::sort(reader.sizes, {}, &SizeClass::bytes);
}

std::vector<const toml::table*> tables_of(const toml::table& root) {
  const toml::node* many = root.get("pattern");
  for (const auto& [key, node] : root) {
    if (many == nullptr && node.is_array_of_tables() && key.str() != "burst") {
      throw Mistake{
          key.source().begin,
          fmt::format("a pattern has no [[{}]]: several patterns stand as [[pattern]], the mixes of "
                      "bursts as [[burst]]",
                      key.str())};
    }
  }
  if (many == nullptr) return {&root};
  static constexpr std::array<std::string_view, 1> fields{"pattern"};
  allow_only(root, "a file with [[pattern]]", fields);
  const toml::array* list = many->as_array();
  if (list == nullptr || list->empty())
    refuse(*many, "several patterns stand as [[pattern]], one after another");
  std::vector<const toml::table*> tables;
  for (const toml::node& node : *list) tables.push_back(&table_of(node, "pattern"));
  return tables;
}

std::string definition_of(const toml::table& pattern) {
  toml::table rest = pattern;
  rest.erase("name");
  rest.erase("summary");
  std::ostringstream text;
  text << toml::json_formatter{rest};
  return text.str();
}

std::vector<Pattern> read_file(const toml::table& root) {
  const std::vector<const toml::table*> tables = tables_of(root);
  std::vector<Pattern> patterns;
  for (const toml::table* table : tables) {
    Pattern pattern = read_pattern(*table);
    pattern.definition = definition_of(*table);
    if (std::ranges::find(patterns, pattern.name, &Pattern::name) != patterns.end())
      refuse(*table, fmt::format("two patterns are named {}", pattern.name));
    patterns.push_back(std::move(pattern));
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!patterns[i].keys_from.empty()) settle_sources(*tables[i], patterns[i], patterns);
  }
  return patterns;
}

// What is wrong where; names that the file gives may hold anything, the sentence stays one line.
std::unexpected<Error> mistake_at(std::string_view file, toml::source_index line, std::string_view what) {
  std::string sentence = fmt::format("{}:{}: {}", file, line, what);
  std::replace_if(
      sentence.begin(), sentence.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return usage_error(std::move(sentence));
}

}  // namespace

Result<std::vector<Pattern>> parse_patterns(std::string_view toml, std::string_view file) {
  try {
    return read_file(toml::parse(toml));
  } catch (const toml::parse_error& error) {
    return mistake_at(file, error.source().begin.line, error.description());
  } catch (const Mistake& mistake) {
    return mistake_at(file, mistake.where.line, mistake.what);
  }
}

}  // namespace s3lt
