#include "cli/cleanup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>

#include "base/log.h"
#include "base/units.h"
#include "bucket/cleanup.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "cli/interrupts.h"
#include "cli/key_journals.h"
#include "cli/prefix_guard.h"
#include "cli/progress.h"
#include "cli/run_plan.h"
#include "cli/settings_of.h"
#include "engine/preflight.h"

namespace s3lt {
namespace {

// Why these flags must not be followed; nothing where they may.
Result<void> is_safe(const CleanupFlags& flags, const Settings& settings, const RunPlan& plan) {
  if (flags.dry_run || flags.yes) return {};
  if (flags.any_key) {
    return usage_error(fmt::format(
        "--any-key deletes every object under {} in bucket {}, whoever wrote it; add --yes if that is meant",
        flags.prefix, plan.bucket));
  }
  return may_delete_under(flags.prefix, settings, plan, "or see what there is with --dry-run");
}

std::string things(std::uint64_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", format_count(n), n == 1 ? one : many);
}

std::string found_text(const CleanupFlags& flags, const CleanupTally& found) {
  std::string text = flags.versions ? things(found.objects, "version", "versions")
                                    : things(found.objects, "object", "objects");
  if (found.markers > 0)
    text += fmt::format(" ({})", things(found.markers, "delete marker", "delete markers"));
  if (!flags.any_key) text += " of a load tester";
  if (found.uploads > 0) {
    text += fmt::format(", {}",
                        things(found.uploads, "unfinished multipart upload", "unfinished multipart uploads"));
  }
  const std::uint64_t others = found.foreign + found.foreign_uploads;
  if (others == 0) return text;
  std::string left = found.foreign > 0 ? format_count(found.foreign) : "";
  if (found.foreign_uploads > 0) {
    left += fmt::format(
        "{}{}", left.empty() ? "" : " and ",
        things(found.foreign_uploads, "unfinished multipart upload", "unfinished multipart uploads"));
  }
  return text + fmt::format("; {} of somebody else {} alone", left, others == 1 ? "is left" : "are left");
}

std::string where_text(const RunPlan& plan, const std::string& prefix) {
  std::vector<std::string> urls;
  for (const ResolvedEndpoint& e : plan.storage) urls.push_back(e.url);
  return fmt::format("{}, bucket {}, prefix {}", fmt::join(urls, ","), plan.bucket, prefix);
}

int report(const CleanupFlags& flags, const CleanupTally& found, const CleanupTally& done) {
  for (const std::string& refusal : done.refusals) log_error(fmt::format("not deleted: {}", refusal));
  if (done.refused > done.refusals.size()) {
    log_error(fmt::format("and {} more were not deleted", format_count(done.refused - done.refusals.size())));
  }
  std::string text = fmt::format("deleted {}", flags.versions ? things(done.objects, "version", "versions")
                                                              : things(done.objects, "object", "objects"));
  if (done.uploads > 0) {
    text += fmt::format(", aborted {}", things(done.uploads, "multipart upload", "multipart uploads"));
  }
  if (done.refused > 0) text += fmt::format("; {} could not be deleted", format_count(done.refused));
  if (done.locked > 0) text += fmt::format(", {} of them under retention", format_count(done.locked));
  if (done.interrupted) {
    text += fmt::format("; interrupted: about {} are left, another call goes on",
                        format_count(found.objects - std::min(found.objects, done.objects)));
  }
  if (const int printed = print_and_end(text + "\n"); printed != 0) return printed;
  return done.refused > 0 || done.interrupted ? 1 : 0;
}

}  // namespace

void add_cleanup_flags(CLI::App& app, CleanupFlags& flags) {
  add_common_flags(app, flags.common);
  add_value(app, "--prefix", flags.prefix, parse_prefix, "where the objects are", "PREFIX", "loadtest/");
  app.add_flag("--dry-run", flags.dry_run, "count, and delete nothing")->disable_flag_override();
  app.add_flag("--versions", flags.versions, "every version and delete marker, not the newest only")
      ->disable_flag_override();
  app.add_flag("--any-key", flags.any_key, "also objects that no load tester wrote; needs --yes")
      ->disable_flag_override();
  app.add_flag("--yes", flags.yes, "for what is not done without being asked twice")->disable_flag_override();
}

int cleanup_command(const CleanupFlags& flags) {
  const auto settings = settings_of(flags.common);
  if (!settings) return fail(settings.error());
  auto plan = plan_storage(*settings);
  if (!plan) return fail(plan.error());
  plan->prefix = flags.prefix;
  signal(SIGPIPE, SIG_IGN);
  if (const auto safe = is_safe(flags, *settings, *plan); !safe) return fail(safe.error());
  if (const auto ready = preflight(*plan, false); !ready) return fail(ready.error());
  const volatile std::sig_atomic_t& interrupts = catch_interrupts();

  const CleanupScope scope{.prefix = flags.prefix, .any_key = flags.any_key, .versions = flags.versions};
  Progress progress(is_live(*settings));
  const auto found = survey(*plan, scope, [&](const CleanupTally& so_far) {
    progress.say(fmt::format("counting: {} so far", format_count(so_far.objects + so_far.foreign)));
    return interrupts == 0;
  });
  progress.end();
  if (!found) return fail(found.error());
  if (found->interrupted)
    return fail({ErrorKind::unavailable, "interrupted while counting: nothing was deleted"});
  if (const auto printed =
          print(fmt::format("{}: {}\n", where_text(*plan, flags.prefix), found_text(flags, *found)));
      !printed) {
    return fail(printed.error());
  }
  if (!found->uploads_unknown.empty()) {
    log_warning(fmt::format("unfinished multipart uploads cannot be listed, and stay if there are any: {}",
                            found->uploads_unknown));
  }
  if (!found->other_testers.empty()) {
    log_warning(
        fmt::format("load testers with prefixes of their own left objects or uploads below {}; clean each "
                    "up by itself with --prefix",
                    fmt::join(found->other_testers, ", ")));
  }
  if (!flags.versions && found->objects > 0 && has_versions(*plan)) {
    log_warning(fmt::format(
        "bucket {} keeps versions: deleting objects frees nothing there; --versions removes them for good",
        plan->bucket));
  }
  if (flags.dry_run || found->objects + found->uploads == 0) return 0;

  KeyJournals journals(*settings, *plan, flags.prefix);
  const auto done = clean(
      *plan, scope,
      [&](const CleanupTally& so_far) {
        progress.say(fmt::format(
            "deleted {} of {}{}", format_count(so_far.objects), format_count(found->objects),
            so_far.refused == 0 ? "" : fmt::format(", {} refused", format_count(so_far.refused))));
        return interrupts == 0;
      },
      [&](std::span<const std::string> keys) { journals.deleted(keys); });
  progress.end();
  if (!done) return fail(done.error());
  if (done->refused == 0 && !done->interrupted && !journals.in_use()) journals.all_deleted();
  return report(flags, *found, *done);
}

}  // namespace s3lt
