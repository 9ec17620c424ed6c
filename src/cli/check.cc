#include "cli/check.h"

#include <csignal>
#include <future>

#include "check/check_json.h"
#include "check/check_text.h"
#include "check/checker.h"
#include "cli/console.h"
#include "cli/flag_parsing.h"
#include "cli/interrupts.h"
#include "cli/progress.h"
#include "cli/proxy_needs.h"
#include "cli/run_plan.h"
#include "cli/settings_of.h"
#include "engine/refusal.h"
#include "version.h"

namespace s3lt {
namespace {

constexpr std::string_view default_prefix = "loadtest/";

// All names at once: a name service that does not answer takes its time.
std::vector<NamedEndpoint> name_all(const std::vector<Endpoint>& endpoints) {
  std::vector<std::future<NamedEndpoint>> found;
  for (const Endpoint& e : endpoints) {
    found.push_back(std::async(std::launch::async, [&e] {
      NamedEndpoint named{
          .endpoint = {.url = e.url(), .host = e.host, .host_header = e.host_header(), .tls = e.tls},
          .name_problem = {}};
      auto addresses = resolve(e.host, e.port);
      if (addresses) {
        named.endpoint.addresses = std::move(*addresses);
      } else {
        named.name_problem = unresolved(e.url(), addresses.error()).message;
      }
      return named;
    }));
  }
  std::vector<NamedEndpoint> named;
  for (auto& one : found) named.push_back(one.get());
  return named;
}

}  // namespace

void add_check_flags(CLI::App& app, CheckFlags& flags) {
  add_common_flags(app, flags.common);
  add_value(app, "--backend", flags.backend, as_text,
            "judge by what this one needs: boto3, proxy, minio or native", "NAME", "S3LOADTEST_BACKEND");
  add_value(app, "--prefix", flags.prefix, parse_prefix, "where small objects are written, and deleted again",
            "PREFIX", std::string(default_prefix));
  app.add_flag("--json", flags.json, "the result as JSON on stdout")->disable_flag_override();
}

int check_command(const CheckFlags& flags) {
  const auto settings = settings_of(flags.common, flags.backend);
  if (!settings) return fail(settings.error());
  auto plan = plan_access(*settings);
  if (!plan) return fail(plan.error());
  plan->prefix = flags.prefix;
  std::unique_ptr<TlsClient> observer;
  if (plan->tls != nullptr) {
    // Looked at with the bundle, where there is a good one, also where nobody asked for verification.
    auto made = TlsClient::create({.ca_bundle = settings->ca_bundle.string(), .tolerate = true});
    if (!made) made = TlsClient::create({.tolerate = true});
    if (!made) return fail_usage(made.error());
    observer = std::move(*made);
  }
  signal(SIGPIPE, SIG_IGN);
  const volatile std::sig_atomic_t& interrupts = catch_interrupts();
  const TimePoint begun = now();
  CheckFacts facts{.version = S3LOADTEST_VERSION,
                   .started = wall_now(),
                   .bucket = plan->bucket,
                   .prefix = plan->prefix,
                   .region = plan->region,
                   .backend = settings->backend,
                   .verify_tls = settings->verify_tls};
  if (settings->backend == "proxy") facts.proxy = look_at_proxy(*settings, plan->prefix);
  const std::vector<NamedEndpoint> endpoints = name_all(settings->endpoints);
  Progress progress(is_live(*settings));
  facts.endpoints = check_endpoints(
      {.plan = *plan, .endpoints = endpoints, .observer = observer.get(), .verifies = settings->verify_tls},
      [&] {
        if (is_live(*settings)) progress.say("checking");
        return interrupts == 0;
      });
  progress.end();
  facts.interrupted = interrupts != 0;
  facts.seconds = to_seconds(now() - begun);
  const GivenFlags given{.env_file = flags.common.env_file,
                         .bucket = flags.common.bucket,
                         .prefix = flags.prefix == default_prefix ? "" : flags.prefix,
                         .backend = flags.backend,
                         .endpoints = flags.common.endpoints};
  const Judgement judgement = judge(facts, given);
  const std::string text =
      flags.json ? check_json(facts, judgement) + "\n" : check_text(facts, judgement, style_of_stdout());
  if (const int printed = print_and_end(text); printed != 0) return printed;
  return judgement.exit_status;
}

}  // namespace s3lt
