#include "cli/run_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "base/log.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/limits.h"
#include "cli/proxy_needs.h"
#include "data/mapped_pool.h"
#include "engine/refusal.h"

namespace s3lt {
namespace {

// The cores that this process may use (taskset and cgroup cpusets count).
unsigned usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1u, std::thread::hardware_concurrency());
}

Result<std::vector<Pattern>> find_patterns(const std::string& name) {
  if (name == "all") {
    std::vector<Pattern> all;
    for (const std::string_view one : all_pattern_names()) {
      auto pattern = builtin_pattern(one);
      if (!pattern) return std::unexpected(pattern.error());
      all.push_back(std::move(*pattern));
    }
    return all;
  }
  const bool is_file = name.find('/') != name.npos || name.ends_with(".toml");
  if (!is_file) {
    auto pattern = builtin_pattern(name);
    if (!pattern) {
      auto names = builtin_pattern_names();
      names.push_back("all");
      return usage_error(fmt::format("there is no pattern \"{}\" (a file of your own ends in .toml): {}",
                                     name, suggest(name, names)));
    }
    return std::vector<Pattern>{std::move(*pattern)};
  }
  errno = 0;
  std::ifstream file(name);
  std::ostringstream text;
  text << file.rdbuf();  // fails, without an errno, where the file is empty
  if (!file.is_open() || (!text && errno != 0)) {
    return usage_error(
        fmt::format("cannot read pattern file {}: {}; `s3loadtest patterns list` shows the built-in patterns",
                    name, std::strerror(errno)));
  }
  return parse_patterns(text.str(), name);
}

// A pattern that reads the keys of others has their sizes.
void take_sizes_of_sources(Pattern& reader, const std::vector<Pattern>& patterns) {
  for (const std::string& name : reader.keys_from) {
    const auto here = std::ranges::find(patterns, name, &Pattern::name);
    const auto built_in = here == patterns.end() ? builtin_pattern(name) : Result<Pattern>(*here);
    if (!built_in) continue;
    for (const SizeClass& size : built_in->sizes) {
      const auto known = std::ranges::find(reader.sizes, size.label, &SizeClass::label);
      if (known == reader.sizes.end()) reader.sizes.push_back({size.label, size.bytes, 1});
    }
  }
  std::ranges::sort(reader.sizes, {}, &SizeClass::bytes);
}

unsigned thread_count(const RunFlags& flags) {
  return static_cast<unsigned>(flags.threads.value_or(usable_cores()));
}

std::uint64_t clients_of(const Pattern& pattern, const RunFlags& flags) {
  if (const auto named = flags.pattern_concurrency.find(pattern.name);
      named != flags.pattern_concurrency.end()) {
    return named->second;
  }
  if (flags.concurrency) return *flags.concurrency;
  if (pattern.clients > 0) return pattern.clients;
  return static_cast<std::uint64_t>(
      std::max(1.0, std::round(pattern.clients_per_core * thread_count(flags))));
}

// What --rate and its like say over the pattern's own [arrivals].
Result<void> take_open_loop(const RunFlags& flags, Pattern& pattern) {
  const auto named = flags.pattern_rates.find(pattern.name);
  const bool has_name = named != flags.pattern_rates.end();
  if (pattern.sweeps()) {
    if (!has_name) return {};
    return usage_error(fmt::format("--rate {}=…: {} goes through a listing once a cycle, at no rate",
                                   pattern.name, pattern.name));
  }
  if (has_name || flags.rate) {
    const RunFlags::Rate& rate = has_name ? named->second : *flags.rate;
    OpenLoopSpec& spec = pattern.open_loop ? *pattern.open_loop : pattern.open_loop.emplace();
    spec.course = RateCourse::constant(rate.to);
    if (rate.from != rate.to) {
      if (!flags.duration)
        return usage_error("a --rate that grows needs --duration: it gets there at its end");
      spec.course.stretches.insert(spec.course.stretches.begin(), {rate.from, rate.to, *flags.duration});
    }
  } else if (pattern.open_loop) {
    pattern.open_loop->course = pattern.open_loop->course.scaled(flags.time_scale);
  }
  if (!pattern.open_loop) return {};
  if (flags.arrival) pattern.open_loop->kind = *flags.arrival;
  if (flags.max_backlog) pattern.open_loop->max_backlog = *flags.max_backlog;
  return {};
}

// Flags of an open loop that meet none are a mistake.
Result<void> check_open_loop(const RunFlags& flags, const std::vector<PlannedPattern>& planned) {
  const bool any =
      std::ranges::any_of(planned, [](const auto& p) { return p.pattern.open_loop.has_value(); });
  if (any) return {};
  const std::string_view flag = flags.rate          ? "--rate"
                                : flags.arrival     ? "--arrival"
                                : flags.max_backlog ? "--max-backlog"
                                                    : "";
  if (flag.empty()) return {};
  if (flags.rate) {
    return usage_error(fmt::format("--rate: {} goes through a listing once a cycle, at no rate",
                                   planned.front().pattern.name));
  }
  return usage_error(fmt::format("{} is for an open loop; give it a --rate, as in --rate 500/s", flag));
}

Result<std::vector<ResolvedEndpoint>> resolve_all(const std::vector<Endpoint>& endpoints) {
  std::vector<ResolvedEndpoint> out;
  for (const Endpoint& e : endpoints) {
    auto addresses = resolve(e.host, e.port);
    if (!addresses) {
      return std::unexpected(unresolved(e.url(), addresses.error()));
    }
    out.push_back({e.url(), e.host, e.host_header(), e.tls, std::move(*addresses)});
  }
  return out;
}

// A client keeps a connection to each endpoint that it uses; as many as its SDK keeps, if it uploads parts.
RunNeeds needs_of(const RunPlan& plan, std::uint64_t pool_bytes) {
  const WireTraits traits = plan.profile->traits(false);
  const std::uint64_t endpoints = traits.one_endpoint ? 1 : plan.endpoints.size();
  RunNeeds needs{.endpoints = endpoints,
                 .threads = plan.threads,
                 .tls = std::ranges::any_of(plan.endpoints, &ResolvedEndpoint::tls),
                 .pool_bytes = pool_bytes};
  for (const PlannedPattern& p : plan.patterns) {
    const std::uint64_t busy = busy_connections(plan, p.pattern);
    const std::uint64_t kept = std::min<std::uint64_t>(busy, traits.kept_connections);
    needs.clients += p.clients;
    needs.busy += p.clients * busy;
    needs.kept += p.clients * std::max(endpoints * kept, busy);
  }
  return needs;
}

}  // namespace

std::shared_ptr<const ContentPool> take_pool(const std::filesystem::path& directory, std::uint64_t largest) {
  OpenedPool opened = open_pool(directory, largest);
  std::string line =
      fmt::format("content: {} from {}", format_size(opened.pool->size()), opened.file.string());
  if (opened.file.empty()) {
    line = fmt::format(
        "content: {} built in memory: {}", format_size(opened.pool->size()),
        opened.problem.empty()
            ? fmt::format("there is no data file for it in {}; init-data writes them", directory.string())
            : opened.problem);
  }
  const bool wrong = opened.file.empty() && !opened.problem.empty();
  log_line(wrong ? LogLevel::warning : LogLevel::debug, {}, line);
  return opened.pool;
}

Result<std::vector<PlannedPattern>> plan_patterns(const RunFlags& flags) {
  auto patterns = find_patterns(flags.pattern);
  if (!patterns) return std::unexpected(patterns.error());
  // A pattern without sizes and sources writes and reads no objects.
  for (Pattern& pattern : *patterns) {
    if (!flags.sizes.empty() && !pattern.sizes.empty()) pattern.sizes = flags.sizes;
  }
  std::vector<PlannedPattern> planned;
  for (Pattern& pattern : *patterns) {
    if (pattern.sizes.empty()) take_sizes_of_sources(pattern, *patterns);
    if (pattern.sizes.empty() && !pattern.keys_from.empty()) pattern.sizes = flags.sizes;
    if (pattern.sizes.empty() && !pattern.keys_from.empty()) {
      return usage_error(
          fmt::format("{} reads the keys of {}, which no pattern here has sizes for: name them with --size",
                      pattern.name, fmt::join(pattern.keys_from, ", ")));
    }
  }
  for (Pattern& pattern : *patterns) {
    if (const auto taken = take_open_loop(flags, pattern); !taken) return std::unexpected(taken.error());
    const std::uint64_t clients = clients_of(pattern, flags);
    planned.push_back({std::move(pattern), clients});
  }
  if (const auto fits = check_open_loop(flags, planned); !fits) return std::unexpected(fits.error());
  std::vector<std::string_view> names;
  for (const PlannedPattern& p : planned) names.push_back(p.pattern.name);
  const auto is_among = [&](const std::string& name, const std::string& flag) -> Result<void> {
    if (std::ranges::find(names, name) != names.end()) return {};
    return usage_error(
        fmt::format("{}: {} is not among the patterns of this run; {}", flag, name, suggest(name, names)));
  };
  for (const auto& [name, n] : flags.pattern_concurrency) {
    const auto known = is_among(name, fmt::format("--concurrency {}={}", name, n));
    if (!known) return std::unexpected(known.error());
  }
  for (const auto& [name, rate] : flags.pattern_rates) {
    const auto known = is_among(name, fmt::format("--rate {}=…", name));
    if (!known) return std::unexpected(known.error());
  }
  return planned;
}

Result<RunPlan> plan_access(const Settings& settings) {
  RunPlan plan;
  plan.profile = find_profile(settings.backend == "proxy" ? "native" : settings.backend);
  if (std::ranges::any_of(settings.endpoints, &Endpoint::tls)) {
    auto client = TlsClient::create({.verify = settings.verify_tls,
                                     .ca_bundle = settings.ca_bundle.string(),
                                     .resume = plan.profile->traits(true).resumes_tls});
    if (!client) {
      return usage_error(fmt::format("AWS_CA_BUNDLE={}: {}; it must be a PEM file of certificates",
                                     settings.ca_bundle.string(), client.error()));
    }
    plan.tls = std::move(*client);
  }
  plan.credentials = settings.credentials;
  plan.region = settings.region;
  plan.bucket = settings.bucket;
  return plan;
}

Result<RunPlan> plan_storage(const Settings& settings) {
  auto plan = plan_access(settings);
  if (!plan) return plan;
  auto endpoints = resolve_all(settings.endpoints);
  if (!endpoints) return std::unexpected(endpoints.error());
  plan->endpoints = plan->storage = std::move(*endpoints);
  return plan;
}

namespace {

// s3pool takes the storage's place: requests go there, unsigned.
Result<void> go_through_s3pool(const Settings& settings, const RunFlags& flags, RunPlan& plan) {
  plan.profile = find_profile("proxy");
  const auto passes = can_go_through_s3pool(settings, flags.prefix, !flags.no_proxy);
  if (!passes) return passes;
  auto addresses = proxy_addresses(settings);
  if (!addresses) return std::unexpected(addresses.error());
  plan.endpoints = {{settings.proxy.url(), settings.proxy.host, settings.proxy.host_header(), false,
                     std::move(*addresses)}};
  return check_limits_of_s3pool(flags, plan);
}

}  // namespace

Result<void> check_limits_of_s3pool(const RunFlags& flags, const RunPlan& plan) {
  if (flags.force || flags.no_proxy) return {};
  std::vector<BodiesUnderWay> bodies;
  std::uint64_t clients = 0;
  for (const PlannedPattern& p : plan.patterns) {
    clients += p.clients;
    bodies.push_back({.clients = p.clients});
    for (const SizeClass& s : p.pattern.sizes)
      bodies.back().largest = std::max(bodies.back().largest, s.bytes);
  }
  if (const auto enough = check_memory_of_s3pool(bodies); !enough) return enough;
  return check_descriptors_of_s3pool(clients);
}

Result<RunPlan> make_plan(const Settings& settings, const RunFlags& flags,
                          std::vector<PlannedPattern> patterns) {
  auto storage = plan_storage(settings);
  if (!storage) return storage;
  RunPlan plan = std::move(*storage);
  if (flags.payload) {
    const WireProfile* const with_payload = plan.profile->with(*flags.payload);
    if (with_payload == nullptr || settings.backend == "proxy") {
      return usage_error(fmt::format("--payload {}: backend {} has no choice of it; give --backend native",
                                     name(*flags.payload), settings.backend));
    }
    plan.profile = with_payload;
  }
  plan.threads = thread_count(flags);
  plan.patterns = std::move(patterns);

  if (settings.backend == "proxy") {
    if (const auto through = go_through_s3pool(settings, flags, plan); !through)
      return std::unexpected(through.error());
  }

  std::uint64_t largest = 0;
  std::uint64_t clients = 0;
  for (const PlannedPattern& p : plan.patterns) {
    clients = std::max(clients, p.clients);
    for (const SizeClass& s : p.pattern.sizes) largest = std::max(largest, s.bytes);
  }
  plan.multipart_size = flags.multipart_size;
  if (plan.multipart_size && parts_of(largest, *plan.multipart_size) > most_parts) {
    return usage_error(fmt::format(
        "--multipart-size {}: an object of {} would have {} parts, and S3 has 10,000 at most; use {} or more",
        format_size(*plan.multipart_size), format_size(largest),
        format_count(parts_of(largest, *plan.multipart_size)),
        format_size_label((parts_of(largest, most_parts) + MiB - 1) / MiB * MiB)));
  }
  plan.threads = static_cast<unsigned>(std::min<std::uint64_t>(plan.threads, clients));
  const RunNeeds needs = needs_of(plan, ContentPool::size_for(largest));
  const auto connections = raise_descriptor_limit(needs);
  if (!connections) return std::unexpected(connections.error());
  plan.most_connections = *connections;
  if (const auto enough = check_memory(needs, plan.most_connections); !enough)
    return std::unexpected(enough.error());
  plan.pool = take_pool(settings.data_dir, largest);

  plan.prefix = flags.prefix;
  plan.worker = static_cast<unsigned>(flags.worker_id);
  plan.seed = flags.seed.value_or(static_cast<std::uint64_t>(std::random_device()()));
  plan.duration = flags.duration;
  plan.warmup = std::chrono::ceil<std::chrono::seconds>(flags.warmup);
  if (flags.duration && plan.warmup >= *flags.duration) {
    return usage_error(
        fmt::format("--warmup {} leaves nothing of --duration {} to measure; it is the first part of it",
                    format_duration(flags.warmup), format_duration(*flags.duration)));
  }
  plan.operations = flags.operations;
  plan.bytes = flags.bytes;
  plan.grace = flags.grace;
  plan.retry.retries = static_cast<unsigned>(std::min<std::uint64_t>(flags.retries.most, 1000));
  if (flags.retries.as_sdk) {
    plan.sdk_retries = plan.profile->sdk_retries();
    if (!plan.sdk_retries) {
      return usage_error(
          fmt::format("--retries sdk: backend {} is no SDK's; give a number", plan.profile->name()));
    }
  }
  plan.verify = flags.verify;
  plan.content = flags.content;
  plan.limits = {flags.max_keys, flags.max_bytes};
  plan.prefill = flags.prefill;
  plan.time_scale = flags.time_scale;
  plan.bandwidth = flags.bandwidth;
  return plan;
}

}  // namespace s3lt
