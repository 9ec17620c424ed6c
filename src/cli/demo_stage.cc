#include "cli/demo_stage.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cli/progress.h"
#include "results/figures.h"
#include "results/run_rebuild.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t most_errors = 100;
constexpr Duration look_again = std::chrono::milliseconds(20);
constexpr Duration patience_for_a_server = std::chrono::seconds(20),
                   patience_for_a_run = std::chrono::minutes(2);

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string last_line(const fs::path& path) {
  std::string text = text_of(path);
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string program() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).string();
}

Error interrupted() {
  return {ErrorKind::usage, "interrupted"};
}

Result<DemoRun::Wrong> first_wrong(const RunReader& reader) {
  const auto errors = reader.errors(most_errors);
  if (!errors) return std::unexpected(errors.error());
  for (const json::value& line : *errors) {
    const json::object& error = line.get_object();
    if (!error.contains("offset")) continue;
    return DemoRun::Wrong{text_in(error, "key"),      text_in(error, "kind"),
                          text_in(error, "expected"), text_in(error, "found"),
                          count_in(error, "offset"),  static_cast<int>(count_in(error, "status"))};
  }
  return DemoRun::Wrong{};
}

Result<DemoRun> look_at(const fs::path& directory, int status) {
  const auto reader = RunReader::open(directory);
  if (!reader) return std::unexpected(reader.error());
  auto rebuilt = rebuild_run(*reader);
  if (!rebuilt) return std::unexpected(rebuilt.error());
  auto wrong = first_wrong(*reader);
  if (!wrong) return std::unexpected(wrong.error());
  DemoRun run{
      .directory = directory, .status = status, .result = std::move(rebuilt->result), .wrong = *wrong};
  for (const std::string& pattern : pattern_names(run.result.total)) {
    const PatternFigures figures = pattern_figures(run.result.total, pattern);
    run.count += figures.operations;
    run.reads += figures.checked;
    run.corrupt += figures.all_corrupt();
  }
  for (const auto& [key, cell] : run.result.total.cells) {
    if (key.operation == OperationKind::get || key.operation == OperationKind::put)
      run.response.add(cell.response);
  }
  return run;
}

}  // namespace

Result<DemoStage> DemoStage::open(const fs::path& directory, const volatile std::sig_atomic_t& interrupts) {
  std::error_code error;
  if (fs::exists(directory, error)) {
    return usage_error(
        fmt::format("{} is there already; name another directory with --out", directory.string()));
  }
  fs::create_directories(directory, error);
  if (error) {
    return usage_error(
        fmt::format("cannot create the directory {}: {}; choose a place that can be written with --out",
                    directory.string(), error.message()));
  }
  const fs::path temporary = fs::temp_directory_path(error);
  if (error)
    return unavailable(fmt::format("cannot find a directory for temporary files: {}", error.message()));
  std::string backstage = (temporary / "s3loadtest-demo-XXXXXX").string();
  if (::mkdtemp(backstage.data()) == nullptr) {  // mode 0700: the throw-away credentials are in there
    return unavailable(fmt::format("cannot create {}: {}", backstage, std::strerror(errno)));
  }
  return DemoStage(directory, backstage, interrupts);
}

DemoStage::DemoStage(DemoStage&& other) noexcept
    : directory_(std::move(other.directory_)),
      backstage_(std::exchange(other.backstage_, {})),
      interrupts_(other.interrupts_) {}

DemoStage::~DemoStage() {
  std::error_code ignored;
  if (!backstage_.empty()) fs::remove_all(backstage_, ignored);
}

// None of the user's settings: the demo leaves every other storage alone.
std::vector<std::pair<std::string, std::string>> DemoStage::environment() const {
  const char* path = std::getenv("PATH");
  return {{"PATH", path != nullptr ? path : "/usr/bin:/bin"},
          {"LC_ALL", "C.UTF-8"},
          {"HOME", backstage_.string()},
          {"S3LOADTEST_LOG_DIR", directory_.string()},
          {"S3LOADTEST_KEY_DIR", backstage_.string()}};
}

Result<Child> DemoStage::serve(std::vector<std::string> arguments) {
  const fs::path out = backstage_ / "serve.out", err = backstage_ / "serve.err";
  std::vector<std::string> command{program(), "serve", "--env", (backstage_ / "env").string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto server = Child::start({.command = command, .environment = environment(), .out = out, .err = err});
  if (!server) return server;
  const TimePoint deadline = now() + patience_for_a_server;
  while (text_of(out).find("READY ") == std::string::npos) {
    if (server->wait(now() + look_again)) {
      return unavailable(fmt::format("the embedded server did not start: {}", last_line(err)));
    }
    if (*interrupts_ > 0) return std::unexpected(interrupted());
    if (now() > deadline)
      return unavailable("the embedded server did not start within 20 s; is this machine busy?");
  }
  return server;
}

Result<DemoRun> DemoStage::run(const std::string& name, std::vector<std::string> arguments) {
  const fs::path directory = directory_ / name;
  const fs::path out = backstage_ / "run.out", err = backstage_ / "run.err";
  std::vector<std::string> command{program(), "run"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  for (const std::string& more : {std::string("--env"), (backstage_ / "env").string(), std::string("--out"),
                                  directory.string(), std::string("--json")}) {
    command.push_back(more);
  }
  auto child = Child::start({.command = command, .environment = environment(), .out = out, .err = err});
  if (!child) return std::unexpected(child.error());
  Progress progress(isatty(STDERR_FILENO) != 0);
  const TimePoint begin = now();
  while (!child->wait(now() + look_again)) {
    progress.say(fmt::format("{}: {:.0f} s", name, to_seconds(now() - begin)));
    if (*interrupts_ > 0) return std::unexpected(interrupted());
    if (now() > begin + patience_for_a_run)
      return unavailable("a run of the demo does not end; is this machine busy?");
  }
  progress.end();
  std::error_code ignored;
  if (!fs::exists(directory / "summary.json", ignored)) {
    return unavailable(fmt::format("a run of the demo ended with {}: {}", *child->status(), last_line(err)));
  }
  return look_at(directory, *child->status());
}

}  // namespace s3lt
