#include "cli/prefix_guard.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace s3lt {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view own_prefix = "loadtest/";

boost::json::object read_record(const fs::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return {};
  boost::system::error_code wrong;
  auto json = boost::json::parse(text.str(), wrong);
  return !wrong && json.is_object() ? std::move(json.get_object()) : boost::json::object();
}

// Whether the run of this record wrote there.
bool wrote_there(const boost::json::object& run, const RunPlan& plan, std::string_view prefix) {
  const auto word = [&](const char* name) -> std::string_view {
    const auto* value = run.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : "";
  };
  const auto* writes = run.if_contains("writes");
  if (writes == nullptr || !writes->is_bool() || !writes->get_bool()) return false;
  const std::string_view recorded = word("prefix");
  if (recorded.empty() || !prefix.starts_with(recorded) || word("bucket") != plan.bucket) return false;
  const auto* endpoints = run.if_contains("endpoints");
  if (endpoints == nullptr || !endpoints->is_array()) return false;
  for (const auto& url : endpoints->get_array()) {
    for (const ResolvedEndpoint& e : plan.storage) {
      if (url.is_string() && std::string_view(url.get_string()) == e.url) return true;
    }
  }
  return false;
}

}  // namespace

Result<void> may_delete_under(std::string_view prefix, const Settings& settings, const RunPlan& plan,
                              std::string_view otherwise) {
  if (prefix.starts_with(own_prefix)) return {};
  std::error_code error;
  for (fs::directory_iterator at(settings.log_dir, error), end; !error && at != end; at.increment(error)) {
    if (wrote_there(read_record(at->path() / "run.json"), plan, prefix)) return {};
  }
  return usage_error(fmt::format(
      "no run that is recorded in {} wrote under {} in bucket {}; add --yes if test objects there are to be "
      "deleted, {}",
      settings.log_dir.string(), prefix, plan.bucket, otherwise));
}

}  // namespace s3lt
