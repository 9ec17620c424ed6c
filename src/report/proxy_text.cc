#include "report/proxy_text.h"

#include <fmt/format.h>

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

}  // namespace s3lt
