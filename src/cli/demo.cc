#include "cli/demo.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "cli/console.h"
#include "cli/demo_stage.h"
#include "cli/flag_parsing.h"
#include "cli/interrupts.h"
#include "cli/settings_of.h"
#include "report/table.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Whoever waits so long has noticed.
constexpr std::int64_t noticed_us = 100'000;
constexpr unsigned widest = 100;  // a line that is read with ease

std::uint64_t slower_than(const Histogram& histogram, std::int64_t micros) {
  std::uint64_t n = 0;
  for (int i = Histogram::index_of(micros); i < Histogram::counts_length; ++i) n += histogram.count_at(i);
  return n;
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  return fmt::format("{:.{}f}%",
                     100 * static_cast<double>(part) / static_cast<double>(std::max<std::uint64_t>(whole, 1)),
                     part * 100 < whole ? 3 : 0);
}

// A word of a command as a shell takes it.
std::string quoted(const std::string& word) {
  return word.find_first_of("*;& ") == word.npos ? word : "'" + word + "'";
}

class Demo {
 public:
  explicit Demo(DemoStage stage) : stage_(std::move(stage)), style_(style_of_stdout()) {
    style_.width = std::min(style_.width, widest);
  }

  Result<void> play() {
    if (auto done = frozen_storage(); !done) return done;
    if (auto done = flipped_byte(); !done) return done;
    return overloaded_client();
  }
  const std::vector<fs::path>& directories() const { return directories_; }

 private:
  Result<void> frozen_storage();
  Result<void> flipped_byte();
  Result<void> overloaded_client();

  void title(std::string_view text) { say_raw("\n" + in_tone(text, Tone::strong, style_.colour) + "\n"); }
  void say(std::string_view text, Tone tone = Tone::plain) {
    say_raw(wrapped(text, style_.width, 2, tone, style_.colour));
  }
  void say_raw(std::string_view text) {
    if (printed_) printed_ = print(text);
  }
  void show_command(std::string_view command, const Words& arguments) {
    std::string line = fmt::format("  $ s3loadtest {}", command);
    for (const std::string& word : arguments) line += " " + quoted(word);
    say_raw(in_tone(line, Tone::dim, style_.colour) + "\n");
  }
  Result<Child> serve(const Words& arguments) {
    show_command("serve", arguments);
    return stage_.serve(arguments);
  }
  Result<DemoRun> run(const std::string& name, const Words& arguments) {
    show_command("run", arguments);
    auto run = stage_.run(name, arguments);
    if (run) directories_.push_back(run->directory);
    return run;
  }

  DemoStage stage_;
  TextStyle style_;
  std::vector<fs::path> directories_;
  Result<void> printed_;
};

Result<void> Demo::frozen_storage() {
  title("1. A storage that stands still for 2 seconds");
  say("Twice the same storage and the same freeze. First a closed loop: each of 8 clients begins its next "
      "operation when the last one is done. Then an open loop: 500 users a second arrive, whatever the "
      "storage does.");
  const Words freeze{"--fault", "*:freeze=2s,after=4s"};
  const Words base{"baseload", "--size", "1KB", "--prefill", "100", "--duration", "10s"};
  Words closed_words = base, open_words = base;
  closed_words.insert(closed_words.end(), {"--concurrency", "8"});
  open_words.insert(open_words.end(), {"--rate", "500/s"});
  Table table{.header = {"", "operations", "p50", "p99", "p99.9", "max", "over 100ms"}};
  const auto row = [&](std::string label, const DemoRun& run) {
    const Histogram& h = run.response;
    table.rows.push_back({{std::move(label)},
                          {format_count(h.count())},
                          {format_latency(h.percentile(50))},
                          {format_latency(h.percentile(99))},
                          {format_latency(h.percentile(99.9))},
                          {format_latency(h.max())},
                          {share(slower_than(h, noticed_us), h.count())}});
  };
  std::uint64_t late = 0, arrived = 0;
  std::int64_t p99 = 0;
  {
    const auto server = serve(freeze);
    if (!server) return std::unexpected(server.error());
    const auto closed = run("closed-loop", closed_words);
    if (!closed) return std::unexpected(closed.error());
    row("closed loop", *closed);
    p99 = closed->response.percentile(99);
  }
  {
    const auto server = serve(freeze);
    if (!server) return std::unexpected(server.error());
    const auto open = run("open-loop", open_words);
    if (!open) return std::unexpected(open.error());
    row("open loop", *open);
    late = slower_than(open->response, noticed_us);
    arrived = open->response.count();
  }
  say_raw("\n" + render(table, style_) + "\n");
  say(fmt::format(
      "The storage was gone for 2 of 10 seconds. The closed loop says p99 {}: while it waited, nothing "
      "began, so nothing was late. The open loop keeps the moment at which each user meant to begin: {} of "
      "{} waited longer than 100 ms.",
      format_latency(p99), format_count(late), format_count(arrived)));
  return printed_;
}

Result<void> Demo::flipped_byte() {
  title("2. One byte that is not what was written");
  say("A storage that flips one bit of one read, with the right status, length and ETag. Content follows "
      "from the key, so every byte can be checked, by any client, at the speed of memory.");
  const auto server = serve({"--fault", "GET:flip:every=200"});
  if (!server) return std::unexpected(server.error());
  const auto checked = run("flipped-byte", {"baseload", "--size", "1MB", "--prefill", "50", "--operations",
                                            "400", "--concurrency", "4", "--verify", "all"});
  if (!checked) return std::unexpected(checked.error());
  const DemoRun::Wrong& wrong = checked->wrong;
  if (wrong.key.empty()) return unavailable("the demo's flipped byte was not found; please report this");
  say_raw("\n");
  say(fmt::format("checked   {} reads of 1 MiB, {} corrupt", format_count(checked->reads),
                  format_count(checked->corrupt)));
  say(fmt::format("key       {}", wrong.key));
  say(fmt::format("answer    {}, {}", wrong.status, wrong.kind));
  say(fmt::format("offset    {}", format_count(wrong.offset)));
  say(fmt::format("expected  {} ...", wrong.expected));
  say(fmt::format("found     {} ...", wrong.found), Tone::bad);
  say_raw("\n");
  say(fmt::format("The run ended with exit status {}, and errors.jsonl has the key for the storage's log.",
                  checked->status));
  return printed_;
}

Result<void> Demo::overloaded_client() {
  title("3. A client that is the bottleneck itself");
  say("One thread, 512 clients, small objects: this client has more to do than its core can. Its figures say "
      "more about the client than about the storage, and it says so.");
  const auto server = serve({});
  if (!server) return std::unexpected(server.error());
  const auto overloaded =
      run("overloaded-client", {"baseload", "--size", "1KB", "--prefill", "100", "--threads", "1",
                                "--concurrency", "512", "--duration", "8s"});
  if (!overloaded) return std::unexpected(overloaded.error());
  const bool client = overloaded->result.bottleneck.starts_with("client");
  say_raw("\n");
  say(fmt::format("{} operations/s, p50 {}, p99 {}",
                  format_count(static_cast<std::uint64_t>(std::llround(
                      static_cast<double>(overloaded->count) / std::max(overloaded->result.seconds, 0.001)))),
                  format_latency(overloaded->response.percentile(50)),
                  format_latency(overloaded->response.percentile(99))));
  say(fmt::format("limit: {} - {}", overloaded->result.bottleneck, overloaded->result.why),
      client ? Tone::bad : Tone::plain);
  say_raw("\n");
  say(client ? "Do not trust these figures as the storage's: add threads or machines, then measure again."
             : "This time the client was not found to be the limit: this machine had room to spare.");
  return printed_;
}

}  // namespace

void add_demo_flags(CLI::App& command, DemoFlags& flags) {
  command
      .add_option("--out", flags.out, "write the run directories below this one, which must not exist yet")
      ->type_name("DIR")
      ->default_str("<log dir>/<now>-demo");
  add_value(command, "--env", flags.env_file, as_text, "read S3LOADTEST_LOG_DIR from this file", "FILE",
            "./.env, ~/.s3loadtest/.env");
}

int demo_command(const DemoFlags& flags) {
  const volatile std::sig_atomic_t& interrupts = catch_interrupts();
  std::signal(SIGPIPE, SIG_IGN);
  fs::path out = flags.out;
  if (out.empty()) {
    const auto settings = local_settings({.env_file = flags.env_file, .endpoints = {}, .bucket = {}});
    if (!settings) return fail(settings.error());
    out = settings->log_dir / (format_basic_utc(wall_now()) + "-demo");
  }
  auto stage = DemoStage::open(out, interrupts);
  if (!stage) return fail(stage.error());
  Demo demo(std::move(*stage));
  const auto played = demo.play();
  if (interrupts > 0) {
    fail_usage("interrupted: the demo's servers and runs are ended");
    return 130;
  }
  if (!played) return fail(played.error());
  std::string ending = "\nWhat they left, to look at:\n";
  std::error_code ignored;
  for (const fs::path& directory : demo.directories()) {
    const fs::path report = directory / "report.html";
    ending += fmt::format("  {}\n", (fs::exists(report, ignored) ? report : directory).string());
  }
  return print_and_end(ending +
                       "\nAgainst your own storage: copy .env.example to .env, fill it in, then\n  "
                       "s3loadtest run baseload --duration 5m\n");
}

}  // namespace s3lt
