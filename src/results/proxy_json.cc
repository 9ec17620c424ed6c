#include "results/proxy_json.h"

#include <algorithm>
#include <boost/json.hpp>

#include "results/run_reader.h"

namespace s3lt {
namespace json = boost::json;
namespace {

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::vector<std::string> texts_in(const json::object& object, std::string_view field) {
  std::vector<std::string> out;
  const json::value* texts = object.if_contains(field);
  if (texts == nullptr || !texts->is_array()) return out;
  for (const json::value& text : texts->get_array()) {
    if (text.is_string()) out.emplace_back(text.get_string());
  }
  return out;
}

}  // namespace

json::value proxy_value(const std::optional<ProxyRecord>& proxy) {
  if (!proxy) return nullptr;
  const ProxyRecord& p = *proxy;
  json::object out{{"address", p.address},
                   {"ours", p.ours},
                   {"shared", p.shared},
                   {"log", p.log.empty() ? json::value(nullptr) : json::value(p.log)},
                   {"deaths", p.deaths},
                   {"restarts", p.starts},
                   {"down_seconds", p.down_seconds},
                   {"stopped_seconds", p.stopped_seconds},
                   {"stopped_pid", p.stopped_pid == 0 ? json::value(nullptr) : json::value(p.stopped_pid)},
                   {"how_it_died", array_of(p.how_it_died)},
                   {"cpu_seconds", nullptr},
                   {"max_rss_bytes", nullptr},
                   {"own_answers", p.own_answers},
                   {"gave_up", array_of(p.gave_up)},
                   {"gave_up_all", p.gave_up_all}};
  if (p.observed) {
    out["cpu_seconds"] = p.cpu_seconds;
    out["max_rss_bytes"] = static_cast<std::uint64_t>(std::max(0.0, p.max_rss_bytes));
  }
  return out;
}

std::optional<ProxyRecord> proxy_in(const json::object& summary) {
  const json::object& of = object_in(summary, "proxy");
  if (of.empty()) return std::nullopt;
  const json::value* cpu = of.if_contains("cpu_seconds");
  return ProxyRecord{.address = text_in(of, "address"),
                     .log = text_in(of, "log"),
                     .ours = truth_in(of, "ours"),
                     .shared = truth_in(of, "shared"),
                     .observed = cpu != nullptr && cpu->is_number(),
                     .deaths = count_in(of, "deaths"),
                     .starts = count_in(of, "restarts"),
                     .down_seconds = number_in(of, "down_seconds"),
                     .stopped_seconds = number_in(of, "stopped_seconds"),
                     .stopped_pid = static_cast<std::int64_t>(count_in(of, "stopped_pid")),
                     .how_it_died = texts_in(of, "how_it_died"),
                     .cpu_seconds = number_in(of, "cpu_seconds"),
                     .max_rss_bytes = number_in(of, "max_rss_bytes"),
                     .own_answers = count_in(of, "own_answers"),
                     .gave_up = texts_in(of, "gave_up"),
                     .gave_up_all = truth_in(of, "gave_up_all")};
}

}  // namespace s3lt
