#include "cli/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

#include "base/units.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "cli/report.h"
#include "cli/settings_of.h"
#include "report/comparison_text.h"
#include "report/html_report.h"
#include "report/report_data.h"
#include "results/change_rule.h"
#include "results/json_text.h"
#include "results/line_file.h"

namespace s3lt {
namespace json = boost::json;
namespace {

struct LoadedRun {
  RunReader reader;
  RebuiltRun run;
};

Result<LoadedRun> load(const std::filesystem::path& directory) {
  auto reader = RunReader::open(directory);
  if (!reader) return std::unexpected(reader.error());
  auto run = rebuild_run(*reader);
  if (!run) return std::unexpected(run.error());
  return LoadedRun{std::move(*reader), std::move(*run)};
}

std::string describe(const LoadedRun& of) {
  const RunInfo& info = of.run.result.info;
  return fmt::format("{} ({}, {}{})", info.id, info.pattern,
                     format_duration(seconds(std::round(of.run.result.seconds * 10) / 10)),
                     of.run.ended     ? ""
                     : of.run.goes_on ? ", still going"
                                      : ", did not end");
}

json::object object_of(const Comparison& comparison, const LoadedRun& a, const LoadedRun& b,
                       const std::vector<RuleResult>& rules, const std::vector<std::string>& differences) {
  json::object out = comparison_object(comparison, {a.reader, a.run}, {b.reader, b.run});
  json::array results, forced;
  for (const RuleResult& result : rules) {
    const bool told = result.worst != nullptr && std::isfinite(result.worst->change);
    results.push_back(
        json::object{{"expression", result.rule->text},
                     {"passed", !result.failed},
                     {"told", result.untold == nullptr},
                     {"change", told ? json::value(result.worst->change) : json::value(nullptr)}});
  }
  for (const std::string& difference : differences) forced.emplace_back(difference);
  out["fail_if"] = std::move(results);
  out["forced_past"] = std::move(forced);
  out["different"] = std::ranges::any_of(comparison.figures, &ComparedFigure::different);
  out["verdict"] = comparison_verdict(comparison);
  return out;
}

Result<void> write_page(const std::string& file, const json::object& comparison, const LoadedRun& a,
                        const LoadedRun& b) {
  json::array runs;
  for (const LoadedRun* of : {&a, &b}) {
    auto data = report_data(of->reader, of->run, phases_of_run(of->reader, of->run));
    if (!data) return std::unexpected(data.error());
    runs.push_back(std::move(*data));
  }
  return write_atomically(
      file, report_html("comparison - s3loadtest", {{"comparison", comparison}, {"runs", runs}}));
}

}  // namespace

void add_compare_flags(CLI::App& app, CompareFlags& flags) {
  app.add_option("DIRS", flags.words, "two run directories, or names of them in the log directory (latest)");
  add_common_flags(app, flags.common);
  add_flag_value(
      app, "--fail-if",
      [&flags](const std::string& text) -> Result<void> {
        auto rule = parse_change_rule(text);
        if (!rule) return std::unexpected(rule.error());
        flags.fail_if.push_back(std::move(*rule));
        return {};
      },
      "exit status 1 where a change is beyond this and no chance, as in 'GET.p99 > +10%' (repeatable)",
      "EXPR");
  add_value(app, "--html", flags.html, as_file, "a page with both runs overlaid", "FILE");
  app.add_flag("--force", flags.force, "compare runs of different settings, too");
  app.add_flag("--json", flags.json, "the comparison as JSON on stdout");
}

int compare_command(const CompareFlags& flags) {
  if (flags.words.size() != 2)
    return fail_usage(
        fmt::format("compare takes two run directories, not {}, as in `s3loadtest compare logs/A logs/B`",
                    flags.words.size()));
  const auto settings = local_settings(flags.common);
  if (!settings) return fail(settings.error());
  const auto a = load(find_run(*settings, flags.words[0])), b = load(find_run(*settings, flags.words[1]));
  for (const auto* run : {&a, &b}) {
    if (!*run) return fail(run->error());
  }
  const std::vector<std::string> differences = incomparable(a->reader, b->reader);
  if (!differences.empty() && !flags.force) {
    return fail_usage(fmt::format("these runs did not do the same: {}; --force compares them all the same",
                                  fmt::join(differences, "; ")));
  }
  const auto comparison = compare_runs({a->reader, a->run}, {b->reader, b->run});
  if (!comparison) return fail(comparison.error());
  for (const ChangeRule& rule : flags.fail_if) {
    if (const auto known = check_rule(rule, *comparison); !known)
      return fail_usage("--fail-if: " + known.error().message);
  }
  const std::vector<RuleResult> results = apply_rules(flags.fail_if, *comparison);
  const json::object object = object_of(*comparison, *a, *b, results, differences);
  if (!flags.html.empty()) {
    if (const auto written = write_page(flags.html, object, *a, *b); !written) return fail(written.error());
  }
  const int printed =
      print_and_end(flags.json ? json_text(object) + "\n"
                               : comparison_text(*comparison, {describe(*a), describe(*b), differences},
                                                 results, style_of_stdout()));
  if (printed != 0) return printed;
  return std::ranges::any_of(results, &RuleResult::failed) ? 1 : 0;
}

}  // namespace s3lt
