// The embedded S3 server: in memory, with real signatures and checksums, and with faults on demand
// (docs/serve.md). A Server runs in threads of its own; its functions may be called from any one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "s3/sigv4.h"
#include "server/faults.h"
#include "server/statistics.h"
#include "workload/content.h"

namespace s3lt::server {

struct ListenAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
};

struct ServerOptions {
  std::vector<ListenAddress> listen = {{}};  // one or more: the nodes of a cluster with the same objects
  unsigned threads = 0;                      // 0: one a core
  Credentials credentials;
  std::string region = "us-east-1";
  std::vector<std::string> buckets = {"loadtest"};
  std::uint64_t capacity = GiB;  // bytes kept, in all
  int send_buffer = 0;           // SO_SNDBUF of accepted sockets; 0: the system's own sizing
  std::string tls_certificate = {}, tls_key = {};  // paths of PEM files; empty: plain HTTP
  std::vector<FaultRule> faults = {};
  std::uint64_t fault_seed = 0;
  std::string record = {};  // path of a file for what comes in; empty: none
  // Null: the server builds the full pool (100 MiB).
  std::shared_ptr<const ContentPool> pool = {};
};

class Server {
 public:
  // Listens, and serves until stop(). The error names what is wrong with the options or the address.
  static Result<std::unique_ptr<Server>> start(ServerOptions options);
  ~Server();  // stops
  // Answers that are being sent may end within two seconds. Any number of times.
  void stop();

  std::uint16_t port() const;                  // of the first address
  std::vector<std::string> endpoints() const;  // http://127.0.0.1:9000, of each address
  ServerStats stats() const;
  std::vector<FaultPlan::Count> faults() const;
  // Whether all that came in was recorded.
  Result<void> recorded() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace s3lt::server
