#include "report/proxy_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/units.h"

namespace s3lt {

std::string proxy_line(const ProxyRecord& proxy) {
  const std::string used = proxy.observed
                               ? fmt::format("{:.1f} CPU s, {} of memory at most", proxy.cpu_seconds,
                                             format_size(static_cast<std::uint64_t>(proxy.max_rss_bytes)))
                               : std::string("its CPU time cannot be seen from here");
  return fmt::format(
      "proxy: s3pool at {}{}, {}; it takes whole bodies before it passes them on, and its own retries "
      "(up to 6, after 0.2 s doubling to 5 s) are in these times and in no figure",
      proxy.address,
      !proxy.ours    ? " (not started by us)"
      : proxy.shared ? " (other runs used it, too)"
                     : "",
      used);
}

std::string proxy_events(const ProxyRecord& proxy, std::size_t endpoints) {
  const auto times = [](std::uint64_t n) { return n == 1 ? "once" : fmt::format("{} times", n); };
  std::vector<std::string> events;
  if (proxy.deaths > 0) {
    events.push_back(fmt::format("s3pool died {} and was {}", times(proxy.deaths),
                                 proxy.starts == 0              ? "not there again"
                                 : proxy.starts == proxy.deaths ? "started again"
                                                                : "started again " + times(proxy.starts)));
  }
  if (proxy.deaths == 0 && proxy.down_seconds > 0)
    events.push_back(
        fmt::format("s3pool was not there for the first {:.1f}s", std::max(0.1, proxy.down_seconds)));
  if (proxy.stopped_seconds > 0)
    events.push_back(fmt::format("s3pool was stopped for {:.1f}s", proxy.stopped_seconds));
  if (proxy.gave_up_all) {
    events.push_back(
        endpoints == 1
            ? std::string("s3pool took the only endpoint for unhealthy")
            : fmt::format("s3pool gave up all {} endpoints and sent everything to one", endpoints));
  }
  return fmt::format("{}", fmt::join(events, "; "));
}

}  // namespace s3lt
