#include "cli/init_data.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "base/clock.h"
#include "base/units.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "cli/limits.h"
#include "cli/settings_of.h"
#include "data/data_file.h"
#include "data/init_data.h"

namespace s3lt {
namespace {

// Where no bar is shown, a line of progress so often.
constexpr auto line_period = std::chrono::seconds(5);
constexpr std::uint64_t largest_data_file = 1 * TiB;

std::atomic<bool> stopped = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

void on_signal(int) {
  stopped = true;
}

// "10MB", or several: "10MB,1GB".
Result<void> take_sizes(std::vector<std::uint64_t>& sizes, const std::string& text) {
  std::string_view rest = text;
  for (;;) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const auto bytes = parse_size(item);
    if (!bytes) return std::unexpected(bytes.error());
    if (*bytes == 0) return usage_error(fmt::format("\"{}\" is too small: at least 1 byte", item));
    if (*bytes > largest_data_file) {
      return usage_error(fmt::format("\"{}\" is too large: a data file has at most {}", item,
                                     format_size(largest_data_file)));
    }
    if (std::ranges::find(sizes, *bytes) == sizes.end()) sizes.push_back(*bytes);
    if (comma == rest.npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

// A bar on a terminal, a log line now and then elsewhere.
class ProgressView {
 public:
  explicit ProgressView(bool live) : live_(live) {}
  void show(const InitDataProgress& progress) {
    if (!live_) {
      if (now() - last_line_ < line_period) return;
      last_line_ = now();
      log_info(text(progress));
      return;
    }
    winsize size{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    const std::string words = text(progress);
    const std::size_t columns = known ? size.ws_col : 80;
    const std::size_t room =
        columns > words.size() + 4 ? std::min<std::size_t>(columns - words.size() - 4, 40) : 0;
    const std::size_t filled = progress.total == 0 ? room : room * progress.done / progress.total;
    write(fmt::format("\r\x1b[K[{}{}] {}", std::string(filled, '#'), std::string(room - filled, ' '), words));
    shown_ = true;
  }
  void clear() {
    if (shown_) write("\r\x1b[K");
    shown_ = false;
  }

 private:
  static void write(const std::string& line) {
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // nobody looks any more
  }
  static std::string text(const InitDataProgress& p) {
    const std::uint64_t percent = p.total == 0 ? 100 : p.done * 100 / p.total;
    return fmt::format("{}% of {}", percent, format_size(p.total));
  }
  bool live_, shown_ = false;
  TimePoint last_line_ = now();
};

std::string describe(const std::vector<DataFile>& files, const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const DataFile& f : files) bytes += f.bytes;
  const auto count = [&](DataFile::State state) {
    return std::ranges::count(files, state, &DataFile::state);
  };
  return fmt::format("{} data file{}, {}, in {}: {} written, {} replaced, {} good already\n", files.size(),
                     files.size() == 1 ? "" : "s", format_size(bytes), directory,
                     count(DataFile::State::written), count(DataFile::State::replaced),
                     count(DataFile::State::kept));
}

}  // namespace

void add_init_data_flags(CLI::App& app, InitDataFlags& flags) {
  add_common_flags(app, flags.common);
  add_flag_value(
      app, "--size", [&flags](const std::string& text) { return take_sizes(flags.sizes, text); },
      "only files of this size, as in 1MB or 1MB,1GB (repeatable)", "SIZE", "1KB,10KB,100KB,1MB,10MB,100MB");
  add_value(
      app, "--log-level", flags.log_level, [](const std::string& text) { return parse_log_level(text); },
      "DEBUG, INFO, WARNING or ERROR", "LEVEL", "INFO");
}

int init_data_command(const InitDataFlags& flags) {
  end_when_out_of_memory();
  const auto settings = local_settings(flags.common);
  if (!settings) return fail(settings.error());
  const bool live = isatty(STDERR_FILENO) != 0 && !settings->log_json;
  configure_log({.level = flags.log_level.value_or(settings->log_level.value_or(LogLevel::info)),
                 .json = settings->log_json,
                 .colour = live && std::getenv("NO_COLOR") == nullptr});
  for (const std::string& warning : settings->warnings) log_warning(warning);

  struct sigaction action{};
  action.sa_handler = on_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes (ulimit -f) is an error like a full disk
  const std::vector<std::uint64_t> sizes =
      flags.sizes.empty() ? std::vector(default_data_sizes.begin(), default_data_sizes.end()) : flags.sizes;
  ProgressView view(live);
  const auto files =
      init_data(settings->data_dir, sizes, [&](const InitDataProgress& p) { view.show(p); }, stopped);
  view.clear();
  if (!files) {
    const int status = fail(files.error());
    return stopped ? 130 : status;
  }
  for (const DataFile& file : *files) {
    if (file.state != DataFile::State::replaced) continue;
    log_warning(
        fmt::format("{} held other bytes (those of an earlier version of this tool?) and was replaced",
                    (settings->data_dir / file.name).string()));
  }
  return print_and_end(describe(*files, settings->data_dir.string()));
}

}  // namespace s3lt
