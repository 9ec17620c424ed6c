#include "process/s3pool_order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "version.h"

namespace s3lt {

std::string address_text(const std::string& ip, std::uint16_t port) {
  return ip.find(':') == ip.npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port);
}

S3poolOrder order_s3pool(const S3poolSettings& settings) {
  S3poolOrder order;
  order.command = {settings.program.string()};
  if (!settings.verify_tls) order.command.emplace_back("--insecure");
  for (const std::string& word : {std::string("--log-level"), std::string("error"), std::string("proxy"),
                                  std::string("--listen"), address_text(settings.ip, settings.port)}) {
    order.command.push_back(word);
  }
  order.environment = {{"S3_POOL", fmt::format("{}", fmt::join(settings.endpoints, ","))},
                       {"AWS_ACCESS_KEY_ID", settings.credentials.access_key},
                       {"AWS_SECRET_ACCESS_KEY", settings.credentials.secret_key},
                       {"AWS_REGION", settings.region},
                       // That it gave an endpoint up is told at level warn, by this module alone.
                       {"RUST_LOG", "error,s3pool::core=warn"},
                       {"NO_COLOR", "1"},
                       {"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  if (!settings.ca_bundle.empty())
    order.environment.emplace_back("SSL_CERT_FILE", settings.ca_bundle.string());
  for (const auto& variable : settings.tuning) order.environment.push_back(variable);
  return order;
}

Packet packet_of(const S3poolRequest& request) {
  Packet packet{"use",
                S3LOADTEST_VERSION,
                request.restart ? "1" : "0",
                request.directory.string(),
                request.log.string(),
                std::to_string(request.order.command.size())};
  packet.insert(packet.end(), request.order.command.begin(), request.order.command.end());
  for (const auto& [name, value] : request.order.environment) {
    packet.push_back(name);
    packet.push_back(value);
  }
  return packet;
}

std::optional<S3poolRequest> request_in(const Packet& packet) {
  constexpr std::size_t before = 6;
  if (packet.size() < before || packet[0] != "use" || packet[1] != S3LOADTEST_VERSION) return std::nullopt;
  S3poolRequest request{.order = {}, .restart = packet[2] == "1", .directory = packet[3], .log = packet[4]};
  std::size_t words = 0;
  const std::string& count = packet[5];
  const bool whole = std::from_chars(count.data(), count.data() + count.size(), words).ec == std::errc();
  if (!whole || words == 0 || words > packet.size() - before || (packet.size() - before - words) % 2 != 0)
    return std::nullopt;
  const auto begin = packet.begin() + before, variables = begin + static_cast<std::ptrdiff_t>(words);
  request.order.command.assign(begin, variables);
  for (auto it = variables; it != packet.end(); it += 2)
    request.order.environment.emplace_back(*it, *(it + 1));
  return request;
}

}  // namespace s3lt
