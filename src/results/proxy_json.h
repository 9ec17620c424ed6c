// The object `proxy` of summary.json (docs/formats.md). Pure, thread-safe.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "results/run_record.h"

namespace s3lt {

// Null of a run without one.
boost::json::value proxy_value(const std::optional<ProxyRecord>& proxy);
std::optional<ProxyRecord> proxy_in(const boost::json::object& summary);

}  // namespace s3lt
