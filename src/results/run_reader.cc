#include "results/run_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "results/endpoints_json.h"
#include "results/sample_lines.h"

namespace s3lt {
namespace fs = std::filesystem;
namespace json = boost::json;
namespace {

std::unexpected<Error> broken(const fs::path& file, std::size_t line, std::string_view why) {
  return usage_error(
      fmt::format("{}:{}: {}; it was changed or damaged after the run wrote it", file.string(), line, why));
}

// A server's words may stand in it, in whatever encoding.
json::value parse(std::string_view text, boost::system::error_code& error) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  return json::parse(text, error, {}, options);
}

std::unexpected<Error> unreadable(const fs::path& file) {
  return usage_error(fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
}

// Every line that has its end: what a crash or a full disk cut off has none. `take` answers with what is
// wrong with a line, or with nothing.
Result<void> for_each_line(const fs::path& file,
                           const std::function<std::string(const std::string& line)>& take) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return unreadable(file);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line) && !in.eof(); ++number) {
    if (const std::string why = take(line); !why.empty()) return broken(file, number, why);
  }
  if (in.bad()) return unreadable(file);
  return {};
}

Result<json::object> read_object(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return unreadable(file);
  std::ostringstream text;
  text << in.rdbuf();
  boost::system::error_code error;
  json::value value = parse(text.str(), error);
  if (error) return broken(file, 1, "it is no JSON (" + error.message() + ")");
  if (!value.is_object()) return broken(file, 1, "it is no JSON object");
  return std::move(value.get_object());
}

std::optional<OperationKind> operation_of(std::string_view text) {
  const auto* found = std::ranges::find(operation_names, text);
  if (found == operation_names.end()) return std::nullopt;
  return static_cast<OperationKind>(found - operation_names.begin());
}

void read_pattern(Snapshot& out, const std::string& pattern, const json::object& object) {
  for (const auto& [operation, figures] : object_in(object, "operations")) {
    const auto kind = operation_of(operation);
    if (!kind || !figures.is_object()) continue;  // of a newer version
    out.cells[{pattern, *kind, ""}].counters = counters_of(figures.get_object());
  }
  read_totals(out, pattern, object);
}

// The end of the last whole line, from the end of the file.
Duration end_of_series(const fs::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const std::streamoff size = in.tellg();
  for (std::streamoff length = 64 * 1024;; length *= 4) {
    const std::streamoff begin = std::max<std::streamoff>(0, size - length);
    std::string tail(static_cast<std::size_t>(size - begin), '\0');
    in.seekg(begin);
    in.read(tail.data(), static_cast<std::streamsize>(tail.size()));
    if (const std::size_t end = tail.rfind('\n'); end != std::string::npos && end > 0) {
      const std::size_t before = tail.rfind('\n', end - 1);
      if (before != std::string::npos || begin == 0) {
        const std::size_t first = before == std::string::npos ? 0 : before + 1;
        boost::system::error_code error;
        const json::value value = parse(std::string_view(tail).substr(first, end - first), error);
        return error || !value.is_object() ? Duration{} : seconds(number_in(value.get_object(), "to"));
      }
    }
    if (begin == 0) return {};
  }
}

bool number_of(std::string_view text, double& out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

// "Tag=<tag>,<start>,<length>,<max>,<histogram>"; false where it is none.
struct HistogramLine {
  std::string_view tag, encoded;
  double start = 0, length = 0;
};
bool split_histogram_line(std::string_view line, HistogramLine& out) {
  if (!line.starts_with("Tag=")) return false;
  line.remove_prefix(4);
  std::array<std::string_view, 4> fields;
  for (std::string_view& field : fields) {
    const std::size_t comma = line.find(',');
    if (comma == line.npos) return false;
    field = line.substr(0, comma);
    line.remove_prefix(comma + 1);
  }
  out.tag = fields[0];
  out.encoded = line;
  return number_of(fields[1], out.start) && number_of(fields[2], out.length);
}

}  // namespace

double number_in(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::uint64_t count_in(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  if (value == nullptr || !value->is_number()) return 0;
  if (value->is_double()) return static_cast<std::uint64_t>(std::clamp(value->get_double(), 0.0, 1e18));
  boost::system::error_code error;
  const auto number = value->to_number<std::uint64_t>(error);
  return error ? 0 : number;
}

std::string text_in(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool truth_in(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::object& object_in(const json::object& object, std::string_view field) {
  static const json::object none;
  const json::value* value = object.if_contains(field);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

void read_totals(Snapshot& out, const std::string& pattern, const json::object& object) {
  const json::object& keys = object_in(object, "keys");
  out.keys[pattern] = {.written = count_in(keys, "written"),
                       .deleted = count_in(keys, "deleted"),
                       .trimmed = count_in(keys, "trimmed"),
                       .alive = count_in(keys, "alive"),
                       .unknown = count_in(keys, "unknown"),
                       .refused = count_in(keys, "refused"),
                       .foreign = count_in(keys, "foreign"),
                       .unaborted = count_in(keys, "unaborted"),
                       .no_key = count_in(keys, "no_key")};
  if (!object.contains("arrivals")) return;
  const json::object& arrivals = object_in(object, "arrivals");
  out.arrivals[pattern] = {.intended = count_in(arrivals, "intended"),
                           .not_sent = count_in(arrivals, "not_sent"),
                           .waiting = count_in(arrivals, "waiting")};
}

Counters counters_of(const json::object& figures) {
  Counters c;
  const std::pair<const char*, std::uint64_t Counters::*> fields[] = {{"count", &Counters::count},
                                                                      {"bytes", &Counters::bytes},
                                                                      {"bytes_moved", &Counters::bytes_moved},
                                                                      {"errors", &Counters::errors},
                                                                      {"not_found", &Counters::not_found},
                                                                      {"cancelled", &Counters::cancelled},
                                                                      {"attempts", &Counters::attempts},
                                                                      {"requests", &Counters::requests},
                                                                      {"seeded", &Counters::seeded},
                                                                      {"behind", &Counters::behind},
                                                                      {"late", &Counters::late},
                                                                      {"late_bytes", &Counters::late_bytes}};
  for (const auto& [field, counter] : fields) c.*counter = count_in(figures, field);
  const json::object& by_outcome = object_in(figures, "outcomes");
  const json::object& failed_with = object_in(figures, "failed_with");
  for (std::size_t i = 0; i < outcomes; ++i) {
    c.outcomes[i] = count_in(by_outcome, outcome_names[i]);
    c.failed_with[i] = count_in(failed_with, outcome_names[i]);
  }
  for (const auto& [code, n] : object_in(figures, "status")) {
    int status = 0;
    std::from_chars(code.data(), code.data() + code.size(), status);
    if (n.is_number()) c.status.emplace_back(status, n.to_number<std::uint64_t>());
  }
  return c;
}

std::optional<HistogramTag> parse_histogram_tag(std::string_view tag) {
  HistogramTag out;
  const auto next = [&tag] {
    const std::size_t dot = tag.find('.');
    const std::string_view word = tag.substr(0, dot);
    tag = dot == tag.npos ? std::string_view() : tag.substr(dot + 1);
    return word;
  };
  constexpr std::string_view warmup = "warmup.";
  if (tag.starts_with(warmup) && std::ranges::count(tag, '.') > 1) {
    out.warmup = true;
    tag.remove_prefix(warmup.size());
  }
  const std::size_t dots = static_cast<std::size_t>(std::ranges::count(tag, '.'));
  std::string_view word = next();
  // A pattern may have such a name; its own line has but one dot.
  if (dots > 1 && word == "minute") out.scope = HistogramTag::Scope::minute;
  if (dots > 1 && word == "total") out.scope = HistogramTag::Scope::total;
  if (out.scope != HistogramTag::Scope::interval) {
    word = next();
    // "endpoints.http://node.example:8080.GET": a URL has dots of its own.
    if (const std::size_t dot = tag.rfind('.');
        word == "endpoints" && tag.find("://") < dot && dot != tag.npos) {
      const auto operation = operation_of(tag.substr(dot + 1));
      if (!operation) return std::nullopt;
      out.operation = *operation;
      out.endpoint = tag.substr(0, dot);
      return out;
    }
  }
  out.pattern = word;
  const auto operation = operation_of(next());
  if (!operation) return std::nullopt;
  out.operation = *operation;
  out.figure = tag;
  return out;
}

Result<RunReader> RunReader::open(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    return usage_error(fmt::format("{} is no run directory: {}", directory.string(),
                                   fs::exists(directory, ignored)
                                       ? "it is a file; name the directory that it is in"
                                       : "there is no such directory"));
  }
  if (!fs::exists(directory / "run.json", ignored)) {
    return usage_error(fmt::format(
        "{} is no run directory: it has no run.json; name one that a run left in the log directory",
        directory.string()));
  }
  RunReader reader;
  reader.path_ = directory;
  auto run = read_object(directory / "run.json");
  if (!run) return std::unexpected(run.error());
  reader.run_ = std::move(*run);
  if (const std::string schema = text_in(reader.run_, "schema"); schema != "s3loadtest.run/1") {
    return broken(directory / "run.json", 1,
                  fmt::format("its schema is \"{}\" and not s3loadtest.run/1", schema));
  }
  if (fs::exists(directory / "summary.json", ignored)) {
    auto summary = read_object(directory / "summary.json");
    if (!summary) return std::unexpected(summary.error());
    reader.summary_ = std::move(*summary);
  }
  reader.recorded_until_ = end_of_series(directory / "series.jsonl");
  return reader;
}

Result<void> RunReader::for_each_interval(const std::function<void(const RecordedInterval&)>& visit) const {
  return for_each_line(path_ / "series.jsonl", [&](const std::string& line) -> std::string {
    boost::system::error_code error;
    const json::value value = parse(line, error);
    if (error) return "no JSON (" + error.message() + ")";
    if (!value.is_object() || !value.get_object().contains("to")) return "no line of a series";
    const json::object& object = value.get_object();
    RecordedInterval interval{.figures = {}, .warmup = truth_in(object, "warmup"), .line = &object};
    interval.figures.from = seconds(number_in(object, "from"));
    interval.figures.to = seconds(number_in(object, "to"));
    interval.figures.grace = seconds(number_in(object, "grace"));
    for (const auto& [pattern, figures] : object_in(object, "patterns")) {
      if (figures.is_object()) read_pattern(interval.figures, pattern, figures.get_object());
    }
    add_endpoints(interval.figures, object.if_contains("endpoints"));
    const json::object& client = object_in(object, "client");
    interval.figures.client = {.cpu_seconds = number_in(client, "cpu_seconds"),
                               .connections = count_in(client, "connections"),
                               .reconnects = count_in(client, "reconnects"),
                               .idle_closed = count_in(client, "idle_closed")};
    visit(interval);
    return {};
  });
}

Result<void> RunReader::for_each_histogram(const std::function<bool(const HistogramTag&)>& wanted,
                                           const std::function<void(const RecordedHistogram&)>& visit) const {
  return for_each_line(path_ / "histograms.hlog", [&](const std::string& line) -> std::string {
    if (line.empty() || line[0] == '#' || line[0] == '"') return {};
    HistogramLine fields;
    if (!split_histogram_line(line, fields)) return "no line of a histogram log";
    const auto tag = parse_histogram_tag(fields.tag);
    if (!tag || !wanted(*tag)) return {};
    auto histogram = Histogram::decode_compressed_base64(fields.encoded);
    if (!histogram) return histogram.error().message;
    visit({.tag = *tag,
           .from = seconds(fields.start),
           .to = seconds(fields.start + fields.length),
           .histogram = std::move(*histogram)});
    return {};
  });
}

Result<json::array> RunReader::errors(std::size_t most) const {
  json::array out;
  std::error_code ignored;
  if (!fs::exists(path_ / "errors.jsonl", ignored)) return out;
  const auto read = for_each_line(path_ / "errors.jsonl", [&](const std::string& line) -> std::string {
    boost::system::error_code error;
    json::value value = parse(line, error);
    if (error || !value.is_object()) return "no JSON object";
    // The slowest operations stand behind all errors.
    if (out.size() < most || is_slowest(value.get_object())) out.push_back(std::move(value));
    return {};
  });
  if (!read) return std::unexpected(read.error());
  return out;
}

}  // namespace s3lt
