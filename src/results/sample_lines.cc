#include "results/sample_lines.h"

#include <boost/json.hpp>

#include "results/json_text.h"
#include "results/run_reader.h"

namespace s3lt {
namespace json = boost::json;
namespace {

json::object object_of(const OperationSample& sample) {
  json::object out{{"at", format_rfc3339(sample.at)},
                   {"pattern", sample.pattern},
                   {"operation", sample.operation},
                   {"size", sample.size},
                   {"key", sample.key},
                   {"endpoint", sample.endpoint},
                   {"outcome", name(sample.outcome)},
                   {"status", sample.status},
                   {"code", sample.code},
                   {"message", sample.message},
                   {"request_id", sample.request_id},
                   {"attempt", sample.attempt},
                   {"seconds", static_cast<double>(sample.micros) / 1e6}};
  if (!sample.local.empty()) {
    out["connection"] = {
        {"local", sample.local}, {"remote", sample.remote}, {"request", sample.request_on_connection}};
  }
  json::object phases;
  for (const auto& [phase, micros] : phase_names) {
    if (sample.phases.*micros > 0) phases[phase] = sample.phases.*micros;
  }
  out["phases_us"] = std::move(phases);
  if (sample.wrong) {
    out["kind"] = name(sample.wrong->kind);
    out["offset"] = sample.wrong->offset;
    out["expected"] = sample.wrong->expected;
    out["found"] = sample.wrong->found;
  }
  return out;
}

}  // namespace

std::string error_line(const OperationSample& sample) {
  return json_text(object_of(sample));
}

std::string slowest_line(const OperationSample& sample) {
  json::object out = object_of(sample);
  out["slowest"] = true;
  return json_text(out);
}

bool is_slowest(const json::object& line) {
  return truth_in(line, "slowest");
}

OperationSample slowest_sample(const json::object& line) {
  OperationSample sample;
  sample.at = parse_rfc3339(text_in(line, "at")).time;
  sample.pattern = text_in(line, "pattern");
  sample.operation = text_in(line, "operation");
  sample.size = text_in(line, "size");
  sample.key = text_in(line, "key");
  sample.endpoint = text_in(line, "endpoint");
  sample.request_id = text_in(line, "request_id");
  sample.attempt = static_cast<unsigned>(count_in(line, "attempt"));
  const json::object& connection = object_in(line, "connection");
  sample.local = text_in(connection, "local");
  sample.remote = text_in(connection, "remote");
  sample.request_on_connection = count_in(connection, "request");
  sample.micros = static_cast<std::int64_t>(number_in(line, "seconds") * 1e6 + 0.5);
  const json::object& phases = object_in(line, "phases_us");
  for (const auto& [phase, micros] : phase_names)
    sample.phases.*micros = static_cast<std::int64_t>(count_in(phases, phase));
  return sample;
}

}  // namespace s3lt
