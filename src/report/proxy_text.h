// The summary's words about the s3pool that a load went through. Pure, thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

std::string proxy_line(const ProxyRecord& proxy);
// What befell it, for the closing sentence: "s3pool died once and was started again; s3pool was stopped
// for 3.2s"; empty where nothing did. `endpoints` is how many the storage has.
std::string proxy_events(const ProxyRecord& proxy, std::size_t endpoints);

}  // namespace s3lt
