#include "cli/serve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "base/units.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "server/server.h"

namespace s3lt {
namespace {

using server::Server;
using server::ServerOptions;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string random_text(std::string_view alphabet, std::size_t size) {
  std::random_device entropy;
  std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += alphabet[pick(entropy)];
  return out;
}

Result<Credentials> find_credentials(bool can_be_told) {
  Credentials credentials{
      from_environment("AWS_ACCESS_KEY_ID"), from_environment("AWS_SECRET_ACCESS_KEY"), {}};
  if (credentials.access_key.empty() != credentials.secret_key.empty()) {
    return usage_error(
        "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set: set both, or neither for throw-away "
        "credentials (with --env FILE)");
  }
  if (!credentials.access_key.empty()) return credentials;
  if (!can_be_told) {
    return usage_error(
        "nobody would know the credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give --env "
        "FILE to "
        "have throw-away ones written there");
  }
  credentials.access_key = "S3LT" + random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16);
  credentials.secret_key = random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40);
  return credentials;
}

// "127.0.0.1:9000", "[::1]:9000", ":9000", "9000".
Result<server::ListenAddress> parse_listen(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::string host = colon == text.npos ? "" : text.substr(0, colon);
  const auto port = parse_count(colon == text.npos ? text : text.substr(colon + 1));
  if (!port || *port > std::numeric_limits<std::uint16_t>::max()) {
    return usage_error(fmt::format(
        "--listen {}: no HOST:PORT; write it like 127.0.0.1:9000 (port 0 finds a free one)", text));
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  server::ListenAddress address{.port = static_cast<std::uint16_t>(*port)};
  if (!host.empty()) address.host = host;
  return address;
}

Result<ServerOptions> make_options(const ServeFlags& flags) {
  ServerOptions options;
  options.listen.clear();
  for (const std::string& text : flags.listen) {
    auto address = parse_listen(text);
    if (!address) return std::unexpected(address.error());
    options.listen.push_back(std::move(*address));
  }
  const auto capacity = parse_size(flags.capacity);
  if (!capacity) return usage_error("--capacity: " + capacity.error().message);
  options.capacity = *capacity;
  if (!flags.send_buffer.empty()) {
    const auto size = parse_size(flags.send_buffer);
    if (!size) return usage_error("--sndbuf: " + size.error().message);
    if (*size > GiB) return usage_error(fmt::format("--sndbuf {}: at most 1GiB", flags.send_buffer));
    options.send_buffer = static_cast<int>(*size);
  }
  for (const std::string& spec : flags.faults) {
    auto rule = server::parse_fault(spec);
    if (!rule) return std::unexpected(rule.error());
    options.faults.push_back(std::move(*rule));
  }
  auto credentials = find_credentials(!flags.env_file.empty());
  if (!credentials) return std::unexpected(credentials.error());
  options.credentials = std::move(*credentials);
  options.fault_seed = flags.fault_seed;
  options.threads = flags.threads;
  options.region = flags.region;
  options.buckets = flags.buckets;
  options.tls_certificate = flags.tls_certificate;
  options.tls_key = flags.tls_key;
  options.record = flags.record;
  return options;
}

Result<unsigned> parse_threads(const std::string& text) {
  const auto n = parse_count(text);
  if (!n) return std::unexpected(n.error());
  if (*n > 1024) return usage_error(fmt::format("\"{}\" is above 1,024", text));
  return static_cast<unsigned>(*n);
}

// Values of an .env file are literal, but for what a reader would take for quotes or a comment.
std::string env_value(const std::string& value) {
  const bool plain = value.find_first_of(" \t#'\"") == value.npos;
  if (plain) return value;
  return value.find('"') == value.npos ? '"' + value + '"' : '\'' + value + '\'';
}

// Written beside the file and renamed: whoever reads it sees all of it or nothing.
Result<void> write_env(const std::string& path, const std::string& endpoints, const ServerOptions& options) {
  std::string text = "# Written by s3loadtest serve; good as long as it runs.\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    text.append(name).append("=").append(env_value(value)).append("\n");
  };
  line("S3_ENDPOINTS", endpoints);
  line("AWS_ACCESS_KEY_ID", options.credentials.access_key);
  line("AWS_SECRET_ACCESS_KEY", options.credentials.secret_key);
  line("S3_BUCKET", options.buckets.front());
  line("AWS_REGION", options.region);

  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkstemp(temporary.data());  // mode 0600
  bool good = fd >= 0;
  good = good && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  good = good && ::rename(temporary.c_str(), path.c_str()) == 0;
  const int reason = errno;
  if (fd >= 0) ::close(fd);
  if (good) return {};
  if (fd >= 0) ::unlink(temporary.c_str());
  return unavailable(
      fmt::format("cannot write --env {}: {}; choose a file in a directory that you may write to", path,
                  std::strerror(reason)));
}

}  // namespace

void add_serve_flags(CLI::App& command, ServeFlags& flags) {
  command
      .add_option("--listen", flags.listen,
                  "HOST:PORT to listen on; port 0 finds a free one (repeatable: a node each, all with the "
                  "same objects)")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  command.add_option("--env", flags.env_file, "write a ready .env file here (mode 0600)")->type_name("FILE");
  command.add_option("--bucket", flags.buckets, "a bucket that exists from the start (repeatable)")
      ->capture_default_str();
  command.add_option("--region", flags.region, "the region that requests must be signed for")
      ->capture_default_str();
  command.add_option("--capacity", flags.capacity, "bytes of unrecognised objects to keep, at most")
      ->type_name("SIZE")
      ->capture_default_str();
  command.add_option("--sndbuf", flags.send_buffer, "send buffer of each connection")->type_name("SIZE");
  add_value(command, "--threads", flags.threads, parse_threads, "threads; 0 is one a core", "N", "0");
  command.add_option("--tls-cert", flags.tls_certificate, "serve https with this certificate (PEM)")
      ->type_name("FILE");
  command.add_option("--tls-key", flags.tls_key, "the certificate's key (PEM)")->type_name("FILE");
  command
      .add_option(
          "--fault", flags.faults,
          "a fault to do: OPERATION:KIND, often with values, and how often, such as GET:status=503:p=0.01, "
          "PUT:delay=200ms:every=100 or *:reset:p=0.001 (repeatable)")
      ->type_name("SPEC");
  add_value(
      command, "--fault-seed", flags.fault_seed, [](const std::string& text) { return parse_count(text); },
      "fixes which requests meet faults", "N", "0");
  command
      .add_option(
          "--record", flags.record,
          "write here what comes in: each request's head, how its body came, its connection (JSON lines)")
      ->type_name("FILE");
  command.footer(
      "Faults, as OPERATION:KIND[:p=PROBABILITY|:every=N], and the operations they are for:\n" +
      server::describe_faults() +
      "OPERATION is PUT, GET, HEAD, DELETE, DELETE-BATCH, LIST, or * for all that the fault is for.\n"
      "GET /-/faults says how many of each were done.");
}

int serve_command(const ServeFlags& flags) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto options = make_options(flags);
  if (!options) return fail(options.error());
  auto server = Server::start(*options);
  if (!server) return fail(server.error());
  const std::string endpoints = fmt::format("{}", fmt::join((*server)->endpoints(), ","));
  if (!flags.env_file.empty()) {
    if (const auto written = write_env(flags.env_file, endpoints, *options); !written)
      return fail(written.error());
  }
  if (const auto printed = print(fmt::format("READY {}\n", endpoints)); !printed)
    return fail(printed.error());

  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->stop();
  if (const auto recorded = (*server)->recorded(); !recorded) return fail(recorded.error());
  return 0;
}

}  // namespace s3lt
