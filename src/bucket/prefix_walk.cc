#include "bucket/prefix_walk.h"

#include <fmt/format.h>

#include <memory>
#include <set>

namespace s3lt {
namespace {

constexpr int split_levels = 2;

struct Walk {
  Crew& crew;
  PageTaker take;
  std::set<std::string> seen;  // some servers name a common prefix again on the next page
};

void list_level(const std::shared_ptr<Walk>& walk, std::string prefix, int level, std::string token) {
  walk->crew.add_listing([walk, prefix = std::move(prefix), level,
                          token = std::move(token)](BucketClient& client) -> Task<void> {
    const std::string_view delimiter = level < split_levels ? "/" : "";
    AdminRequest request = list_keys(prefix, delimiter, token);
    const BucketAnswer answer = co_await client.ask(std::move(request));
    std::optional<ListPage> page;
    if (answer.ok()) page = parse_list(answer.body);
    if (!page) {
      listing_failed(walk->crew, "objects", prefix, answer);
      co_return;
    }
    if (page->truncated && !page->next_token.empty()) list_level(walk, prefix, level, page->next_token);
    for (std::string& deeper : page->common_prefixes) {
      if (walk->seen.insert(deeper).second) list_level(walk, std::move(deeper), level + 1, {});
    }
    walk->take(std::move(page->objects));
  });
}

}  // namespace

void walk_prefix(Crew& crew, std::string prefix, PageTaker take) {
  list_level(std::make_shared<Walk>(crew, std::move(take), std::set<std::string>()), std::move(prefix), 0,
             {});
}

void listing_failed(Crew& crew, std::string_view what, std::string_view prefix, const BucketAnswer& answer) {
  if (answer.cancelled) return;
  const std::string reason = answer.ok() ? "its answer is no listing" : answer.reason;
  crew.stop(
      Error{ErrorKind::unavailable, fmt::format("cannot list the {} under {}: {}", what, prefix, reason)});
}

}  // namespace s3lt
