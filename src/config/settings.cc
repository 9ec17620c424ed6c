#include "config/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include "base/nearest.h"
#include "config/source_values.h"

namespace s3lt {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::optional<bool> to_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "1" || word == "yes") return true;
  if (word == "false" || word == "0" || word == "no") return false;
  return std::nullopt;
}

// Puts where the value stands before what is wrong with it.
template <class T>
std::unexpected<Error> at(const std::string& where, Result<T>& result) {
  return usage_error(fmt::format("{}: {}", where, result.error().message));
}

Result<void> read_bool(const SourceValues& values, std::string_view setting, bool& out) {
  const auto value = values.get(setting);
  if (!value) return {};
  const auto parsed = to_bool(value->text);
  if (!parsed) {
    return usage_error(fmt::format("{}: \"{}\" is neither true nor false; write true/false, 1/0 or yes/no",
                                   value->where, value->text));
  }
  out = *parsed;
  return {};
}

template <class Text>
void read_text(const SourceValues& values, std::string_view setting, Text& out) {
  if (const auto value = values.get(setting)) out = value->text;
}

// What goes into a header or a signature must not break the header. The value is a secret: not shown.
Result<void> read_secret(const SourceValues& values, std::string_view setting, std::string& out) {
  const auto value = values.get(setting);
  if (!value) return {};
  if (std::ranges::any_of(value->text, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return usage_error(
        fmt::format("{}: the value holds a control character; copy it again as one line", value->where));
  }
  out = value->text;
  return {};
}

Result<void> read_endpoints(const SettingsSources& sources, const SourceValues& values, Settings& out) {
  if (!sources.endpoints.empty()) {
    for (const std::string& flag : sources.endpoints) {
      auto parsed = parse_endpoints(flag, "--endpoint ");
      if (!parsed) return at("--endpoint", parsed);
      out.endpoints.insert(out.endpoints.end(), parsed->begin(), parsed->end());
    }
    return {};
  }
  std::string_view setting = "S3_ENDPOINTS";
  auto value = values.get(setting);
  if (!value) value = values.get(setting = "S3_POOL");
  if (!value) return {};
  auto parsed = parse_endpoints(value->text, fmt::format("{}=", setting));
  if (!parsed) return at(value->where, parsed);
  out.endpoints = std::move(*parsed);
  return {};
}

Result<void> read_bucket(const SettingsSources& sources, const SourceValues& values, Settings& out) {
  std::string where = "--bucket";
  out.bucket = sources.bucket;
  if (out.bucket.empty()) {
    const auto value = values.get("S3_BUCKET");
    if (!value) return {};
    out.bucket = value->text;
    where = value->where;
  }
  const bool valid = out.bucket.size() >= 3 && out.bucket.size() <= 255 &&
                     std::ranges::all_of(out.bucket, [](unsigned char c) {
                       return (c < 0x80 && std::isalnum(c) != 0) || c == '-' || c == '.' || c == '_';
                     });
  if (valid) return {};
  return usage_error(
      fmt::format("{}: \"{}\" is not a bucket's name; it has 3 to 63 letters, digits, dots and hyphens, and "
                  "no s3:// or path",
                  where, out.bucket));
}

// Any case; `rustproxy` means proxy.
Result<void> read_backend(const SettingsSources& sources, const SourceValues& values, Settings& out) {
  std::string where = "--backend", text = sources.backend;
  if (text.empty()) {
    const auto value = values.get("S3LOADTEST_BACKEND");
    if (!value) return {};
    text = value->text;
    where = value->where;
  }
  std::string word = lower(text);
  if (word == "rustproxy") word = "proxy";
  if (std::ranges::find(sources.backends, word) == sources.backends.end()) {
    return usage_error(
        fmt::format("{}: \"{}\" is not a backend; {}", where, text, suggest(word, sources.backends)));
  }
  out.backend = std::move(word);
  return {};
}

Result<void> read_tls(const SettingsSources& sources, const SourceValues& values, Settings& out) {
  read_text(values, "AWS_CA_BUNDLE", out.ca_bundle);
  out.verify_tls = !out.ca_bundle.empty();
  if (auto ok = read_bool(values, "S3_VERIFY_SSL", out.verify_tls); !ok) return ok;
  const bool tls = std::ranges::any_of(out.endpoints, &Endpoint::tls);
  if (tls && !out.verify_tls && sources.storage_needed) {
    out.warnings.push_back(
        "the server's certificate is not verified; set S3_VERIFY_SSL=true (and AWS_CA_BUNDLE for a private "
        "CA) to "
        "verify it");
  }
  return {};
}

Result<void> read_logging(const SourceValues& values, Settings& out) {
  if (const auto value = values.get("LOADTEST_LOG_LEVEL")) {
    auto parsed = parse_log_level(value->text);
    if (!parsed) return at(value->where, parsed);
    out.log_level = *parsed;
  }
  read_text(values, "LOADTEST_LOG_FILE", out.log_file);
  return read_bool(values, "LOADTEST_LOG_JSON", out.log_json);
}

// S3POOL_PROXY_PORT is the older name, and of the port alone.
Result<void> read_proxy(const SourceValues& values, Settings& out) {
  if (const auto value = values.get("S3POOL_PROXY_PORT")) {
    const char* end = value->text.data() + value->text.size();
    const auto parsed = std::from_chars(value->text.data(), end, out.proxy.port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || out.proxy.port == 0) {
      return usage_error(
          fmt::format("{}: \"{}\" is not a port; it is a number from 1 to 65535", value->where, value->text));
    }
  }
  const auto value = values.get("S3LOADTEST_PROXY_ADDR");
  if (!value) return {};
  const auto parsed = parse_endpoint("http://" + value->text);
  const bool has_port = value->text.find(':', value->text.rfind(']') + 1) != std::string::npos;
  if (!parsed || !has_port || value->text.find('/') != std::string::npos) {
    return usage_error(fmt::format("{}: \"{}\" is no address and port; write it like 127.0.0.1:18080",
                                   value->where, value->text));
  }
  out.proxy = *parsed;
  return {};
}

void read_places(const SourceValues& values, Settings& out) {
  read_text(values, "S3LOADTEST_DATA_DIR", out.data_dir);
  read_text(values, "S3LOADTEST_LOG_DIR", out.log_dir);
  read_text(values, "S3LOADTEST_WORKERS_FILE", out.workers_file);
  read_text(values, "S3LOADTEST_TEMP_DIR", out.temp_dir);
  out.key_dir = out.temp_dir;
  read_text(values, "S3LOADTEST_KEY_DIR", out.key_dir);
  read_text(values, "S3LOADTEST_ENV_DIR", out.env_dir);
  read_text(values, "S3LOADTEST_REMOTE_CODE_DIR", out.remote_code_dir);
  read_text(values, "S3LOADTEST_REMOTE_LOG_DIR", out.remote_log_dir);
  read_text(values, "S3POOL_BINARY", out.s3pool_binary);
}

Result<void> check_complete(const SettingsSources& sources, const SourceValues& values,
                            const Settings& settings) {
  if (!sources.storage_needed) return {};
  std::vector<std::string> missing;
  bool hidden = false;
  const auto require = [&](std::string_view setting, bool given) {
    if (given) return;
    if (values.hidden(setting)) {
      hidden = true;
      missing.push_back(fmt::format("{} (empty in the environment, which hides the file's)", setting));
      return;
    }
    const std::string meant = values.misspelling_of(setting);
    missing.push_back(meant.empty() ? std::string(setting)
                                    : fmt::format("{} (is it meant by {}?)", setting, meant));
  };
  require("S3_ENDPOINTS", !settings.endpoints.empty());
  require("AWS_ACCESS_KEY_ID", !settings.credentials.access_key.empty());
  require("AWS_SECRET_ACCESS_KEY", !settings.credentials.secret_key.empty());
  require("S3_BUCKET", !settings.bucket.empty());
  if (missing.empty()) return {};
  const std::string remedy =
      hidden ? "unset it in the environment or give it a value there"
      : values.file().path.empty()
          ? fmt::format("there is no {}; copy .env.example to it and fill it in, or name a file with --env",
                        (sources.working_dir / ".env").lexically_normal().string())
          : fmt::format("add NAME=value lines to {} or set them in the environment", values.file().path);
  return usage_error(fmt::format("missing {}: {}; {}", missing.size() == 1 ? "setting" : "settings",
                                 fmt::join(missing, ", "), remedy));
}

// A key from one place and its secret or token from another seldom belong together.
void warn_of_mixed_credentials(const SourceValues& values, Settings& out) {
  const auto key = values.get("AWS_ACCESS_KEY_ID"), secret = values.get("AWS_SECRET_ACCESS_KEY"),
             token = values.get("AWS_SESSION_TOKEN");
  const bool mixed = key && ((secret && secret->from_environment != key->from_environment) ||
                             (token && token->from_environment != key->from_environment));
  if (!mixed) return;
  out.warnings.push_back(fmt::format(
      "the credentials come partly from the environment and partly from {}; set all of them in one place",
      values.file().path));
}

}  // namespace

SettingsSources process_sources() {
  SettingsSources sources;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    sources.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  if (const auto home = sources.environment.find("HOME"); home != sources.environment.end()) {
    sources.home_dir = home->second;
  }
  return sources;
}

Result<Settings> load_settings(const SettingsSources& sources) {
  auto file = read_env_file(sources.env_file, sources.working_dir, sources.home_dir);
  if (!file) return std::unexpected(std::move(file.error()));
  const SourceValues values(sources.environment, std::move(*file));

  Settings out;
  out.origin = values.origin();
  out.warnings = values.warnings();
  read_text(values, "AWS_DEFAULT_REGION", out.region);
  read_text(values, "AWS_REGION", out.region);
  read_places(values, out);
  for (const auto& step :
       {read_secret(values, "AWS_ACCESS_KEY_ID", out.credentials.access_key),
        read_secret(values, "AWS_SECRET_ACCESS_KEY", out.credentials.secret_key),
        read_secret(values, "AWS_SESSION_TOKEN", out.credentials.session_token),
        read_endpoints(sources, values, out), read_bucket(sources, values, out),
        read_backend(sources, values, out), read_tls(sources, values, out), read_logging(values, out),
        read_proxy(values, out), check_complete(sources, values, out)}) {
    if (!step) return std::unexpected(step.error());
  }
  warn_of_mixed_credentials(values, out);
  return out;
}

}  // namespace s3lt
