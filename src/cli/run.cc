#include "cli/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <set>

#include "base/units.h"
#include "cli/console.h"
#include "cli/denied_operation.h"
#include "cli/interrupts.h"
#include "cli/limits.h"
#include "cli/prefix_guard.h"
#include "cli/proxy_needs.h"
#include "cli/report.h"
#include "cli/run_keys.h"
#include "cli/run_plan.h"
#include "cli/run_proxy.h"
#include "cli/run_slos.h"
#include "cli/run_view.h"
#include "cli/settings_of.h"
#include "engine/preflight.h"
#include "engine/run.h"
#include "report/text.h"
#include "results/notes.h"
#include "results/proxy_verdict.h"
#include "results/run_directory.h"
#include "results/silence.h"
#include "results/summary_json.h"
#include "results/unfinished_run.h"
#include "results/verdict.h"
#include "results/worker_lock.h"
#include "version.h"

namespace s3lt {
namespace {

std::uint64_t client_count(const RunPlan& plan) {
  std::uint64_t clients = 0;
  for (const PlannedPattern& p : plan.patterns) clients += p.clients;
  return clients;
}

// The most that will be kept in the bucket, and what may be on its way there.
std::uint64_t most_bytes_kept(const RunPlan& plan) {
  std::uint64_t most = 0;
  for (const PlannedPattern& p : plan.patterns) {
    if (!p.pattern.writes()) continue;
    std::uint64_t largest = 0;
    for (const SizeClass& s : p.pattern.sizes) largest = std::max(largest, s.bytes);
    const bool by_keys = plan.limits.keys < plan.limits.bytes / largest;
    most += (by_keys ? plan.limits.keys * largest : plan.limits.bytes) + p.clients * largest;
  }
  return most;
}

RunInfo describe_run(const RunPlan& plan, const RunFlags& flags) {
  RunInfo info{.version = S3LOADTEST_VERSION,
               .started = wall_now(),
               .pattern = plan.patterns.size() == 1 ? plan.patterns[0].pattern.name : flags.pattern,
               .worker = plan.worker,
               .backend = std::string(plan.profile->name()),
               .bucket = plan.bucket,
               .prefix = plan.prefix,
               .region = plan.region,
               .seed = plan.seed,
               .time_scale = plan.time_scale,
               .threads = plan.threads,
               .clients = client_count(plan),
               .duration_seconds = plan.duration ? to_seconds(*plan.duration) : 0,
               .warmup_seconds = to_seconds(plan.warmup),
               .settings = describe(flags)};
  for (const PlannedPattern& p : plan.patterns) {
    info.patterns.push_back(p.pattern.name);
    info.definitions.push_back(p.pattern.definition);
    info.schedules.push_back(record_of(p.pattern.name, phases_of(plan, p.pattern)));
    info.writes = info.writes || p.pattern.writes();
  }
  for (const ResolvedEndpoint& e : plan.storage) info.endpoints.push_back(e.url);
  return info;
}

void announce(const RunPlan& plan, const RunInfo& info, const std::string& settings_origin) {
  log_info(fmt::format("settings from {}", settings_origin));
  std::string names;
  for (const PlannedPattern& p : plan.patterns) {
    names +=
        fmt::format("{}{} clients of {}", names.empty() ? "" : ", ", format_count(p.clients), p.pattern.name);
  }
  const std::uint64_t most = most_bytes_kept(plan);
  const std::string kept = most > 0 ? fmt::format("at most {} kept", format_size(most)) : "writes nothing";
  log_info(fmt::format("{}, bucket {}, prefix {}{}/: {} on {} thread(s), backend {}, seed {}; {}",
                       fmt::join(info.endpoints, ","), plan.bucket, plan.prefix, plan.worker, names,
                       plan.threads, info.backend, plan.seed, kept));
}

// Operations that the exit status judges, over all patterns; TRIM is housekeeping.
struct Tally {
  std::uint64_t ended = 0, succeeded = 0, cancelled = 0;
  std::uint64_t ended_unjudged = 0;  // those that no objective about errors judges
  std::uint64_t failed = 0;          // of those; throttled ones are not failures
  std::uint64_t corrupt = 0;         // reads that the verification found wrong
};

// What an objective about errors speaks of, it judges in place of the rule about half of the operations.
Tally tally(const Snapshot& total, const std::vector<Slo>& slos) {
  Tally t;
  const auto judged = [&](const CellKey& key) {
    return std::ranges::any_of(slos, [&](const Slo& slo) {
      return slo.of.figure.kind == Figure::Kind::error_rate && slo.of.covers(key);
    });
  };
  for (const auto& [key, cell] : total.cells) {
    if (!is_in_mix(key.operation)) continue;
    const Counters& c = cell.counters;
    t.ended += c.count;
    t.succeeded += c.count - c.errors;
    if (!judged(key)) {
      t.ended_unjudged += c.count;
      t.failed += c.errors - c.failed_with[static_cast<std::size_t>(Outcome::throttled)];
    }
    t.cancelled += c.cancelled;
    t.corrupt += std::accumulate(c.corrupt.begin(), c.corrupt.end(), std::uint64_t(0));
  }
  return t;
}

int exit_status(const RunResult& result, const std::vector<Slo>& slos, bool denied) {
  // Of several patterns, the others were not stopped by it.
  if (denied && result.info.patterns.size() == 1) return 3;
  const Tally t = tally(result.total, slos);
  // Nothing at all is a failure, unless the user stopped it before anything could end.
  const bool stopped_early = result.interrupted && t.ended == 0;
  if (t.succeeded == 0 && !stopped_early) return 3;
  if (t.corrupt > 0 || t.failed * 2 > t.ended_unjudged) return 1;
  if (!std::ranges::all_of(result.slos, &SloResult::passed) || !result.ended_early.empty()) return 1;
  return 0;
}

// Says how it ended: FINAL lines, summary, files.
int report(const RunPlan& plan, const RunFlags& flags, RunResult& result, RunDirectory& directory,
           bool write_failed) {
  const Duration elapsed = seconds(result.seconds);
  for (const PlannedPattern& p : plan.patterns) {
    log_figures(result.total, p.pattern.name, plan.worker, "FINAL",
                final_line(result.total, p.pattern.name, elapsed));
  }
  const std::vector<Error> denied = denied_operations(plan, result.total);
  const int status = exit_status(result, flags.slos, !denied.empty());
  result.passed = status == 0;
  const auto written = directory.finish(result);
  std::error_code ignored;
  const bool summary_written = written || std::filesystem::exists(directory.path() / "summary.json", ignored);
  if (!written && (!write_failed || !summary_written)) log_error(written.error().message);
  if (const std::string warning = trim_denied(plan, result.total); !warning.empty()) log_warning(warning);
  const auto printed =
      print(flags.json ? summary_json(result) + "\n" : summary_text(result, style_of_stdout()));
  if (summary_written) {
    if (const auto page = write_html_report(directory.path()); !page)
      log_warning(fmt::format("no report.html: {}", page.error().message));
  }
  log_info(fmt::format("run directory: {}", directory.path().string()));
  if (status == 3) {
    for (const Error& error : denied) fail(error);
  } else {
    for (const Error& error : denied) log_error(error.message);
  }
  if (printed) return status;
  fail({ErrorKind::unavailable,
        fmt::format("{}{}", printed.error().message,
                    summary_written ? "; summary.json in the run directory has the figures" : "")});
  // A result that nobody can read is none.
  return summary_written ? status : 3;
}

Result<std::unique_ptr<RunDirectory>> make_directory(const Settings& settings, const RunFlags& flags,
                                                     RunInfo& info) {
  if (!flags.out.empty()) return RunDirectory::create_at(flags.out, info);
  return RunDirectory::create(settings.log_dir, info);
}

// A pattern that deletes what it lists meets keys of our shape that no run of ours wrote.
Result<void> is_safe(const Settings& settings, const RunFlags& flags, const RunPlan& plan) {
  for (const PlannedPattern& p : plan.patterns) {
    if (!p.pattern.sweeps() || flags.yes) continue;
    return may_delete_under(
        fmt::format("{}{}/", plan.prefix, plan.worker), settings, plan,
        fmt::format("or use the prefix loadtest/: {} deletes what it finds", p.pattern.name));
  }
  return {};
}

// Two runs of the same pattern of the same worker would trim each other's keys.
Result<std::vector<WorkerLock>> lock_patterns(const Settings& settings, const RunPlan& plan) {
  std::vector<WorkerLock> locks;
  WorkerIdentity identity{
      .endpoints = {}, .bucket = plan.bucket, .prefix = plan.prefix, .worker = plan.worker, .pattern = {}};
  for (const ResolvedEndpoint& e : plan.storage) identity.endpoints.push_back(e.url);
  for (const PlannedPattern& p : plan.patterns) {
    identity.pattern = p.pattern.name;
    auto lock = WorkerLock::take(settings.key_dir, identity, wall_now());
    if (!lock) return std::unexpected(lock.error());
    locks.push_back(std::move(*lock));
  }
  return locks;
}

// The patterns of a run that was killed left a lock each, and one directory together.
void warn_of_unfinished_runs(const std::vector<WorkerLock>& locks, const RunPlan& plan) {
  std::set<std::filesystem::path> named;
  for (const WorkerLock& lock : locks) {
    const std::filesystem::path& directory = lock.unfinished_directory();
    if (directory.empty() || !named.insert(directory).second) continue;
    log_warning(
        describe_unfinished_run(directory, lock.unfinished_holder(),
                                fmt::format("{}{}/ in bucket {}", plan.prefix, plan.worker, plan.bucket)));
  }
}

}  // namespace

int run_command(const RunFlags& flags) {
  end_when_out_of_memory();
  if (const auto fit = check_proxy_flags(flags); !fit) return fail(fit.error());
  auto patterns = plan_patterns(flags);
  if (!patterns) return fail(patterns.error());
  if (const auto checked = check_slos(flags, *patterns); !checked) return fail(checked.error());
  const auto settings = settings_of(flags.common, flags.backend, flags.log_level);
  if (!settings) return fail(settings.error());
  const bool live = is_live(*settings);

  auto plan = make_plan(*settings, flags, std::move(*patterns));
  if (!plan) return fail(plan.error());
  signal(SIGPIPE, SIG_IGN);
  if (const auto safe = is_safe(*settings, flags, *plan); !safe) return fail(safe.error());
  auto locks = lock_patterns(*settings, *plan);
  if (!locks) return fail(locks.error());
  std::unique_ptr<RunProxy> proxy;
  if (settings->backend == "proxy") {
    auto started = RunProxy::start(*settings, flags);
    if (!started) return fail(started.error());
    proxy = std::move(*started);
  } else if (flags.no_proxy && flags.force_restart_proxy) {
    return fail_usage(
        "--no-proxy and --force-restart-proxy are for backend proxy, and contradict each other there");
  } else if (flags.no_proxy || flags.force_restart_proxy || flags.force) {
    log_warning("--no-proxy, --force-restart-proxy and --force are for backend proxy, and do nothing here");
  }
  const auto ask = [&] { return preflight(*plan, flags.create_bucket); };
  if (const auto ready = proxy ? proxy->first_questions(ask) : ask(); !ready) {
    warn_of_unfinished_runs(*locks, *plan);  // nobody else will: the locks are this run's now
    return fail(ready.error());
  }
  auto journal = open_journal(*settings, *plan);
  if (!journal) return fail(journal.error());
  if (const auto forgotten = forget_what_is_gone(**journal, *plan); !forgotten)
    return fail(forgotten.error());
  if (flags.sizes.empty()) read_sizes_left((*journal)->contents(), *plan);
  read_old_keys(*settings, *plan);
  const volatile std::sig_atomic_t& interrupts = catch_interrupts();
  if (flags.existing) {
    const auto listed = read_existing(*flags.existing, flags.sizes, *plan, [&] { return interrupts == 0; });
    if (!listed) return fail(listed.error());
  }
  // Objects that are there may be larger than those that the flags name.
  if (proxy) {
    if (const auto fit = check_limits_of_s3pool(flags, *plan); !fit) return fail(fit.error());
  }

  RunInfo info = describe_run(*plan, flags);
  info.tls_verify = plan->tls != nullptr && settings->verify_tls;
  auto directory = make_directory(*settings, flags, info);
  if (!directory) return fail(directory.error());
  // What a full disk costs it, RunView says of the whole directory.
  if (const auto opened = open_log_file((*directory)->log_path(), LogLoss::told_elsewhere); !opened)
    return fail(opened.error());
  for (WorkerLock& lock : *locks) lock.note_run_directory((*directory)->path());
  warn_of_unfinished_runs(*locks, *plan);
  announce(*plan, info, settings->origin);
  announce_keys(**journal, *plan);

  const std::unique_ptr<SloWatch> slo_watch = watch_slos(*plan, flags);
  RunView view({.duration = plan->duration.value_or(Duration::zero()),
                .stats_interval = flags.stats_interval,
                .worker = plan->worker,
                .live = live,
                .interrupts = &interrupts,
                .slos = slo_watch.get(),
                .proxy = proxy.get()},
               **directory, *plan);
  auto load = run_load(*plan, view, journal->get());
  if (proxy) proxy->stop_counting();  // where nothing stopped it: its operations were done
  view.finish();
  if (!load) return fail(load.error());

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  RunResult result{.info = std::move(info),
                   .seconds = to_seconds(load->elapsed),
                   .interrupted = load->interrupted && view.ended_early().empty(),
                   .total = std::move(load->total),
                   .max_rss_bytes = static_cast<double>(usage.ru_maxrss) * 1024,
                   .busiest_thread = load->busiest_thread};
  std::map<std::string, std::string> changing;
  for (const PlannedPattern& p : plan->patterns) {
    if (p.pattern.schedule.kind != Schedule::Kind::always) {
      changing[p.pattern.name] = "it works in bursts";
    } else if (p.pattern.open_loop && !p.pattern.open_loop->course.is_flat()) {
      changing[p.pattern.name] = "its rate changes by design";
    }
  }
  result.certainty = certainty_of(view.course(), result.total, changing);
  if (plan->warmup > Duration::zero() && result.seconds == 0) {
    log_warning(fmt::format("the run ended within its --warmup of {}: nothing was measured",
                            format_duration(plan->warmup)));
  }
  result.silent = silent_endpoints(result.total);
  if (const std::string warning = silence_warning(result.silent, proxy != nullptr); !warning.empty())
    log_warning(warning);
  const auto add_notes = [&](std::vector<std::string> notes) {
    for (std::string& note : notes) result.notes.push_back(std::move(note));
  };
  add_notes(notes_on_stops(result.certainty));
  add_notes(notes_on_silence(result.silent, proxy != nullptr));
  add_notes(notes_on(result.total));
  Verdict verdict = judge(result.total);
  if (proxy) {
    result.proxy = proxy->end();
    for (const std::string& news : proxy->take_news()) log_warning(news);
    // It is looked at a little before or after.
    for (double* of : {&result.proxy->down_seconds, &result.proxy->stopped_seconds})
      *of = std::min(*of, result.seconds);
    result.proxy->own_answers = result.total.client.proxy_answers;
    verdict =
        through_proxy(std::move(verdict), *result.proxy, result.total, result.silent, result.info.clients);
    add_notes(notes_on_proxy(*result.proxy, plan->storage.size()));
  }
  result.bottleneck = std::move(verdict.bottleneck);
  result.why = std::move(verdict.why);
  result.slos = judge_slos(flags.slos, result.total, result.seconds);
  if (load->interrupted) result.ended_early = view.ended_early();
  return report(*plan, flags, result, **directory, view.write_failed());
}

}  // namespace s3lt
