#include "cli/proxy_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/proxy_needs.h"
#include "process/s3pool_keeper.h"
#include "process/s3pool_log.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;

// What the user tunes s3pool with.
std::vector<std::pair<std::string, std::string>> tuning_in_environment() {
  std::vector<std::pair<std::string, std::string>> tuning;
  for (const auto& [name, value] : process_sources().environment) {
    if (name.starts_with("LB_") || name.starts_with("POOL_")) tuning.emplace_back(name, value);
  }
  return tuning;
}

fs::path absolute_path(const fs::path& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal();
}

// What the s3pool of another run was started with.
std::string difference(const std::string& its_endpoints, const S3poolRequest& request) {
  const auto& ours = request.order.environment;
  const auto endpoints = std::ranges::find(ours, "S3_POOL", &std::pair<std::string, std::string>::first);
  if (endpoints == ours.end() || endpoints->second != its_endpoints)
    return fmt::format("it stands before {}", its_endpoints);
  return "another key, region, verification of certificates, or LB_… or POOL_… variable";
}

}  // namespace

Error problem_with_s3pool(const S3poolProblem& problem, const std::string& address,
                          const S3poolRequest& request) {
  const std::string program = request.order.command.front(), log = request.log.string();
  const auto error = [](std::string text) { return Error{ErrorKind::unavailable, std::move(text)}; };
  switch (problem.what) {
    case S3poolFailure::version:
      return error(
          fmt::format("the s3pool at {} is kept by another version of s3loadtest; wait until its runs have "
                      "ended, or choose another address with S3LOADTEST_PROXY_ADDR",
                      address));
    case S3poolFailure::settings:
      return error(
          fmt::format("another run uses the s3pool at {} with other settings ({}); choose "
                      "another address with S3LOADTEST_PROXY_ADDR, or wait until that run has ended",
                      address, difference(problem.text, request)));
    case S3poolFailure::address:
      return address_taken(address, problem.text);
    case S3poolFailure::start:
      return error(fmt::format(
          "s3pool cannot be started: {}; check S3POOL_BINARY and the places that it needs", problem.text));
    case S3poolFailure::ended:
      return error(s3pool_wrote(request.log)
                       ? fmt::format("{} {}; its log {} says more", program, problem.text, log)
                       : fmt::format("{} {} without a word; is it an s3pool?", program, problem.text));
    case S3poolFailure::silent:
      break;
  }
  return error(fmt::format("{} does not listen on {} after {}; is it an s3pool?{}", program, address,
                           problem.text,
                           s3pool_wrote(request.log) ? fmt::format(" Its log {} says more", log) : ""));
}

S3poolRequest s3pool_request(const Settings& settings, const RunFlags& flags, const fs::path& program,
                             const std::string& ip) {
  S3poolSettings s3pool{
      .program = program,
      .ip = ip,
      .port = settings.proxy.port,
      .endpoints = {},
      .credentials = settings.credentials,
      .region = settings.region,
      .verify_tls = settings.verify_tls,
      .ca_bundle = settings.ca_bundle.empty() ? fs::path() : absolute_path(settings.ca_bundle),
      .tuning = tuning_in_environment()};
  for (const Endpoint& endpoint : settings.endpoints) s3pool.endpoints.push_back(endpoint.url());
  return {.order = order_s3pool(s3pool),
          .restart = flags.force_restart_proxy,
          .directory = absolute_path(settings.temp_dir),
          .log = absolute_path(settings.log_dir / fmt::format("s3pool-{}.log", settings.proxy.port))};
}

std::vector<std::string> keeper_of(const std::string& address) {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error || !fs::exists(program, error)) program = "/proc/self/exe";  // replaced while we run
  return {program.string(), keeper_command, address};
}

}  // namespace s3lt
