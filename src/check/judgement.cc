#include "check/judgement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <string_view>

#include "base/units.h"
#include "s3/wire_profile.h"
#include "workload/pattern.h"

namespace s3lt {
namespace {

// Storages refuse requests of clocks that are further apart.
constexpr double worth_a_word = 60;
constexpr auto soon = std::chrono::days(14);
constexpr std::size_t most_endpoints_typed = 8;
constexpr std::uint64_t large_object = 100 * MiB;  // the largest of the built-in patterns

const BackendFact* backend_of(const EndpointFacts& facts, std::string_view name) {
  const auto found = std::ranges::find(facts.backends, name, &BackendFact::name);
  return found != facts.backends.end() ? &*found : nullptr;
}

// The step of a multipart upload that fails, where this backend sends large objects so; else null.
const NamedTrial* lacks_parts(const EndpointFacts& facts, std::string_view backend) {
  const WireProfile* profile = find_profile(backend);
  const bool needed = profile != nullptr && profile->part_size(large_object, {}) != 0;
  return needed ? facts.parts_fail() : nullptr;
}

bool does_all(const EndpointFacts& facts, std::string_view backend) {
  const BackendFact* fact = backend_of(facts, backend);
  return fact != nullptr && fact->works() && lacks_parts(facts, backend) == nullptr;
}

std::string_view right_to(std::string_view operation) {
  if (operation == "PUT" || operation == "PART") return "s3:PutObject";
  if (operation == "GET" || operation == "HEAD") return "s3:GetObject";
  if (operation == "LIST") return "s3:ListBucket";
  if (operation == "abort") return "s3:AbortMultipartUpload";
  if (operation == "LOCATION") return "s3:GetBucketLocation";
  return "s3:DeleteObject";
}

// "PUT (403 AccessDenied), DELETE (403 AccessDenied)"; and the rights that they lack, where it is that.
struct Failures {
  std::string text;
  std::vector<std::string_view> rights;
  bool only_rights = true;
};
Failures failures_of(const EndpointFacts& facts, const BackendFact& backend) {
  Failures failures;
  const auto add = [&](std::string_view operation, std::string_view shown, const Trial& trial) {
    if (!trial.fails()) return;
    failures.text += fmt::format("{}{} ({})", failures.text.empty() ? "" : ", ", shown, trial.said);
    if (is_denied(trial.said)) {
      const std::string_view right = right_to(operation);
      if (std::ranges::find(failures.rights, right) == failures.rights.end())
        failures.rights.push_back(right);
    } else {
      failures.only_rights = false;
    }
  };
  for (const NamedTrial& operation : backend.operations) add(operation.name, operation.name, operation.trial);
  if (const NamedTrial* step = lacks_parts(facts, backend.name); step != nullptr)
    add(step->name == "abort" ? "abort" : "PART",
        "multipart uploads, as it sends large objects: " + step->name, step->trial);
  return failures;
}

// Of a key that may do all but list: which patterns do; else empty.
std::string who_lists(const Failures& failures) {
  if (failures.rights != std::vector<std::string_view>{"s3:ListBucket"}) return {};
  std::vector<std::string_view> names = builtin_pattern_names();
  std::erase_if(names, [](std::string_view name) {
    const auto pattern = builtin_pattern(name);
    return !pattern || pattern->share(OperationKind::list) == 0;
  });
  return fmt::format("; of the built-in patterns {} need{} it", fmt::join(names, ", "),
                     names.size() == 1 ? "s" : "");
}

// What a run with the chosen backend meets there; empty: nothing.
std::string backend_problem(const CheckFacts& all, const EndpointFacts& facts) {
  const BackendFact* chosen = backend_of(facts, wire_backend(all.backend));
  if (chosen == nullptr) return facts.stopped ? "" : fmt::format("backend {} was not tried", all.backend);
  if (does_all(facts, chosen->name)) return {};
  const Failures failures = failures_of(facts, *chosen);
  const std::string where = fmt::format("{} in bucket {}", facts.url, all.bucket);
  if (failures.only_rights && !failures.rights.empty()) {
    return fmt::format(
        "this access key may not do all that a run does at {}: {}; grant it {} there, or use a key that "
        "may{}",
        where, failures.text, fmt::join(failures.rights, ", "), who_lists(failures));
  }
  std::vector<std::string> others;
  for (const BackendFact& other : facts.backends) {
    if (does_all(facts, other.name)) others.push_back(other.name);
  }
  return fmt::format("backend {} does not work at {}: {}; {}", all.backend, where, failures.text,
                     others.empty() ? "the storage's log says more"
                                    : fmt::format("use backend {}", fmt::join(others, " or ")));
}

void add_problems(const CheckFacts& all, const EndpointFacts& facts, std::vector<Finding>& findings) {
  const auto wrong = [&](std::string text) { findings.push_back({.wrong = true, .text = std::move(text)}); };
  if (facts.problem) {
    wrong(*facts.problem);
  } else if (!facts.bucket.default_retention.empty()) {
    wrong(fmt::format(
        "the object lock of bucket {} on {} keeps whatever is written ({}), so that no run could tidy up "
        "after itself: nothing was written; use a bucket without a default retention",
        all.bucket, facts.url, facts.bucket.default_retention));
  } else if (std::string problem = backend_problem(all, facts); !problem.empty()) {
    wrong(std::move(problem));
  }
  if (!facts.left.what.empty()) {
    wrong(fmt::format(
        "{} of what the check wrote could not be taken away again ({}): {}; s3loadtest cleanup knows "
        "such keys{}",
        facts.left.what.size(), facts.left.problem.empty() ? "it is listed still" : facts.left.problem,
        fmt::join(facts.left.what.begin(),
                  facts.left.what.begin() + std::min<std::ptrdiff_t>(3, std::ssize(facts.left.what)), ", "),
        facts.left.is_denied() ? ", with an access key that may list and delete" : ""));
  } else if (!facts.left.looked && !facts.left.problem.empty()) {
    wrong(fmt::format(
        "whether all that the check wrote is gone from {} could not be looked at ({}); s3loadtest cleanup "
        "--dry-run counts what is there",
        facts.url, facts.left.problem));
  }
}

void add_notes(const CheckFacts& all, const EndpointFacts& facts, std::vector<Finding>& findings) {
  const auto note = [&](std::string text) { findings.push_back({.wrong = false, .text = std::move(text)}); };
  for (const AddressFact& address : facts.addresses) {
    if (!address.problem.empty() && facts.reachable())
      note(fmt::format("its address {} takes no connection: {}", address.address, address.problem));
  }
  if (facts.keeps_connections == false) {
    note(fmt::format(
        "it closes the connection after each answer: every operation pays a connect{}, and all figures have "
        "that in them",
        facts.tls ? " and a TLS handshake" : ""));
  }
  if (facts.expect_continue.fails() && facts.expect_continue.said.starts_with("no 100"))
    note("it does not say 100 Continue: each PUT of backend boto3 waits a second for it");
  if (facts.signature_verified == false) note("it verifies no signatures: anybody can use it with any key");
  if (!facts.problem && facts.clock_ahead && std::abs(*facts.clock_ahead) > worth_a_word) {
    note(fmt::format(
        "this machine's clock is {} {} the server's; from 15 minutes on storages refuse every request",
        format_duration(seconds(std::round(std::abs(*facts.clock_ahead)))),
        *facts.clock_ahead > 0 ? "ahead of" : "behind"));
  }
  if (facts.tls && facts.tls->problem && !facts.problem)
    note(fmt::format("its certificate {}: with S3_VERIFY_SSL=true no run would begin",
                     words(*facts.tls->problem)));
  if (facts.tls && !facts.tls->problem && facts.tls->facts.certificate) {
    const WallTime until = facts.tls->facts.certificate->until;
    if (until - all.started < soon) note(fmt::format("its certificate expires on {}", format_rfc3339(until)));
  }
  for (const IntegrityFact& payload : facts.payloads) {
    if (payload.name == "signed" && payload.verified == false)
      note("it takes bodies that do not have the hash that was signed");
  }
  for (const NamedTrial& step : facts.multipart) {
    if (lacks_parts(facts, wire_backend(all.backend)) != nullptr) break;  // said already
    if (step.trial.fails()) {
      note(fmt::format("multipart uploads: {} fails ({})", step.name, step.trial.said));
      break;
    }
  }
}

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/=,@%+")
               .find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command(std::string text, const GivenFlags& flags) {
  const auto add = [&](std::string_view flag, const std::string& value) {
    if (!value.empty()) text += fmt::format(" {} {}", flag, quoted(value));
  };
  add("--env", flags.env_file);
  for (const std::string& endpoint : flags.endpoints) add("--endpoint", endpoint);
  add("--bucket", flags.bucket);
  add("--prefix", flags.prefix);
  add("--backend", flags.backend);
  return text;
}

std::string with_other_scheme(const std::string& url) {
  const bool tls = url.starts_with("https://");
  std::string rest = url.substr(url.find("://") + 3);
  // The port that the scheme implied.
  if (rest.find(':', rest.find(']') == rest.npos ? 0 : rest.find(']')) == rest.npos)
    rest += tls ? ":443" : ":80";
  return (tls ? "http://" : "https://") + rest;
}

// A backend that works everywhere; the last by name, as native asks for least.
std::string other_backend(const CheckFacts& facts) {
  for (const BackendFact& candidate : facts.endpoints.front().backends | std::views::reverse) {
    const bool everywhere = std::ranges::all_of(
        facts.endpoints, [&](const EndpointFacts& one) { return does_all(one, candidate.name); });
    if (everywhere) return candidate.name;
  }
  return {};
}

std::string next_command(const CheckFacts& facts, const Judgement& judgement, GivenFlags flags) {
  const std::string run = "s3loadtest run baseload --duration 1m", check = "s3loadtest check";
  if (facts.interrupted) return command(check, flags);
  // What no s3pool can do from here, the requests that it would have sent can.
  if (!judgement.here.empty()) flags.backend = wire_backend(facts.backend);
  if (std::ranges::all_of(judgement.endpoints, &EndpointJudgement::works)) return command(run, flags);
  const auto any = [&](auto what) { return std::ranges::any_of(facts.endpoints, what); };
  if (any([](const EndpointFacts& one) { return one.other_scheme; })) {
    flags.endpoints.clear();
    for (const EndpointFacts& one : facts.endpoints)
      flags.endpoints.push_back(one.other_scheme ? with_other_scheme(one.url) : one.url);
    return command(check, flags);
  }
  for (const EndpointFacts& one : facts.endpoints) {
    if (!one.right_region.empty())
      return command(fmt::format("AWS_REGION={} {}", quoted(one.right_region), check), flags);
  }
  if (any([](const EndpointFacts& one) { return one.bucket_missing; }))
    return command(run + " --create-bucket", flags);
  // Who was denied it cannot clean up either.
  if (any([](const EndpointFacts& one) { return !one.left.what.empty() && one.left.is_denied(); }))
    return command(check, flags);
  if (any([](const EndpointFacts& one) { return !one.left.what.empty(); })) {
    flags.backend.clear();
    return command("s3loadtest cleanup", flags);
  }
  const bool more_is_wrong = any([](const EndpointFacts& one) { return one.problem.has_value(); });
  if (const std::string other = other_backend(facts); !other.empty() && !more_is_wrong) {
    flags.backend = other;
    return command(run, flags);
  }
  std::vector<std::string> good;
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i) {
    if (judgement.endpoints[i].works) good.push_back(facts.endpoints[i].url);
  }
  if (good.empty() || good.size() > most_endpoints_typed) return command(check, flags);
  flags.endpoints = std::move(good);
  return command(run, flags);
}

std::string sentence_of(const CheckFacts& facts, const Judgement& judgement) {
  const std::size_t all = facts.endpoints.size();
  const auto good =
      static_cast<std::size_t>(std::ranges::count(judgement.endpoints, true, &EndpointJudgement::works));
  const std::string what = fmt::format("what a run with backend {} needs", facts.backend);
  if (facts.interrupted) return "The check was ended before its time.";
  if (good == all && !judgement.here.empty()) {
    return fmt::format("{} all of {}, but from this machine no such run can begin.",
                       all == 1 ? facts.endpoints[0].url + " does" : fmt::format("All {} endpoints do", all),
                       what);
  }
  if (all == 1) {
    return good == 1 ? fmt::format("{} does all of {}.", facts.endpoints[0].url, what)
                     : fmt::format("{} does not do {}.", facts.endpoints[0].url, what);
  }
  if (good == all) return fmt::format("All {} endpoints do {}.", all, what);
  if (good == 0) return fmt::format("None of the {} endpoints does {}.", all, what);
  return fmt::format("{} of the {} endpoints do {}.", good, all, what);
}

}  // namespace

std::string wire_backend(const std::string& backend) {
  return backend == "proxy" ? "native" : backend;
}

Judgement judge(const CheckFacts& facts, const GivenFlags& flags) {
  Judgement judgement;
  if (facts.proxy) {
    for (const std::string& problem : facts.proxy->problems)
      judgement.here.push_back({.wrong = true, .text = problem});
  }
  for (const EndpointFacts& one : facts.endpoints) {
    EndpointJudgement& of = judgement.endpoints.emplace_back();
    add_problems(facts, one, of.findings);
    of.works = !one.stopped && of.findings.empty();
    add_notes(facts, one, of.findings);
  }
  const bool all = std::ranges::all_of(judgement.endpoints, &EndpointJudgement::works);
  const bool reached = std::ranges::any_of(facts.endpoints, &EndpointFacts::reachable);
  const bool fits = !facts.proxy || !facts.proxy->is_wrong_setting;
  judgement.exit_status = !fits ? 2 : !reached ? 3 : all && judgement.here.empty() ? 0 : 1;
  judgement.sentence = sentence_of(facts, judgement);
  judgement.next = next_command(facts, judgement, flags);
  return judgement;
}

}  // namespace s3lt
