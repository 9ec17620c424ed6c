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

namespace s3lt {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

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

const std::string& environment_or(const char* name, const std::string& otherwise, std::string& room) {
  const char* value = std::getenv(name);
  room = value != nullptr && *value != '\0' ? value : otherwise;
  return room;
}

Error interrupted() {
  return {ErrorKind::usage, "interrupted"};
}

// What a tag of a histogram log holds.
Histogram logged(const fs::path& log, std::string_view tag) {
  std::ifstream lines(log);
  const std::string start = fmt::format("Tag={},", tag);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(start)) continue;
    if (auto histogram = Histogram::decode_compressed_base64(line.substr(line.rfind(',') + 1)))
      return *histogram;
  }
  return {};
}

DemoRun::Wrong first_wrong(const fs::path& errors) {
  std::ifstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    const json::object error = json::parse(line).as_object();
    if (!error.contains("offset")) continue;
    const auto text = [&](const char* field) { return std::string(error.at(field).as_string()); };
    return {text("key"),
            text("kind"),
            text("expected"),
            text("found"),
            error.at("offset").to_number<std::uint64_t>(),
            error.at("status").to_number<int>()};
  }
  return {};
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
  std::string room;
  std::string backstage = environment_or("TMPDIR", "/tmp", room) + "/s3loadtest-demo-XXXXXX";
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
  std::string room;
  return {{"PATH", environment_or("PATH", "/usr/bin:/bin", room)},
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

Result<DemoRun> DemoStage::look_at(const fs::path& directory, int status) const {
  const json::value summary = json::parse(text_of(directory / "summary.json"));
  const auto text = [&](const char* pointer) { return std::string(summary.at_pointer(pointer).as_string()); };
  DemoRun run{.directory = directory,
              .status = status,
              .seconds = summary.at_pointer("/run/seconds").to_number<double>(),
              .busiest_thread = summary.at_pointer("/client/busiest_thread").to_number<double>(),
              .bottleneck = text("/verdict/bottleneck"),
              .why = text("/verdict/why")};
  for (const auto& [pattern, figures] : summary.at("patterns").as_object()) {
    run.reads += figures.at_pointer("/verified/checked").to_number<std::uint64_t>();
    run.corrupt += figures.at_pointer("/verified/corrupt").to_number<std::uint64_t>();
    for (const auto& [operation, of] : figures.at("operations").as_object()) {
      if (operation != "TRIM") run.count += of.at("count").to_number<std::uint64_t>();
    }
    for (const char* operation : {"GET", "PUT"}) {
      const std::string tag = fmt::format("total.{}.{}", std::string_view(pattern), operation);
      run.response.add(logged(directory / "histograms.hlog", tag));
    }
  }
  run.wrong = first_wrong(directory / "errors.jsonl");
  return run;
}

}  // namespace s3lt
