#include "cli/verify.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <csignal>
#include <numeric>
#include <thread>
#include <unordered_set>

#include "base/log.h"
#include "base/units.h"
#include "bucket/verification.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "cli/interrupts.h"
#include "cli/progress.h"
#include "cli/run_plan.h"
#include "cli/settings_of.h"
#include "engine/key_sync.h"
#include "engine/preflight.h"
#include "journal/key_journal.h"
#include "workload/key_shape.h"

namespace s3lt {
namespace {

constexpr std::size_t most_missing_named = 10;

// What the journals of this machine know of the objects under the prefix.
struct Expectation {
  std::unordered_set<std::string> keys;  // that exist
  std::size_t journals = 0;              // that were read
};

enum class Tell { problems, nothing };

Expectation expectation(const Settings& settings, const RunPlan& plan, const std::string& prefix, Tell tell) {
  Expectation out;
  const auto warn = [&](const std::string& problem) {
    if (tell == Tell::problems) log_warning(fmt::format("{}; its keys are not looked for", problem));
  };
  std::vector<std::string> endpoints;
  for (const ResolvedEndpoint& e : plan.storage) endpoints.push_back(e.url);
  const FoundJournals found = KeyJournal::find(settings.key_dir, endpoints, plan.bucket);
  for (const std::string& problem : found.unreadable) warn(problem);
  for (const auto& [path, owner] : found.journals) {
    const std::string stem = fmt::format("{}{}/", owner.prefix, owner.worker);
    if (!stem.starts_with(prefix) && !prefix.starts_with(stem)) continue;
    const auto ledger = KeyJournal::read(path);
    if (!ledger) {
      warn(ledger.error().message);
      continue;
    }
    ++out.journals;
    for (const auto& [name, keys] : ledger->keys()) {
      for (const KeyStamp& key : keys.alive) {
        // What a killed process may have deleted without a word is not expected.
        if (key.micros < ledger->doubt_micros) continue;
        std::string whole = write_key(stem, {name.second, name.first, key});
        if (whole.starts_with(prefix)) out.keys.insert(std::move(whole));
      }
    }
  }
  return out;
}

struct Missing {
  std::string key;
  std::string_view why;
};

struct Verdict {
  VerificationTally tally;
  std::size_t journals = 0;  // that said what should be there
  std::vector<Missing> missing;
  std::uint64_t deleted = 0;  // while they were looked at
  double seconds = 0;

  std::uint64_t corrupt() const {
    return std::accumulate(tally.corrupt.begin(), tally.corrupt.end(), std::uint64_t(0));
  }
  std::uint64_t wrong() const { return corrupt() + tally.truncated + tally.failed + missing.size(); }
};

// Tells what is missing from what somebody deleted meanwhile: who did that has said so by then, and the
// storage lists it no more.
Result<void> look_again(const Settings& settings, const RunPlan& plan, const std::string& prefix,
                        const std::function<bool()>& go_on, Verdict& verdict) {
  const VerificationTally& tally = verdict.tally;
  if (tally.interrupted || (tally.not_found.empty() && tally.not_listed.empty())) return {};
  std::this_thread::sleep_for(2 * KeySync::period);
  const auto listed = still_listed(plan, tally.not_found, go_on);
  if (!listed) return std::unexpected(listed.error());
  const Expectation expected = expectation(settings, plan, prefix, Tell::nothing);
  const auto sort_out = [&](const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      if (listed->contains(key)) {
        verdict.missing.push_back({key, "the storage lists it, and does not find it"});
      } else if (expected.keys.contains(key)) {
        verdict.missing.push_back({key, "the key journal says that it exists"});
      } else {
        ++verdict.deleted;
      }
    }
  };
  sort_out(tally.not_found);
  sort_out(tally.not_listed);
  return {};
}

std::string sentence(const Verdict& v, const std::string& prefix) {
  std::string text = fmt::format(
      "read {} objects under {} ({}) in {:.1f}s ({}/s), every byte checked: ", format_count(v.tally.read),
      prefix, format_size(v.tally.bytes), v.seconds,
      format_size(
          static_cast<std::uint64_t>(static_cast<double>(v.tally.bytes) / std::max(v.seconds, 0.001))));
  std::string found;
  const auto count = [&](std::uint64_t n, std::string_view what) {
    if (n > 0) found += fmt::format("{}{} {}", found.empty() ? "" : ", ", format_count(n), what);
  };
  for (std::size_t i = 0; i < corruptions; ++i) count(v.tally.corrupt[i], corruption_names[i]);
  count(v.tally.truncated, "truncated");
  count(v.missing.size(), "missing");
  count(v.tally.failed, "that could not be read");
  text += !found.empty() ? found : v.tally.read == 0 ? "there was none to check" : "nothing is wrong";
  if (v.deleted > 0) text += fmt::format("; {} were deleted meanwhile", format_count(v.deleted));
  if (v.tally.unverifiable > 0) {
    text += fmt::format(
        "; {} of the earlier tool, or of a newer version of s3loadtest, cannot be checked by this one",
        format_count(v.tally.unverifiable));
  }
  if (v.tally.foreign > 0)
    text += fmt::format("; {} of somebody else were not read", format_count(v.tally.foreign));
  if (v.tally.interrupted) {
    text += "; interrupted before the end";
    if (const std::size_t n = v.tally.not_found.size(); n > 0)
      text += fmt::format(", with {} not found that somebody may have deleted", format_count(n));
  }
  if (v.journals == 0)
    text += "; no key journal here knows of objects that should be there and are not listed";
  return text + "\n";
}

std::string json_of(const Verdict& v, const std::string& prefix) {
  boost::json::object corrupt;
  for (std::size_t i = 0; i < corruptions; ++i) corrupt[corruption_names[i]] = v.tally.corrupt[i];
  const boost::json::object out{{"schema", "s3loadtest.verify/1"},
                                {"prefix", prefix},
                                {"seconds", v.seconds},
                                {"read", v.tally.read},
                                {"bytes", v.tally.bytes},
                                {"corrupt", std::move(corrupt)},
                                {"unverifiable", v.tally.unverifiable},
                                {"truncated", v.tally.truncated},
                                {"missing", v.missing.size()},
                                {"deleted_meanwhile", v.deleted},
                                {"journals", v.journals},
                                {"failed", v.tally.failed},
                                {"foreign", v.tally.foreign},
                                {"interrupted", v.tally.interrupted}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace

void add_verify_flags(CLI::App& app, VerifyFlags& flags) {
  add_common_flags(app, flags.common);
  add_value(app, "--prefix", flags.prefix, parse_prefix, "where the objects are", "PREFIX", "loadtest/");
  add_value(
      app, "--worker-id", flags.worker_id, [](const std::string& text) { return parse_count(text); },
      "this worker's objects only", "N", "all");
  app.add_flag("--json", flags.json, "the result as JSON on stdout")->disable_flag_override();
}

int verify_command(const VerifyFlags& flags) {
  const auto settings = settings_of(flags.common);
  if (!settings) return fail(settings.error());
  auto plan = plan_storage(*settings);
  if (!plan) return fail(plan.error());
  plan->prefix = flags.prefix;
  plan->pool = take_pool(settings->data_dir, ContentPool::full_size);
  signal(SIGPIPE, SIG_IGN);
  if (const auto ready = preflight(*plan, false); !ready) return fail(ready.error());
  const volatile std::sig_atomic_t& interrupts = catch_interrupts();

  const std::string prefix =
      flags.worker_id ? fmt::format("{}{}/", flags.prefix, *flags.worker_id) : flags.prefix;
  const TimePoint begin = now();
  Progress progress(is_live(*settings));
  const auto go_on = [&] { return interrupts == 0; };
  Expectation expected = expectation(*settings, *plan, prefix, Tell::problems);
  auto done = verify_objects(*plan, prefix, std::move(expected.keys), [&](const VerificationTally& so_far) {
    progress.say(fmt::format("read {} objects, {}", format_count(so_far.read), format_size(so_far.bytes)));
    return go_on();
  });
  progress.end();
  if (!done) return fail(done.error());
  Verdict verdict{.tally = std::move(*done), .journals = expected.journals};
  verdict.seconds = to_seconds(now() - begin);
  if (const auto looked = look_again(*settings, *plan, prefix, go_on, verdict); !looked)
    return fail(looked.error());
  for (const std::string& problem : verdict.tally.problems) log_error(problem);
  for (std::size_t i = 0; i < std::min(verdict.missing.size(), most_missing_named); ++i) {
    log_error(fmt::format("{}: missing: {}", verdict.missing[i].key, verdict.missing[i].why));
  }
  if (const int printed = print_and_end(flags.json ? json_of(verdict, prefix) : sentence(verdict, prefix));
      printed != 0) {
    return printed;
  }
  return verdict.wrong() > 0 || verdict.tally.interrupted ? 1 : 0;
}

}  // namespace s3lt
