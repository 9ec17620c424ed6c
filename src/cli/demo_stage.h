// Where the acts of the demo play: servers and runs of this very program, as children, each with the command
// line that a user would type. Used by one thread.
#pragma once

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "measure/histogram.h"
#include "process/child.h"
#include "results/run_record.h"

namespace s3lt {

// What an act looks at of a run that ended.
struct DemoRun {
  std::filesystem::path directory;
  int status = 0;  // the exit status
  RunResult result;
  std::uint64_t count = 0;  // operations, but for TRIMs
  std::uint64_t reads = 0;  // whose bytes were checked
  std::uint64_t corrupt = 0;
  Histogram response;  // of GET and PUT together
  // The first read of errors.jsonl that did not bring what was written; empty: there was none.
  struct Wrong {
    std::string key, kind, expected, found;
    std::uint64_t offset = 0;
    int status = 0;
  } wrong;
};

class DemoStage {
 public:
  // Makes `directory`, which must not be there yet, and a private one for the servers' credentials.
  static Result<DemoStage> open(const std::filesystem::path& directory,
                                const volatile std::sig_atomic_t& interrupts);
  ~DemoStage();
  DemoStage(DemoStage&&) noexcept;

  // Starts `s3loadtest serve` with these arguments and waits until it is ready.
  Result<Child> serve(std::vector<std::string> arguments);
  // Runs `s3loadtest run` with these arguments against the last server, to its end; `name` is its
  // directory's.
  Result<DemoRun> run(const std::string& name, std::vector<std::string> arguments);

 private:
  DemoStage(std::filesystem::path directory, std::filesystem::path backstage,
            const volatile std::sig_atomic_t& interrupts)
      : directory_(std::move(directory)), backstage_(std::move(backstage)), interrupts_(&interrupts) {}
  std::vector<std::pair<std::string, std::string>> environment() const;

  std::filesystem::path directory_, backstage_;
  const volatile std::sig_atomic_t* interrupts_;
};

}  // namespace s3lt
