#include "results/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <map>
#include <random>
#include <tuple>

#include "results/interval_lines.h"
#include "results/junit_xml.h"
#include "results/line_file.h"
#include "results/sample_lines.h"
#include "results/summary_json.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace {

constexpr unsigned samples_of_a_kind = 10;
constexpr std::size_t most_error_kinds = 1000;
constexpr std::string_view other_place =
    "; choose a place that can be written with --out or S3LOADTEST_LOG_DIR";
constexpr std::string_view place_with_room = "; make room there, or choose another place with --out";
// Of a disk, for the summary: what a summary of many patterns takes.
constexpr off_t summary_room = 1 << 20;
constexpr off_t least_summary_room = 4096;

// The pattern as a part of file names: of a file its name without folders and ".toml".
std::string file_word(const std::string& pattern) {
  std::string word = fs::path(pattern).stem().string();
  for (char& c : word) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  }
  return word.empty() ? "run" : word;
}

std::string new_id(const RunInfo& info) {
  std::random_device random;
  return fmt::format("{}-{}-W{}-{:04x}", format_basic_utc(info.started), file_word(info.pattern), info.worker,
                     random() & 0xffff);
}

// Adds what the user can do about it.
std::unexpected<Error> with_remedy(Error error) {
  error.message += error.kind == ErrorKind::unavailable ? place_with_room : other_place;
  return std::unexpected(std::move(error));
}

Result<void> make_parents(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error) return {};
  errno = error.value();
  return with_remedy(system_failure("create the directory", directory));
}

// Room on the disk that only closing the descriptor gives back, under no name; -1 where there is no such
// thing.
int reserve_room(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  // Of a disk that is nearly full, what is there: most summaries take a few KiB.
  for (off_t room = summary_room; room >= least_summary_room; room /= 2) {
    if (::fallocate(fd, 0, 0, room) == 0) return fd;
  }
  ::close(fd);
  return -1;
}

std::string hlog_header(const RunInfo& info) {
  return fmt::format(
      "#[Response times of ok operations in microseconds, Tag=<pattern>.<operation>; Interval_Max in "
      "milliseconds]\n"
      "#[Histogram log format version 1.3]\n"
      "#[StartTime: {}.{:03} (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      unix_micros(info.started) / 1'000'000, unix_micros(info.started) / 1000 % 1000,
      format_rfc3339(info.started));
}

}  // namespace

struct RunDirectory::Impl {
  fs::path path;
  LineFile series, histograms, errors;
  IntervalLines intervals;
  bool made_directory = false;
  int room = -1;  // for the summary, so that a disk that fills meanwhile does not cost it
  // Every thread offers its first errors of a kind; the run shows the first of all of them.
  std::map<std::tuple<std::string, std::string, Outcome, int, std::string>, unsigned> error_kinds;

  ~Impl() { release_room(); }
  void release_room() {
    if (room >= 0) ::close(room);
    room = -1;
  }

  Result<void> open(const RunInfo& info) {
    auto done = create_files(info);
    if (!done) return give_up(std::move(done.error()));
    room = reserve_room(path);
    return {};
  }
  // Nothing half-made stays behind.
  std::unexpected<Error> give_up(Error error) {
    release_room();
    ::unlink((path / "run.json").c_str());  // there was none before
    for (LineFile* file : {&series, &errors, &histograms}) file->remove();
    if (made_directory) ::rmdir(path.c_str());
    return with_remedy(std::move(error));
  }
  Result<void> create_files(const RunInfo& info) {
    if (auto done = write_atomically(path / "run.json", run_json(info) + "\n"); !done) return done;
    if (auto done = series.open(path / "series.jsonl"); !done) return done;
    if (auto done = errors.open(path / "errors.jsonl"); !done) return done;
    if (auto done = histograms.open(path / "histograms.hlog"); !done) return done;
    return histograms.write(hlog_header(info));
  }

  bool wanted(const OperationSample& sample) {
    auto kind = std::tuple(sample.pattern, sample.operation, sample.outcome, sample.status,
                           std::string(sample.reason()));
    if (error_kinds.size() >= most_error_kinds && !error_kinds.contains(kind)) return false;
    return ++error_kinds[std::move(kind)] <= samples_of_a_kind;
  }
};

RunDirectory::RunDirectory() : impl_(std::make_unique<Impl>()) {}
RunDirectory::~RunDirectory() = default;

const fs::path& RunDirectory::path() const {
  return impl_->path;
}
fs::path RunDirectory::log_path() const {
  return impl_->path / "run.log";
}

Result<std::unique_ptr<RunDirectory>> RunDirectory::create(const fs::path& log_dir, RunInfo& info) {
  if (info.started == WallTime{}) info.started = wall_now();
  if (auto made = make_parents(log_dir); !made) return std::unexpected(made.error());
  const bool id_given = !info.id.empty();
  fs::path path;
  // Two runs that start in the same second may draw the same four digits.
  for (int tries = 0;; ++tries) {
    if (!id_given) info.id = new_id(info);
    path = log_dir / info.id;
    if (::mkdir(path.c_str(), 0755) == 0) break;
    if (errno != EEXIST || id_given || tries == 20) {
      return with_remedy(system_failure("create the run directory", path));
    }
  }
  std::unique_ptr<RunDirectory> directory(new RunDirectory);
  directory->impl_->path = path;
  directory->impl_->made_directory = true;
  if (auto opened = directory->impl_->open(info); !opened) return std::unexpected(opened.error());

  const std::string log_link = fmt::format("loadtest_{}_{}.log", file_word(info.pattern), info.worker);
  if (auto linked = replace_link(log_dir / "latest", info.id, info.id); !linked) {
    return directory->impl_->give_up(std::move(linked.error()));
  }
  const fs::path log = fs::path(info.id) / directory->log_path().filename();
  if (auto linked = replace_link(log_dir / log_link, log, info.id); !linked)
    return directory->impl_->give_up(std::move(linked.error()));
  return directory;
}

Result<std::unique_ptr<RunDirectory>> RunDirectory::create_at(const fs::path& path, RunInfo& info) {
  if (info.started == WallTime{}) info.started = wall_now();
  if (info.id.empty()) info.id = new_id(info);
  std::error_code ignored;
  const bool was_there = fs::exists(path, ignored);
  if (auto made = make_parents(path); !made) return std::unexpected(made.error());
  for (const char* file : {"run.json", "series.jsonl", "summary.json"}) {
    if (!fs::exists(path / file, ignored)) continue;
    return usage_error(fmt::format(
        "{} holds a run already ({}); name another directory with --out, or remove it", path.string(), file));
  }
  std::unique_ptr<RunDirectory> directory(new RunDirectory);
  directory->impl_->path = path;
  directory->impl_->made_directory = !was_there;
  if (auto opened = directory->impl_->open(info); !opened) return std::unexpected(opened.error());
  return directory;
}

Result<void> RunDirectory::append(const Snapshot& second) {
  const IntervalText intervals = impl_->intervals.add(second);
  if (auto done = impl_->histograms.write(intervals.histograms); !done) return done;
  std::string lines;
  for (const OperationSample& sample : second.errors) {
    if (impl_->wanted(sample)) lines += error_line(sample) + "\n";
  }
  if (auto done = impl_->errors.write(lines); !done) return done;
  return impl_->series.write(intervals.series);
}

Result<void> RunDirectory::finish(const RunResult& result) {
  // First, so that it gets the room that was kept for it; the rest follows from the seconds.
  impl_->release_room();
  if (auto done = write_atomically(impl_->path / "summary.json", summary_json(result) + "\n"); !done)
    return done;
  const IntervalText intervals = impl_->intervals.finish();
  if (auto done = impl_->series.write(intervals.series); !done) return done;
  if (auto done = impl_->histograms.write(intervals.histograms + total_histogram_lines(result.total)); !done)
    return done;
  std::string slowest;
  for (const OperationSample& sample : result.total.slowest) slowest += slowest_line(sample) + "\n";
  if (auto done = impl_->errors.write(slowest); !done) return done;
  if (result.slos.empty()) return {};
  return write_atomically(impl_->path / "junit.xml", junit_xml(result));
}

}  // namespace s3lt
