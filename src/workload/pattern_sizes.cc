// The sizes of a pattern file: a list, weights, or a log-normal distribution.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/nearest.h"
#include "base/units.h"
#include "workload/pattern_reader.h"
#include "workload/size_distribution.h"

namespace s3lt {
namespace {

constexpr std::string_view lognormal_form =
    "sizes = { lognormal = { median = \"100KB\", sigma = 1.2, least = \"1KB\", most = \"100MB\" } }";

void add_size(Pattern& pattern, const toml::node& node, std::string_view size, double weight) {
  const std::uint64_t bytes = object_size(node, size);
  if (weight <= 0) refuse(node, fmt::format("the weight of {} must be above 0", size));
  const std::string label = format_size_label(bytes);
  for (const SizeClass& known : pattern.sizes) {
    if (known.label == label) refuse(node, fmt::format("the size {} stands there twice", label));
  }
  pattern.sizes.push_back({label, bytes, weight});
}

void read_weights(const toml::table& weights, Pattern& pattern) {
  for (const auto& [size, weight] : weights) {
    if (!parse_size(size.str()) && edit_distance(size.str(), "lognormal") <= 3)
      refuse(weight, fmt::format("\"{}\" is not a size; did you mean \"lognormal\"?", size.str()));
    add_size(pattern, weight, size.str(), number(weight, fmt::format("the weight of {}", size.str())));
  }
  std::ranges::sort(pattern.sizes, {}, &SizeClass::bytes);
}

void read_lognormal(const toml::node& node, Pattern& pattern) {
  constexpr std::string_view place = "lognormal";
  const toml::table* fields = node.as_table();
  if (fields == nullptr)
    refuse(node, fmt::format("lognormal must be a table of four fields: {}", lognormal_form));
  static constexpr std::array<std::string_view, 4> names{"median", "sigma", "least", "most"};
  allow_only(*fields, place, names);
  const auto size = [&](std::string_view field) {
    const toml::node& value = needed(*fields, place, field);
    return object_size(value, text(value, field));
  };
  const LogNormal sizes{.median = size("median"),
                        .sigma = number_above_zero(needed(*fields, place, "sigma"), "sigma"),
                        .least = size("least"),
                        .most = size("most")};
  if (sizes.median < sizes.least || sizes.median > sizes.most)
    refuse(node, fmt::format("the median of lognormal, {}, must lie between least, {}, and most, {}",
                             format_size_label(sizes.median), format_size_label(sizes.least),
                             format_size_label(sizes.most)));
  if (const std::size_t classes = doublings(sizes); classes > most_size_classes)
    refuse(node, fmt::format("lognormal has a size class for each doubling from {} to {}: {} of them, and {} "
                             "are the most; raise least or lower most",
                             format_size_label(sizes.least), format_size_label(sizes.most), classes,
                             most_size_classes));
  pattern.sizes = lognormal_sizes(sizes);
}

}  // namespace

void read_sizes(const toml::node& node, Pattern& pattern) {
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& item : *list) add_size(pattern, item, text(item, "a size"), 1);
  } else if (const toml::table* table = node.as_table()) {
    const toml::node* distribution = table->get("lognormal");
    if (distribution != nullptr && table->size() > 1)
      refuse(node, "sizes are weights or lognormal, not both");
    if (distribution != nullptr) {
      read_lognormal(*distribution, pattern);
    } else {
      read_weights(*table, pattern);
    }
  } else {
    refuse(node, fmt::format("sizes must be a list (sizes = [\"1KB\", \"1MB\"]), weights (sizes = {{ "
                             "\"4KiB\" = 80, \"1MiB\" = 20 }}) or a distribution ({})",
                             lognormal_form));
  }
  if (pattern.sizes.empty()) refuse(node, "sizes must name at least one size");
  // Of every pattern each class has figures and a list of keys of its own.
  if (pattern.sizes.size() > most_size_classes)
    refuse(node,
           fmt::format("{} sizes are too many; {} are the most", pattern.sizes.size(), most_size_classes));
}

}  // namespace s3lt
