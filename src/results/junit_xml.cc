#include "results/junit_xml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <pugixml.hpp>
#include <sstream>

namespace s3lt {
namespace {

void set(pugi::xml_node node, const char* name, const std::string& value) {
  node.append_attribute(name) = value.c_str();
}

// "measured 61.2ms", or why there is nothing.
std::string measured(const SloResult& slo) {
  return (slo.value ? "measured " : "") + measured_text(slo);
}

void add_properties(pugi::xml_node suite, const RunResult& result) {
  const RunInfo& info = result.info;
  pugi::xml_node list = suite.append_child("properties");
  const auto add = [&](const char* name, const std::string& value) {
    pugi::xml_node property = list.append_child("property");
    set(property, "name", name);
    set(property, "value", value);
  };
  add("run", info.id);
  add("version", info.version);
  add("pattern", info.pattern);
  add("backend", info.backend);
  add("endpoints", fmt::format("{}", fmt::join(info.endpoints, ",")));
  add("bucket", info.bucket);
  add("seed", fmt::format("{}", info.seed));
  add("bottleneck", result.bottleneck);
  if (!result.ended_early.empty()) add("ended_early", result.ended_early);
}

void add_case(pugi::xml_node suite, const SloResult& slo, const RunResult& result) {
  pugi::xml_node one = suite.append_child("testcase");
  set(one, "classname", "s3loadtest." + result.info.pattern);
  set(one, "name", slo.expression);
  set(one, "time", fmt::format("{:.3f}", result.seconds));
  const std::string what = measured(slo);
  if (slo.passed) {
    one.append_child("system-out").text() = what.c_str();
    return;
  }
  pugi::xml_node failure = one.append_child("failure");
  set(failure, "message", fmt::format("{}: {}", slo.expression, what));
  set(failure, "type", slo.value ? "missed" : "no data");
  failure.text() = fmt::format("{} was missed: {}", slo.expression, what).c_str();
}

}  // namespace

std::string junit_xml(const RunResult& result) {
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  pugi::xml_node suites = document.append_child("testsuites");
  pugi::xml_node suite = suites.append_child("testsuite");
  const auto failures = std::ranges::count(result.slos, false, &SloResult::passed);
  set(suite, "name", "s3loadtest " + result.info.pattern);
  set(suite, "tests", fmt::format("{}", result.slos.size()));
  set(suite, "failures", fmt::format("{}", failures));
  set(suite, "errors", "0");
  set(suite, "skipped", "0");
  set(suite, "time", fmt::format("{:.3f}", result.seconds));
  set(suite, "timestamp", format_rfc3339(result.info.started).substr(0, 19));
  add_properties(suite, result);
  for (const SloResult& slo : result.slos) add_case(suite, slo, result);
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default, pugi::encoding_utf8);
  return out.str();
}

}  // namespace s3lt
