#include "config/endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace s3lt {
namespace {

constexpr std::size_t most_endpoints = 4096;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::optional<std::uint64_t> to_number(std::string_view digits) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == '.' || c == '-' || c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos && std::ranges::all_of(host, [](unsigned char c) {
           return (c < 0x80 && std::isxdigit(c) != 0) || c == ':' || c == '.';
         });
}

// Splits "host:port", "[v6]:port" and the same without a port.
struct Authority {
  std::string_view host;
  std::optional<std::string_view> port;
};
std::optional<Authority> split_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = text.substr(close + 1), host = text.substr(1, close - 1);
    if (!is_ipv6(host) || (!rest.empty() && rest.front() != ':')) return std::nullopt;
    return Authority{host, rest.empty() ? std::nullopt : std::optional(rest.substr(1))};
  }
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (!is_host_name(host)) return std::nullopt;
  return Authority{host,
                   colon == std::string_view::npos ? std::nullopt : std::optional(text.substr(colon + 1))};
}

struct Split {
  bool tls = false;
  std::string_view rest;  // what follows the scheme
};
std::optional<Split> split_scheme(std::string_view url) {
  std::string start(url.substr(0, 8));
  std::ranges::transform(start, start.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (start.starts_with("http://")) return Split{false, url.substr(7)};
  if (start.starts_with("https://")) return Split{true, url.substr(8)};
  return std::nullopt;
}

// The list with a scheme before every URL that has none, as the message shows it.
std::string with_schemes(const std::vector<std::string_view>& urls) {
  std::string out;
  for (const std::string_view url : urls) {
    if (!out.empty()) out += ',';
    if (url.find("://") == std::string_view::npos) out += url.ends_with(":443") ? "https://" : "http://";
    out += url;
  }
  return out;
}

std::vector<std::string_view> split_list(std::string_view list) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view part = trimmed(list.substr(0, comma));
    if (!part.empty()) parts.push_back(part);
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

Result<void> too_many() {
  return usage_error(fmt::format("more than {} endpoints; use a smaller range", most_endpoints));
}

// Appends to `out` what `url` means: itself, or one URL for each number of its `{…}` groups.
Result<void> expand(const std::string& url, std::vector<std::string>& out) {
  const std::size_t open = url.find('{');
  if (open == std::string::npos) {
    if (url.find('}') != std::string::npos) {
      return usage_error(
          fmt::format("\"{}\" has a '}}' without its '{{'; write a range like {{1...16}}", url));
    }
    if (out.size() == most_endpoints) return too_many();
    out.push_back(url);
    return {};
  }
  const std::size_t close = url.find('}', open);
  const std::string_view range = std::string_view(url).substr(
      open + 1, close == std::string::npos ? std::string::npos : close - open - 1);
  const std::size_t dots = range.find("...");
  const auto first = to_number(range.substr(0, dots));
  const auto last = dots == std::string_view::npos ? std::nullopt : to_number(range.substr(dots + 3));
  if (close == std::string::npos || !first || !last || *first > *last) {
    return usage_error(
        fmt::format("\"{}\" has a range that does not count up; write it like {{1...16}}", url));
  }
  if (*last - *first >= most_endpoints) return too_many();
  const std::size_t width = range.front() == '0' ? dots : 0;  // {01...16} keeps its zeros
  for (std::uint64_t n = *first; n <= *last; ++n) {
    const auto expanded =
        expand(fmt::format("{}{:0{}}{}", url.substr(0, open), n, width, url.substr(close + 1)), out);
    if (!expanded) return expanded;
  }
  return {};
}

}  // namespace

std::string Endpoint::host_header() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string Endpoint::url() const {
  return (tls ? "https://" : "http://") + host_header();
}

Result<Endpoint> parse_endpoint(std::string_view url) {
  // Nothing of a URL with a user part is shown: a password may stand in it.
  if (url.find('@') != std::string_view::npos) {
    return usage_error(
        "an endpoint URL holds a user or password before '@'; leave them out, the keys are settings of their "
        "own");
  }
  const std::size_t gap = url.find_first_of(" \t;");
  if (gap != std::string_view::npos && url.find("://", gap) != std::string_view::npos)
    return usage_error(fmt::format("\"{}\" is no URL of one endpoint; write a comma between several", url));
  const auto split = split_scheme(url);
  if (!split) return usage_error(fmt::format("\"{}\" does not begin with http:// or https://", url));
  std::string_view rest = split->rest;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const std::size_t path = rest.find_first_of("/?#"); path != std::string_view::npos) {
    return usage_error(fmt::format("\"{}\" has a path; an endpoint is only scheme, host and port: {}", url,
                                   url.substr(0, url.size() - split->rest.size() + path)));
  }
  const auto authority = split_authority(rest);
  if (!authority) {
    return usage_error(
        fmt::format("\"{}\" has no valid host; write it like http://10.0.0.1:9000, https://s3.example.org or "
                    "http://[::1]:9000",
                    url));
  }
  Endpoint endpoint{.tls = split->tls, .host = std::string(authority->host), .port = 80};
  if (endpoint.tls) endpoint.port = 443;
  if (authority->port) {
    const auto port = to_number(*authority->port);
    if (!port || *port == 0 || *port > 65535) {
      return usage_error(fmt::format("\"{}\" has no valid port; it is a number from 1 to 65535", url));
    }
    endpoint.port = static_cast<std::uint16_t>(*port);
  }
  return endpoint;
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view list, std::string_view setting) {
  const std::vector<std::string_view> urls = split_list(list);
  if (urls.empty())
    return usage_error(fmt::format("there is no URL in it; write {}http://10.0.0.1:9000", setting));
  // Before any message that shows the list.
  if (list.find('@') != std::string_view::npos) return std::unexpected(parse_endpoint("@").error());
  std::vector<std::string> expanded;
  for (const std::string_view url : urls) {
    if (url.find("://") == std::string_view::npos) {
      return usage_error(
          fmt::format("\"{}\" has no http:// or https://; write {}{}", url, setting, with_schemes(urls)));
    }
    if (auto ok = expand(std::string(url), expanded); !ok) return std::unexpected(std::move(ok.error()));
  }
  std::vector<Endpoint> endpoints;
  for (const std::string& one : expanded) {
    auto endpoint = parse_endpoint(one);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()));
    endpoints.push_back(std::move(*endpoint));
  }
  return endpoints;
}

}  // namespace s3lt
