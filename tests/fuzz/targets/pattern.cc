// Pattern files: an error of one line that names the file, or patterns that can be run.
#include "workload/pattern.h"

#include <algorithm>
#include <cmath>

#include "fuzz/target.h"

namespace s3lt::fuzz {

void pattern(std::string_view text) {
  const auto patterns = parse_patterns(text, "F");
  if (!patterns) {
    const std::string& message = patterns.error().message;
    require(message.starts_with("F") && message.find('\n') == std::string::npos,
            "an error names the file, in one line");
    return;
  }
  require(!patterns->empty(), "a file has patterns");
  for (const Pattern& p : *patterns) {
    require(!p.name.empty() && p.name != "all" &&
                std::ranges::all_of(p.name,
                                    [](char c) {
                                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                                             c == '-';
                                    }),
            "a name fits into a key");
    double shares = 0;
    for (const double share : p.mix) {
      require(share >= 0 && share <= 1, "a share is one");
      shares += share;
    }
    require(std::abs(shares - 1) < 1e-6, "the shares are all");
    double weights = 0;
    for (const SizeClass& size : p.sizes) {
      require(!size.label.empty() && size.bytes <= largest_object, "a size can be put");
      require(std::isfinite(size.weight) && size.weight >= 0, "a weight is one");
      weights += size.weight;
    }
    require(p.sizes.empty() || (std::isfinite(weights) && weights > 0), "some size is drawn");
    require(std::isfinite(p.clients_per_core) && p.clients_per_core >= 0, "clients can be counted");
  }
}

}  // namespace s3lt::fuzz
