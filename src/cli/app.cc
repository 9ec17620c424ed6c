#include "cli/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "cli/check.h"
#include "cli/cleanup.h"
#include "cli/compare.h"
#include "cli/console.h"
#include "cli/demo.h"
#include "cli/init_data.h"
#include "cli/patterns.h"
#include "cli/proxy_request.h"
#include "cli/report.h"
#include "cli/run.h"
#include "cli/run_flags.h"
#include "cli/run_proxy.h"
#include "cli/serve.h"
#include "cli/verify.h"
#include "version.h"

namespace s3lt {
namespace {

// A command: its line in the help, and how it takes its flags. What `set_up` returns carries it out, once the
// flags are parsed.
struct Command {
  std::string_view name, arguments, summary, description;
  std::function<int()> (*set_up)(CLI::App& app);
};

std::function<int()> set_up_run(CLI::App& app) {
  auto flags = std::make_shared<RunFlags>();
  auto words = std::make_shared<std::vector<std::string>>();
  app.add_option("PATTERN", *words, "a built-in pattern (see `patterns list`), or a pattern file");
  add_run_flags(app, *flags);
  return [flags, words] {
    if (words->size() != 1) {
      return fail_usage(
          words->empty() ? "run needs a pattern, as in `s3loadtest run baseload`; see `patterns list`"
                         : fmt::format("run takes one pattern, not {}: start a run for each", words->size()));
    }
    flags->pattern = words->front();
    return run_command(*flags);
  };
}

std::function<int()> set_up_patterns(CLI::App& app) {
  auto flags = std::make_shared<CommonFlags>();  // every command takes them
  auto words = std::make_shared<std::vector<std::string>>();
  app.add_option("WORDS", *words, "list, or show NAME");
  add_common_flags(app, *flags);
  return [flags, words] { return patterns_command(*words); };
}

// Of a command with flags alone.
template <class Flags, void add(CLI::App&, Flags&), int call(const Flags&)>
std::function<int()> set_up_flags(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  add(app, *flags);
  return [flags] { return call(*flags); };
}

constexpr std::array<Command, 10> commands{{
    {"run", "PATTERN|FILE", "run a load here, in the foreground",
     "Runs a load here, in the foreground, until its duration is over or Ctrl-C.", set_up_run},
    {"check", "", "what the endpoints can do, and what is wrong with them",
     "Says of each endpoint what it can do and what is wrong with it; writes a few small objects under the "
     "prefix, "
     "and deletes them again.",
     set_up_flags<CheckFlags, add_check_flags, check_command>},
    {"report", "[DIR]", "show a run again: text, --json, and report.html",
     "Shows a run again from the directory that it left, also where it was killed: prints the summary and "
     "writes "
     "report.html into it.",
     set_up_flags<ReportFlags, add_report_flags, report_command>},
    {"compare", "A B", "two runs side by side, and whether they differ",
     "Compares two runs by their directories: a change is told as a difference only where it is more than 3% "
     "and more "
     "than chance.",
     set_up_flags<CompareFlags, add_compare_flags, compare_command>},
    {"init-data", "", "write the data files that runs take their content from",
     "Writes the data files into S3LOADTEST_DATA_DIR: pseudo-random bytes, the same on every machine. Good "
     "files are kept, others of the same name replaced.",
     set_up_flags<InitDataFlags, add_init_data_flags, init_data_command>},
    {"cleanup", "", "delete the objects of earlier runs; --dry-run counts only",
     "Deletes what load testers left under a prefix, and nothing else.",
     set_up_flags<CleanupFlags, add_cleanup_flags, cleanup_command>},
    {"verify", "", "read back what runs left and check every byte",
     "Reads back every object that runs left under a prefix and checks each byte.",
     set_up_flags<VerifyFlags, add_verify_flags, verify_command>},
    {"patterns", "", "list: the built-in patterns; show NAME: one with its comments",
     "Shows the built-in patterns.", set_up_patterns},
    {"serve", "", "an S3 server in memory, to try things out and for tests",
     "Serves S3 from memory, in the foreground, until SIGTERM or Ctrl-C (docs/serve.md).",
     set_up_flags<ServeFlags, add_serve_flags, serve_command>},
    {"demo", "", "the first five minutes: what this tool shows and others hide",
     "Plays three acts against the embedded server, in about a minute, with the commands to type.",
     set_up_flags<DemoFlags, add_demo_flags, demo_command>},
}};

std::string help_text() {
  std::string text = fmt::format(
      "s3loadtest {}: a load tester for S3-compatible storage\n\n"
      "Usage: s3loadtest COMMAND [options]\n\nCommands:\n",
      S3LOADTEST_VERSION);
  for (const Command& command : commands)
    text +=
        fmt::format("  {:<18} {}\n", fmt::format("{} {}", command.name, command.arguments), command.summary);
  return text +
         "\n"
         "`s3loadtest COMMAND --help` shows the options of a command. Settings come from the\n"
         "environment or from .env; .env.example shows them.\n"
         "\n"
         "Start here: ./quickstart\n";
}

template <class Range>
bool holds(const Range& range, std::string_view text) {
  return std::find(range.begin(), range.end(), text) != range.end();
}

// The commands' flags that take a value, so that a value is not taken for a word.
std::vector<std::string> value_flags() {
  std::vector<std::string> names;
  for (const Command& command : commands) {
    CLI::App app;
    const auto call = command.set_up(app);
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_items_expected_max() == 0) continue;
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

// The index of the first word that is no option and no option's value; arguments.size() where there is none.
std::size_t first_word(const std::vector<std::string>& arguments) {
  const std::vector<std::string> with_value = value_flags();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with('-')) return i;
    if (holds(with_value, arguments[i])) ++i;
  }
  return arguments.size();
}

// What CLI11 found wrong, as a sentence of ours.
std::string sentence_of(const CLI::ParseError& error, CLI::App& app, const std::string& command) {
  const std::string words = error.what();
  const std::string flag = words.substr(0, words.find(':'));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    if (words.find("flag override") != words.npos) {
      return fmt::format("--{} takes no value; see s3loadtest {} --help", words.substr(0, words.find(' ')),
                         command);
    }
    return fmt::format("{} needs a value; see s3loadtest {} --help", flag, command);
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    return fmt::format("{}; see s3loadtest {} --help", words, command);
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return words;
  const std::vector<std::string> extras = app.remaining();
  const std::string& extra = extras.empty() ? command : extras.front();
  if (!extra.starts_with('-')) return fmt::format("{} does not know what to do with \"{}\"", command, extra);
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  const std::vector<std::string_view> known(flags.begin(), flags.end());
  const std::string name = extra.substr(0, extra.find('='));
  const std::string_view best = nearest(name, known);
  // Half of its letters wrong is no misspelling any more.
  if (edit_distance(name, best) > std::max<std::size_t>(1, name.size() / 2)) {
    return fmt::format("{} has no flag {}; s3loadtest {} --help shows all", command, name, command);
  }
  return fmt::format("{} has no flag {}: did you mean \"{}\"? (s3loadtest {} --help shows all)", command,
                     name, best, command);
}

// Parses the command's own arguments and calls it.
int dispatch(const Command& command, std::vector<std::string> arguments) {
  CLI::App app(std::string(command.description), fmt::format("s3loadtest {}", command.name));
  app.get_formatter()->column_width(34);
  const std::function<int()> call = command.set_up(app);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return print_and_end(app.help());
  } catch (const CLI::ParseError& error) {
    return fail_usage(sentence_of(error, app, std::string(command.name)));
  }
  return call();
}

}  // namespace

int run_app(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (holds(arguments, "--version")) {
    return print_and_end(fmt::format("s3loadtest {}\n", S3LOADTEST_VERSION));
  }
  // A process that runs start for themselves: not in the help.
  if (!arguments.empty() && arguments.front() == keeper_command)
    return keep_s3pool_command({arguments.begin() + 1, arguments.end()});
  const std::size_t at = first_word(arguments);
  if (at == arguments.size()) {
    const bool bare = arguments.empty() || holds(arguments, "--help") || holds(arguments, "-h");
    if (!bare) return fail_usage("no command; `s3loadtest` alone shows them");
    return print_and_end(help_text());
  }
  const auto command = std::ranges::find(commands, std::string_view(arguments[at]), &Command::name);
  if (command == commands.end()) {
    std::vector<std::string_view> names;
    for (const Command& each : commands) names.push_back(each.name);
    return fail_usage(
        fmt::format("there is no command \"{}\": {}", arguments[at], suggest(arguments[at], names)));
  }
  arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
  return dispatch(*command, std::move(arguments));
}

}  // namespace s3lt
