// Listing a whole prefix, side by side where it divides into `{worker}/{size}/`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bucket/crew.h"

namespace s3lt {

using PageTaker = std::function<void(std::vector<ListPage::Object>)>;

// Has the crew list everything under `prefix`; `take` gets the objects page by page, in no order between
// pages. It has to outlive the crew's run(). A listing that fails stops the crew with an error.
void walk_prefix(Crew& crew, std::string prefix, PageTaker take);

// Stops the crew, unless it was stopped already.
void listing_failed(Crew& crew, std::string_view what, std::string_view prefix, const BucketAnswer& answer);

}  // namespace s3lt
