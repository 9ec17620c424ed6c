#include "bucket/first_page.h"

#include "bucket/crew.h"

namespace s3lt {

std::optional<ListPage> first_page(const RunPlan& plan, std::string_view prefix) {
  std::optional<ListPage> page;
  Crew crew(plan, 1);
  crew.add_listing([&](BucketClient& client) -> Task<void> {
    AdminRequest request = list_keys(prefix, {}, {});
    const BucketAnswer answer = co_await client.ask(std::move(request));
    if (answer.ok()) page = parse_list(answer.body);
  });
  (void)crew.run([] { return true; });
  return page;
}

}  // namespace s3lt
