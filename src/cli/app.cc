#include "cli/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "cli/cleanup.h"
#include "cli/console.h"
#include "cli/init_data.h"
#include "cli/patterns.h"
#include "cli/run.h"
#include "cli/run_flags.h"
#include "cli/serve.h"
#include "cli/verify.h"
#include "version.h"

namespace s3lt {
namespace {

constexpr std::string_view help_text =
    "s3loadtest {}: a load tester for S3-compatible storage\n"
    "\n"
    "Usage: s3loadtest COMMAND [options]\n"
    "\n"
    "Commands:\n"
    "  run PATTERN|FILE   run a load here, in the foreground\n"
    "  init-data          write the data files that runs take their content from\n"
    "  cleanup            delete the objects of earlier runs; --dry-run counts only\n"
    "  verify             read back what runs left and check every byte\n"
    "  patterns           list: the built-in patterns; show NAME: one with its comments\n"
    "  serve              an S3 server in memory, to try things out and for tests\n"
    "\n"
    "`s3loadtest COMMAND --help` shows the options of a command. Settings come from the\n"
    "environment or from .env; .env.example shows them.\n"
    "\n"
    "Start here: ./quickstart\n";

constexpr std::array<std::string_view, 6> command_names{"run",    "init-data", "cleanup",
                                                        "verify", "patterns",  "serve"};
template <class Range>
bool holds(const Range& range, std::string_view text) {
  return std::find(range.begin(), range.end(), text) != range.end();
}

// The commands' flags that take a value, so that a value is not taken for a word.
std::vector<std::string> value_flags() {
  CLI::App run, serve, init_data, cleanup, verify;
  RunFlags run_flags;
  ServeFlags serve_flags;
  InitDataFlags init_data_flags;
  CleanupFlags cleanup_flags;
  add_run_flags(run, run_flags);
  add_serve_flags(serve, serve_flags);
  add_init_data_flags(init_data, init_data_flags);
  VerifyFlags verify_flags;
  add_cleanup_flags(cleanup, cleanup_flags);
  add_verify_flags(verify, verify_flags);
  std::vector<std::string> names;
  for (const CLI::App* app : {&run, &serve, &init_data, &cleanup, &verify}) {
    for (const CLI::Option* option : app->get_options()) {
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
int dispatch(const std::string& command, std::vector<std::string> arguments) {
  CLI::App app("", "s3loadtest " + command);
  app.get_formatter()->column_width(34);
  RunFlags run;
  ServeFlags serve;
  InitDataFlags init_data;
  CleanupFlags cleanup;
  VerifyFlags verify;
  std::vector<std::string> words;
  std::function<int()> call;
  if (command == "run") {
    app.description("Runs a load here, in the foreground, until its duration is over or Ctrl-C.");
    app.add_option("PATTERN", words, "a built-in pattern (see `patterns list`), or a pattern file");
    add_run_flags(app, run);
    call = [&] {
      if (words.size() != 1) {
        return fail_usage(
            words.empty() ? "run needs a pattern, as in `s3loadtest run baseload`; see `patterns list`"
                          : fmt::format("run takes one pattern, not {}: start a run for each", words.size()));
      }
      run.pattern = words[0];
      return run_command(run);
    };
  } else if (command == "init-data") {
    app.description(
        "Writes the data files into S3LOADTEST_DATA_DIR: pseudo-random bytes, the same on every machine. "
        "Good "
        "files are kept, others of the same name replaced.");
    add_init_data_flags(app, init_data);
    call = [&] { return init_data_command(init_data); };
  } else if (command == "cleanup") {
    app.description("Deletes what load testers left under a prefix, and nothing else.");
    add_cleanup_flags(app, cleanup);
    call = [&] { return cleanup_command(cleanup); };
  } else if (command == "verify") {
    app.description("Reads back every object that runs left under a prefix and checks each byte.");
    add_verify_flags(app, verify);
    call = [&] { return verify_command(verify); };
  } else if (command == "serve") {
    app.description("Serves S3 from memory, in the foreground, until SIGTERM or Ctrl-C (docs/serve.md).");
    add_serve_flags(app, serve);
    call = [&] { return serve_command(serve); };
  } else {
    app.description("Shows the built-in patterns.");
    app.add_option("WORDS", words, "list, or show NAME");
    add_common_flags(app, run.common);  // every command takes them
    call = [&] { return patterns_command(words); };
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    return print_and_end(app.help());
  } catch (const CLI::ParseError& error) {
    return fail_usage(sentence_of(error, app, command));
  }
  return call();
}

}  // namespace

int run_app(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (holds(arguments, "--version")) {
    return print_and_end(fmt::format("s3loadtest {}\n", S3LOADTEST_VERSION));
  }
  const std::size_t at = first_word(arguments);
  if (at == arguments.size()) {
    const bool bare = arguments.empty() || holds(arguments, "--help") || holds(arguments, "-h");
    if (!bare) return fail_usage("no command; `s3loadtest` alone shows them");
    return print_and_end(fmt::format(fmt::runtime(help_text), S3LOADTEST_VERSION));
  }
  const std::string command = arguments[at];
  if (!holds(command_names, command)) {
    return fail_usage(
        fmt::format("there is no command \"{}\": {}", command, suggest(command, command_names)));
  }
  arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(at));
  return dispatch(command, std::move(arguments));
}

}  // namespace s3lt
