// Pattern files: TOML to Pattern. A field that is not here is an error, so that a misspelt one is never a
// silent default.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>

#include "base/nearest.h"
#include "base/units.h"
#include "workload/pattern.h"

namespace s3lt {
namespace {

// More clients than any machine holds are a slip of the keyboard.
constexpr double most_clients = 10'000'000;

// What is wrong with a file, on its way out of the reader.
struct Mistake {
  toml::source_position where;
  std::string what;
};

[[noreturn]] void refuse(const toml::node& node, std::string what) {
  throw Mistake{node.source().begin, std::move(what)};
}

void allow_only(const toml::table& table, std::string_view place, std::span<const std::string_view> fields) {
  for (const auto& [key, node] : table) {
    if (std::find(fields.begin(), fields.end(), key.str()) != fields.end()) continue;
    throw Mistake{key.source().begin,
                  fmt::format("{} has no field \"{}\": {}", place, key.str(), suggest(key.str(), fields))};
  }
}

double number(const toml::node& node, std::string_view field) {
  if (const auto n = node.value<double>(); n && std::isfinite(*n) && *n >= 0) return *n;
  refuse(node, fmt::format("{} must be a number, 0 or more", field));
}

std::string text(const toml::node& node, std::string_view field) {
  if (const auto t = node.value_exact<std::string>()) return *t;
  refuse(node, fmt::format("{} must be a text in quotes", field));
}

const toml::table& table_of(const toml::node& node, std::string_view field) {
  if (const toml::table* t = node.as_table()) return *t;
  refuse(node, fmt::format("{} must be a table, as in [{}]", field, field));
}

std::string read_name(const toml::node& node) {
  const std::string name = text(node, "name");
  const bool good = !name.empty() && name.front() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!good)
    refuse(
        node,
        fmt::format("the name \"{}\" may have a-z, 0-9, _ and (not first) - only: it is part of keys", name));
  if (name == "all") refuse(node, "the name \"all\" means every pattern; choose another one");
  return name;
}

void read_mix(const toml::table& mix, Pattern& pattern) {
  static constexpr std::array<std::string_view, 4> fields{"GET", "PUT", "HEAD", "DELETE"};
  static constexpr std::array<OperationKind, 4> kinds{OperationKind::get, OperationKind::put,
                                                      OperationKind::head, OperationKind::del};
  allow_only(mix, "[mix]", fields);
  double sum = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const toml::node* node = mix.get(fields[i]);
    if (node == nullptr) continue;
    const double percent = number(*node, fields[i]);
    pattern.mix[static_cast<std::size_t>(kinds[i])] = percent / 100;
    sum += percent;
  }
  if (std::abs(sum - 100) > 1e-6)
    refuse(mix, fmt::format("the shares of [mix] add up to {}, not to 100", sum));
}

void add_size(Pattern& pattern, const toml::node& node, std::string_view size, double weight) {
  const auto bytes = parse_size(size);
  if (!bytes) refuse(node, bytes.error().message);
  if (*bytes == 0) refuse(node, "a size must be more than 0 bytes");
  if (*bytes > largest_put) refuse(node, fmt::format("{} is more than S3 takes in one PUT, 5GiB", size));
  if (weight <= 0) refuse(node, fmt::format("the weight of {} must be above 0", size));
  const std::string label = format_size_label(*bytes);
  for (const SizeClass& known : pattern.sizes) {
    if (known.label == label) refuse(node, fmt::format("the size {} stands there twice", label));
  }
  pattern.sizes.push_back({label, *bytes, weight});
}

// ["1KB", "10KB"], or { "4KiB" = 80, "1MiB" = 20 }
void read_sizes(const toml::node& node, Pattern& pattern) {
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& item : *list) add_size(pattern, item, text(item, "a size"), 1);
  } else if (const toml::table* weights = node.as_table()) {
    for (const auto& [size, weight] : *weights) {
      add_size(pattern, weight, size.str(), number(weight, fmt::format("the weight of {}", size.str())));
    }
    std::sort(pattern.sizes.begin(), pattern.sizes.end(),
              [](const SizeClass& a, const SizeClass& b) { return a.bytes < b.bytes; });
  } else {
    refuse(node,
           "sizes must be a list (sizes = [\"1KB\", \"1MB\"]) or weights (sizes = { \"4KiB\" = 80, \"1MiB\" "
           "= 20 })");
  }
  if (pattern.sizes.empty()) refuse(node, "sizes must name at least one size");
}

void read_clients(const toml::table& clients, Pattern& pattern) {
  static constexpr std::array<std::string_view, 2> fields{"per_core", "total"};
  allow_only(clients, "[clients]", fields);
  const toml::node *per_core = clients.get("per_core"), *total = clients.get("total");
  if (per_core != nullptr && total != nullptr) refuse(*total, "[clients] takes per_core or total, not both");
  if (per_core != nullptr) pattern.clients_per_core = number(*per_core, "per_core");
  if (total != nullptr) {
    const double n = number(*total, "total");
    if (n != std::floor(n)) refuse(*total, fmt::format("total must be a whole number, not {}", n));
    if (n <= most_clients) pattern.clients = static_cast<std::uint64_t>(n);
  }
  for (const toml::node* node : {per_core, total}) {
    if (node == nullptr) continue;
    const double n = *node->value<double>();
    if (n <= 0 || n > most_clients) {
      refuse(*node, fmt::format("the number of clients must be above 0 and at most {:.0f}, not {}",
                                most_clients, n));
    }
  }
}

Pattern read_pattern(const toml::table& table) {
  static constexpr std::array<std::string_view, 5> fields{"name", "summary", "sizes", "mix", "clients"};
  allow_only(table, "a pattern", fields);
  for (const std::string_view needed : {"name", "sizes", "mix"}) {
    if (table.get(needed) == nullptr) refuse(table, fmt::format("a pattern needs {}", needed));
  }
  Pattern pattern;
  pattern.name = read_name(*table.get("name"));
  if (const toml::node* node = table.get("summary")) {
    pattern.summary = text(*node, "summary");
    if (pattern.summary.find('\n') != std::string::npos) refuse(*node, "summary must be one line");
  }
  read_sizes(*table.get("sizes"), pattern);
  read_mix(table_of(*table.get("mix"), "mix"), pattern);
  if (const toml::node* node = table.get("clients")) read_clients(table_of(*node, "clients"), pattern);
  return pattern;
}

std::vector<Pattern> read_file(const toml::table& root) {
  const toml::node* many = root.get("pattern");
  if (many == nullptr) return {read_pattern(root)};
  static constexpr std::array<std::string_view, 1> fields{"pattern"};
  allow_only(root, "a file with [[pattern]]", fields);
  const toml::array* list = many->as_array();
  if (list == nullptr || list->empty())
    refuse(*many, "several patterns stand as [[pattern]], one after another");
  std::vector<Pattern> patterns;
  for (const toml::node& node : *list) {
    patterns.push_back(read_pattern(table_of(node, "pattern")));
    const bool twice = std::count_if(patterns.begin(), patterns.end(),
                                     [&](const Pattern& p) { return p.name == patterns.back().name; }) > 1;
    if (twice) refuse(node, fmt::format("two patterns are named {}", patterns.back().name));
  }
  return patterns;
}

}  // namespace

Result<std::vector<Pattern>> parse_patterns(std::string_view toml, std::string_view file) {
  try {
    return read_file(toml::parse(toml));
  } catch (const toml::parse_error& error) {
    return usage_error(fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
  } catch (const Mistake& mistake) {
    return usage_error(fmt::format("{}:{}: {}", file, mistake.where.line, mistake.what));
  }
}

}  // namespace s3lt
