#include "config/setting_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "base/nearest.h"

namespace s3lt {
namespace {

constexpr std::array<std::string_view, 25> names = {
    "S3_ENDPOINTS",
    "S3_POOL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "S3_BUCKET",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "S3_VERIFY_SSL",
    "AWS_CA_BUNDLE",
    "S3LOADTEST_BACKEND",
    "S3LOADTEST_DATA_DIR",
    "S3LOADTEST_LOG_DIR",
    "S3LOADTEST_WORKERS_FILE",
    "S3LOADTEST_TEMP_DIR",
    "S3LOADTEST_KEY_DIR",
    "S3LOADTEST_REMOTE_CODE_DIR",
    "S3LOADTEST_REMOTE_LOG_DIR",
    "S3POOL_BINARY",
    "S3LOADTEST_PROXY_ADDR",
    "S3POOL_PROXY_PORT",
    "S3LOADTEST_ENV_DIR",
    "LOADTEST_LOG_LEVEL",
    "LOADTEST_LOG_JSON",
    "LOADTEST_LOG_FILE",
};

// Only we read names that begin so: an unknown one of them is certainly a mistake.
constexpr std::array<std::string_view, 3> our_prefixes = {"S3LOADTEST_", "LOADTEST_", "S3POOL_"};

}  // namespace

std::span<const std::string_view> setting_names() {
  return names;
}

bool is_setting_name(std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view misspelt_setting(std::string_view name) {
  if (is_setting_name(name)) return {};
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string_view best = nearest(upper, names);
  const bool ours = std::ranges::any_of(our_prefixes, [&](auto prefix) { return upper.starts_with(prefix); });
  // S3_ENDPOINT_URL, S3_BUCKET_NAME and their like say more than our names; AWS names are left to the
  // other programs that read them unless they are a letter or two off.
  const bool longer =
      upper.starts_with("S3") && (upper.starts_with("S3_ENDPOINT") || upper.starts_with("S3_BUCKET"));
  if (longer) return upper.starts_with("S3_BUCKET") ? "S3_BUCKET" : "S3_ENDPOINTS";
  return ours || (upper.size() >= 6 && edit_distance(upper, best) <= 2) ? best : std::string_view{};
}

}  // namespace s3lt
