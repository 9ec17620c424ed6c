#include "cli/proxy_needs.h"

#include <fmt/format.h>

#include <cstdlib>

#include "process/listening_process.h"
#include "process/program_file.h"
#include "process/s3pool_keeper.h"
#include "process/s3pool_order.h"
#include "s3/wire_profile.h"

namespace s3lt {
namespace {

std::string path_in_environment() {
  const char* path = std::getenv("PATH");
  return path != nullptr ? path : "/usr/bin:/bin";
}

}  // namespace

Result<void> check_proxy_flags(const RunFlags& flags) {
  if (!flags.no_proxy || !flags.force_restart_proxy) return {};
  return usage_error(
      "--no-proxy leaves s3pool alone, and --force-restart-proxy restarts it; give one of them");
}

Result<void> can_go_through_s3pool(const Settings& settings, const std::string& prefix, bool ours) {
  if (!settings.credentials.session_token.empty() && ours) {
    return usage_error(
        "backend proxy: s3pool signs without a session token; unset AWS_SESSION_TOKEN and use permanent "
        "keys, or another backend");
  }
  if (!find_profile("proxy")->can_send(prefix)) {
    return usage_error(
        fmt::format("--prefix: \"{}\" cannot be sent through s3pool, which takes keys of visible ASCII "
                    "without ? # < > and `; choose another prefix, or another backend",
                    prefix));
  }
  return {};
}

Result<std::vector<Address>> proxy_addresses(const Settings& settings) {
  auto addresses = resolve(settings.proxy.host, settings.proxy.port);
  if (!addresses) {
    return unavailable(fmt::format("S3LOADTEST_PROXY_ADDR: cannot find the host {}: {}; check its name",
                                   settings.proxy.host, addresses.error()));
  }
  return std::move(*addresses);
}

std::string ip_text(const Address& address) {
  std::string text = address.text();
  text.resize(text.rfind(':'));
  return text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
}

Result<std::filesystem::path> s3pool_program(const Settings& settings) {
  auto program = find_program(settings.s3pool_binary, path_in_environment());
  if (program) return program;
  return usage_error(
      fmt::format("S3POOL_BINARY={}: {}; backend proxy starts s3pool: name its file there, or use one "
                  "that runs with --no-proxy",
                  settings.s3pool_binary, program.error().message));
}

Error address_taken(const std::string& address, const std::string& who) {
  return {ErrorKind::unavailable,
          fmt::format("{} is used by {}, which no run of ours started; end it, choose another address with "
                      "S3LOADTEST_PROXY_ADDR, or use it with --no-proxy",
                      address, who)};
}

ProxyFact look_at_proxy(const Settings& settings, const std::string& prefix) {
  ProxyFact fact{.address = settings.proxy.host_header()};
  const auto problem = [&](const Error& error) {
    fact.problems.push_back(error.message);
    if (error.kind == ErrorKind::usage) fact.is_wrong_setting = true;
  };
  if (const auto passes = can_go_through_s3pool(settings, prefix, true); !passes) problem(passes.error());
  if (const auto program = s3pool_program(settings); program) {
    fact.program = program->string();
  } else {
    problem(program.error());
  }
  const auto addresses = proxy_addresses(settings);
  if (!addresses) {
    problem(addresses.error());
    return fact;
  }
  const std::string ip = ip_text(addresses->front());
  fact.address = address_text(ip, settings.proxy.port);
  fact.is_kept = static_cast<bool>(PacketSocket::connect(keeper_name(fact.address)));
  if (fact.is_kept) return fact;
  const ListeningProcess other = listening_process(ip, settings.proxy.port);
  if (other.any) problem(address_taken(fact.address, who(other)));
  return fact;
}

}  // namespace s3lt
