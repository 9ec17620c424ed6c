// s3loadtest demo: what this tool shows and others hide, in about a minute, against the embedded server.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace s3lt {

struct DemoFlags {
  std::string env_file;  // where S3LOADTEST_LOG_DIR may stand; nothing else of it is used
  std::string out;       // where its runs go; empty: <log dir>/<now>-demo
};

void add_demo_flags(CLI::App& command, DemoFlags& flags);
// Plays it; the exit status of the program. To be called before other threads are started.
int demo_command(const DemoFlags& flags);

}  // namespace s3lt
