// s3loadtest serve: the embedded S3 server in the foreground (docs/serve.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace s3lt {

struct ServeFlags {
  std::vector<std::string> listen = {"127.0.0.1:0"};
  std::string env_file;  // to be written; empty: none
  std::vector<std::string> buckets = {"loadtest"};
  std::string region = "us-east-1";
  std::string capacity = "1GiB";
  std::string send_buffer;
  std::string tls_certificate, tls_key;
  std::vector<std::string> faults;
  std::uint64_t fault_seed = 0;
  std::string record;  // a file for what comes in; empty: none
  unsigned threads = 0;
};

void add_serve_flags(CLI::App& command, ServeFlags& flags);
// Serves until SIGTERM or SIGINT; the exit status of the program. Takes credentials from the environment or
// makes throw-away ones. To be called before other threads are started: it blocks those signals.
int serve_command(const ServeFlags& flags);

}  // namespace s3lt
