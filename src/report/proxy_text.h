// The summary's line about the s3pool that a load went through. Pure, thread-safe.
#pragma once

#include <string>

#include "results/run_record.h"

namespace s3lt {

std::string proxy_line(const ProxyRecord& proxy);

}  // namespace s3lt
