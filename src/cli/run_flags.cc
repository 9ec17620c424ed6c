#include "cli/run_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "cli/flag_parsing.h"
#include "s3/multipart.h"

namespace s3lt {
namespace {

// A key has 1024 bytes (S3 API reference, "Naming Amazon S3 objects"); the rest is for worker, size, pattern,
// time and suffix.
constexpr std::size_t most_prefix = 800;

Result<std::uint64_t> at_least_one(const std::string& text) {
  const auto n = parse_count(text);
  if (n && *n == 0) return usage_error(fmt::format("\"{}\" is too small: at least 1", text));
  return n;
}

Result<std::uint64_t> positive_size(const std::string& text) {
  const auto n = parse_size(text);
  if (n && *n == 0) return usage_error(fmt::format("\"{}\" is too small: at least 1 byte", text));
  return n;
}

Result<double> positive_rate(const std::string& text) {
  const auto rate = parse_rate(text);
  if (rate && *rate <= 0)
    return usage_error(fmt::format("\"{}\" is too slow: more than 0 bytes a second", text));
  return rate;
}

// "100", or "baseload=100".
Result<void> take_concurrency(RunFlags& flags, const std::string& text) {
  const std::size_t equals = text.find('=');
  const auto n = at_least_one(equals == text.npos ? text : text.substr(equals + 1));
  if (!n) return std::unexpected(n.error());
  if (equals == text.npos) {
    flags.concurrency = *n;
  } else {
    flags.pattern_concurrency[text.substr(0, equals)] = *n;
  }
  return {};
}

Result<double> positive_operation_rate(const std::string& text) {
  const auto rate = parse_operation_rate(text);
  if (rate && (*rate <= 0 || *rate > static_cast<double>(most_arrival_rate)))
    return usage_error(
        fmt::format("\"{}\" is not above 0 and at most {}/s", text, format_count(most_arrival_rate)));
  return rate;
}

// "500/s", "100..5000/s", or "baseload=500/s".
Result<void> take_rate(RunFlags& flags, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string value = equals == text.npos ? text : text.substr(equals + 1);
  const std::size_t dots = value.find("..");
  const auto to = positive_operation_rate(dots == value.npos ? value : value.substr(dots + 2));
  if (!to) return std::unexpected(to.error());
  RunFlags::Rate rate{*to, *to};
  if (dots != value.npos) {
    // The unit stands behind the second one, for both.
    const std::size_t unit = value.find('/', dots);
    std::string from = value.substr(0, dots);
    if (unit != value.npos && from.find('/') == from.npos) from += value.substr(unit);
    auto begin = parse_operation_rate(from);
    if (!begin || *begin != 0) begin = positive_operation_rate(from);  // it may grow from nothing
    if (!begin) return std::unexpected(begin.error());
    rate.from = *begin;
  }
  if (equals == text.npos) {
    flags.rate = rate;
  } else {
    flags.pattern_rates[text.substr(0, equals)] = rate;
  }
  return {};
}

Result<ArrivalKind> parse_arrival(const std::string& text) {
  if (text == "constant") return ArrivalKind::constant;
  if (text == "poisson") return ArrivalKind::poisson;
  return usage_error(fmt::format("\"{}\" is neither constant nor poisson", text));
}

// "1MB", or several with weights: "4KiB=80,1MiB=20".
Result<void> take_sizes(RunFlags& flags, const std::string& text) {
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const std::size_t equals = item.find('=');
    const auto bytes = positive_size(std::string(item.substr(0, equals)));
    if (!bytes) return std::unexpected(bytes.error());
    if (*bytes > largest_object) {
      return usage_error(fmt::format("{} is more than S3 keeps in an object, 5TiB", item.substr(0, equals)));
    }
    double weight = 1;
    if (equals != item.npos) {
      const std::string weight_text(item.substr(equals + 1));
      char* end = nullptr;
      weight = std::strtod(weight_text.c_str(), &end);
      if (weight_text.empty() || *end != '\0' || !std::isfinite(weight) || weight <= 0) {
        return usage_error(
            fmt::format("the weight \"{}\" is not a number above 0, as in 4KiB=80,1MiB=20", weight_text));
      }
    }
    const std::string label = format_size_label(*bytes);
    const bool known = std::any_of(flags.sizes.begin(), flags.sizes.end(),
                                   [&](const SizeClass& s) { return s.label == label; });
    if (known) return usage_error(fmt::format("the size {} stands there twice", label));
    flags.sizes.push_back({label, *bytes, weight});
    if (comma == rest.npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

Result<std::uint64_t> parse_part_size(const std::string& text) {
  const auto bytes = positive_size(text);
  if (bytes && (*bytes < smallest_part || *bytes > largest_put)) {
    return usage_error(fmt::format("S3 has parts from 5MiB to 5GiB, and {} is none", text));
  }
  return bytes;
}

Result<std::uint64_t> parse_worker(const std::string& text) {
  const auto n = parse_count(text);
  if (n && *n > 999'999) return usage_error(fmt::format("\"{}\" is above 999,999", text));
  return n;
}

Result<Retries> parse_retries(const std::string& text) {
  if (text == "sdk") return Retries{.as_sdk = true};
  const auto n = parse_count(text);
  if (!n) return usage_error(fmt::format("\"{}\" is neither a whole number, such as 3, nor sdk", text));
  return Retries{.most = *n};
}

Result<Verify> parse_verify(const std::string& text) {
  for (std::size_t i = 0; i < verify_names.size(); ++i) {
    if (text == verify_names[i]) return static_cast<Verify>(i);
  }
  return usage_error(fmt::format("\"{}\" is none of off, sample and all", text));
}

Result<Payload> parse_payload(const std::string& text) {
  const auto found = std::ranges::find(payload_names, text);
  if (found != payload_names.end()) return static_cast<Payload>(found - payload_names.begin());
  return usage_error(fmt::format("\"{}\" is none of unsigned, signed and crc32", text));
}

Result<std::uint64_t> parse_threads(const std::string& text) {
  const auto n = at_least_one(text);
  if (n && *n > 1024) return usage_error(fmt::format("\"{}\" is above 1,024", text));
  return n;
}

Result<double> parse_time_scale(const std::string& text) {
  char* end = nullptr;
  const double scale = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(scale) || scale < 1e-3 || scale > 1e6) {
    return usage_error(fmt::format(
        "\"{}\" is no time scale: use a number from 0.001 to 1000000; 60 makes a minute of an hour", text));
  }
  return scale;
}

}  // namespace

Result<std::string> parse_prefix(const std::string& text) {
  if (text.empty() || text == "/") {
    return usage_error("an empty prefix would mean the whole bucket; give one such as loadtest/");
  }
  if (text.front() == '/')
    return usage_error(fmt::format("\"{}\" begins with '/': S3 keys do not; drop it", text));
  if (text.size() > most_prefix) {
    return usage_error(fmt::format("\"{}…\" has {} bytes: a key has room for {} of a prefix",
                                   text.substr(0, 40), text.size(), most_prefix));
  }
  return text.back() == '/' ? text : text + "/";
}

void add_common_flags(CLI::App& app, CommonFlags& flags) {
  add_value(app, "--env", flags.env_file, as_text, "read settings from this file", "FILE",
            "./.env, ~/.s3loadtest/.env");
  add_flag_value(
      app, "--endpoint",
      [&flags](const std::string& url) -> Result<void> {
        flags.endpoints.push_back(url);
        return {};
      },
      "instead of S3_ENDPOINTS (repeatable)", "URL");
  add_value(app, "--bucket", flags.bucket, as_text, "instead of S3_BUCKET", "NAME");
}

void add_run_flags(CLI::App& app, RunFlags& flags) {
  const auto duration = [](const std::string& text) { return parse_duration(text); };
  const auto duration_or_zero = [](const std::string& text) { return parse_duration(text, true); };
  const auto count = [](const std::string& text) { return parse_count(text); };
  add_common_flags(app, flags.common);
  add_value(app, "--duration", flags.duration, duration, "how long, as in 30s, 5m, 1h30m", "TIME",
            "until stopped");
  add_value(app, "--warmup", flags.warmup, duration,
            "the first part of it, which is left out of the figures (rounded up to whole seconds)", "TIME",
            "none");
  add_value(app, "--operations", flags.operations, at_least_one, "end after this many operations", "N");
  add_value(app, "--bytes", flags.bytes, positive_size, "end after this many bytes moved", "SIZE");
  add_flag_value(
      app, "--concurrency", [&flags](const std::string& text) { return take_concurrency(flags, text); },
      "clients of every pattern, or of one", "N | NAME=N", "the pattern's own");
  add_flag_value(
      app, "--size", [&flags](const std::string& text) { return take_sizes(flags, text); },
      "object size, as in 1MB; repeatable; weighted: 4KiB=80,1MiB=20", "SIZE", "the pattern's own");
  add_flag_value(
      app, "--rate", [&flags](const std::string& text) { return take_rate(flags, text); },
      "open loop: operations that begin a second, of all clients of every pattern, or of one; 100..5000/s "
      "grows over --duration",
      "RATE | NAME=RATE", "closed loop");
  add_value(app, "--arrival", flags.arrival, parse_arrival,
            "in an open loop: as evenly as the rate says, or independent of each other", "constant | poisson",
            "constant");
  add_value(app, "--max-backlog", flags.max_backlog, at_least_one,
            "in an open loop: operations of a pattern that wait for a free client; further ones are not sent",
            "N", "10000");
  add_value(app, "--bandwidth", flags.bandwidth, positive_rate,
            "at most this many bytes a second, all clients of a pattern together", "RATE", "unlimited");
  add_value(app, "--multipart-size", flags.multipart_size, parse_part_size,
            "upload objects of this size and more in parts of it", "SIZE", "the backend's own");
  add_value(app, "--prefill", flags.prefill, count, "objects a pattern writes before the clock starts", "N",
            "0");
  add_value(app, "--existing", flags.existing, as_text,
            "heavyread: list and read the objects that are there under PREFIX, unverified", "PREFIX");
  add_value(app, "--max-keys", flags.max_keys, at_least_one,
            "keys that a pattern keeps; the oldest are deleted", "N", "5000");
  add_value(app, "--max-bytes", flags.max_bytes, positive_size, "bytes that a pattern keeps", "SIZE",
            "20GiB");
  add_value(app, "--threads", flags.threads, parse_threads, "cores to use", "N", "all");
  add_value(app, "--worker-id", flags.worker_id, parse_worker, "this worker's number, part of its keys", "N",
            "0");
  add_value(app, "--prefix", flags.prefix, parse_prefix, "every key begins with it", "PREFIX", "loadtest/");
  app.add_flag("--create-bucket", flags.create_bucket, "make the bucket where it is missing")
      ->disable_flag_override();
  app.add_flag("--yes", flags.yes,
               "let a pattern that goes through a prefix outside loadtest/ delete test objects there, too")
      ->disable_flag_override();
  add_value(app, "--stats-interval", flags.stats_interval, duration_or_zero,
            "time between STATS lines; 0: none", "TIME", "30s");
  add_value(
      app, "--log-level", flags.log_level, [](const std::string& text) { return parse_log_level(text); },
      "DEBUG, INFO, WARNING or ERROR", "LEVEL", "INFO");
  add_value(app, "--seed", flags.seed, count, "fixes the order of operations, sizes, keys and suffixes", "N",
            "random");
  add_value(app, "--time-scale", flags.time_scale, parse_time_scale,
            "divides bursts, gaps, windows and cycles of the patterns by this", "X", "1");
  add_value(app, "--retries", flags.retries, parse_retries,
            "tries after the first of a failed operation; sdk: when and as often as the backend's own SDK",
            "N | sdk", "5");
  add_value(app, "--verify", flags.verify, parse_verify,
            "check the bytes that are read: none, the first block and one read in 64 whole, or every byte",
            "off | sample | all", "sample");
  add_value(app, "--content", flags.content, parse_content_mode,
            "the bytes of objects: nothing in common, alike but for a stamp, N% of blocks common, N% zeros",
            "unique | shared | dedupe=N% | compress=N%", "unique");
  add_value(app, "--payload", flags.payload, parse_payload,
            "what --backend native says of the bodies it writes: nothing, their SHA-256, or their CRC-32",
            "unsigned | signed | crc32", "unsigned");
  add_value(app, "--grace", flags.grace, duration_or_zero,
            "how long operations in flight may go on at the end", "TIME", "10s");
  add_value(app, "--backend", flags.backend, as_text,
            "how requests look on the wire: boto3, minio, native, or proxy (through s3pool)", "NAME",
            "boto3");
  add_flag_value(
      app, "--slo",
      [&flags](const std::string& text) -> Result<void> {
        auto slo = parse_slo(text);
        if (!slo) return std::unexpected(slo.error());
        flags.slos.push_back(std::move(*slo));
        return {};
      },
      "exit status 1 unless the run keeps this, as in 'GET.p99 < 50ms' or 'error_rate < 0.1%' (repeatable)",
      "EXPR");
  app.add_flag("--slo-abort", flags.slo_abort, "end the run when an --slo can no longer be met")
      ->disable_flag_override();
  add_value(app, "--out", flags.out, as_text, "write the run directory here", "DIR", "<log dir>/<run id>");
  app.add_flag("--json", flags.json, "the summary as JSON on stdout")->disable_flag_override();
  app.add_flag("--no-proxy", flags.no_proxy, "backend proxy: use the s3pool that runs, and start none")
      ->disable_flag_override();
  app.add_flag("--force-restart-proxy", flags.force_restart_proxy,
               "backend proxy: end the s3pool that a run of ours started, if one runs, and start it anew")
      ->disable_flag_override();
  app.add_flag("--force", flags.force, "backend proxy: run though s3pool may need more memory than there is")
      ->disable_flag_override();
}

std::vector<std::pair<std::string, std::string>> describe(const RunFlags& flags) {
  std::vector<std::pair<std::string, std::string>> out;
  if (flags.warmup > Duration::zero()) out.emplace_back("warmup", format_duration(flags.warmup));
  if (flags.operations) out.emplace_back("operations", fmt::format("{}", *flags.operations));
  if (flags.bytes) out.emplace_back("bytes", format_size(*flags.bytes));
  for (const SizeClass& s : flags.sizes) out.emplace_back("size", fmt::format("{}={}", s.label, s.weight));
  if (flags.bandwidth) out.emplace_back("bandwidth", format_rate(*flags.bandwidth));
  if (flags.multipart_size) out.emplace_back("multipart_size", format_size(*flags.multipart_size));
  const auto rate_text = [](const RunFlags::Rate& r) {
    return r.from == r.to ? fmt::format("{}/s", r.to) : fmt::format("{}..{}/s", r.from, r.to);
  };
  if (flags.rate) out.emplace_back("rate", rate_text(*flags.rate));
  for (const auto& [name, rate] : flags.pattern_rates)
    out.emplace_back("rate", fmt::format("{}={}", name, rate_text(rate)));
  if (flags.arrival) {
    out.emplace_back("arrival", *flags.arrival == ArrivalKind::constant ? "constant" : "poisson");
  }
  if (flags.max_backlog) out.emplace_back("max_backlog", fmt::format("{}", *flags.max_backlog));
  if (flags.time_scale != 1) out.emplace_back("time_scale", fmt::format("{}", flags.time_scale));
  if (flags.prefill > 0) out.emplace_back("prefill", fmt::format("{}", flags.prefill));
  if (flags.existing) out.emplace_back("existing", *flags.existing);
  out.emplace_back("max_keys", fmt::format("{}", flags.max_keys));
  out.emplace_back("max_bytes", format_size(flags.max_bytes));
  out.emplace_back("retries", flags.retries.as_sdk ? "sdk" : fmt::format("{}", flags.retries.most));
  out.emplace_back("verify", name(flags.verify));
  out.emplace_back("content", name(flags.content));
  // What is left out is what is not said.
  if (flags.payload && *flags.payload != Payload::unsigned_body)
    out.emplace_back("payload", name(*flags.payload));
  out.emplace_back("grace", format_duration(flags.grace));
  for (const Slo& slo : flags.slos) out.emplace_back("slo", slo.text);
  if (flags.slo_abort) out.emplace_back("slo_abort", "true");
  return out;
}

}  // namespace s3lt
