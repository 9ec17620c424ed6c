// What an s3pool is started with, and how that goes to its keeper. Values and pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/credentials.h"
#include "process/packet_socket.h"

namespace s3lt {

struct S3poolSettings {
  std::filesystem::path program;
  std::string ip;  // that it listens on, a literal
  std::uint16_t port = 0;
  std::vector<std::string> endpoints;  // URLs of the storage
  Credentials credentials;
  std::string region;
  bool verify_tls = false;
  std::filesystem::path ca_bundle;  // empty: the system's
  // What the user tunes it with: its variables LB_* and POOL_*.
  std::vector<std::pair<std::string, std::string>> tuning;
};

struct S3poolOrder {
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  // all of it: secrets stand nowhere else
  bool operator==(const S3poolOrder&) const = default;
};

// "127.0.0.1:18080", "[::1]:18080".
std::string address_text(const std::string& ip, std::uint16_t port);
// The command `s3pool [--insecure] --log-level error proxy --listen ADDRESS`, and the variables that it
// reads.
S3poolOrder order_s3pool(const S3poolSettings& settings);

// A request to the keeper of an address: start it so, or let us use the one that was started so.
struct S3poolRequest {
  S3poolOrder order;
  bool restart = false;             // end one that runs, first
  std::filesystem::path directory;  // where it may make a private working directory
  std::filesystem::path log;        // what it says is added here
};
Packet packet_of(const S3poolRequest& request);
// Nothing where it is none of this version's.
std::optional<S3poolRequest> request_in(const Packet& packet);

}  // namespace s3lt
