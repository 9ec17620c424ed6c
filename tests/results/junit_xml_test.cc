#include "results/junit_xml.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>

#include "results/sample_run.h"

namespace s3lt {
namespace {

TEST(JunitXml, HasATestCaseForEachObjectiveAndAFailureForEachMiss) {
  RunResult result = sample_run();
  result.info.id = "a-run";
  result.info.endpoints = {"http://a&b:9000"};
  result.slos = {
      {.expression = "GET.p99 < 50ms", .passed = true, .value = 12'000, .limit = 50'000, .unit = "us"},
      {.expression = "error_rate <= 0%", .passed = false, .value = 0.25, .limit = 0, .unit = "ratio"},
      {.expression = "PUT.p99 < 1s", .passed = false, .limit = 1e6, .unit = "us", .why = "no PUT succeeded"}};
  result.slos[0].hint = "too few samples: 28, and p99 needs 1,000";
  pugi::xml_document document;
  ASSERT_TRUE(document.load_string(junit_xml(result).c_str(), pugi::parse_full));
  const pugi::xml_node suite = document.child("testsuites").child("testsuite");
  EXPECT_STREQ(suite.attribute("tests").value(), "3");
  EXPECT_STREQ(suite.attribute("failures").value(), "2");
  EXPECT_STREQ(suite.attribute("time").value(), "30.000");
  EXPECT_STREQ(suite.attribute("timestamp").value(), "2026-02-04T12:00:00");
  EXPECT_STREQ(
      suite.child("properties").find_child_by_attribute("name", "endpoints").attribute("value").value(),
      "http://a&b:9000");
  std::vector<std::string> names, failures;
  for (const pugi::xml_node& one : suite.children("testcase")) {
    names.emplace_back(one.attribute("name").value());
    EXPECT_STREQ(one.attribute("classname").value(), "s3loadtest.baseload");
    failures.emplace_back(one.child("failure").attribute("message").value());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"GET.p99 < 50ms", "error_rate <= 0%", "PUT.p99 < 1s"}));
  EXPECT_EQ(failures, (std::vector<std::string>{"", "error_rate <= 0%: measured 25%",
                                                "PUT.p99 < 1s: no PUT succeeded"}));
  EXPECT_STREQ(suite.child("testcase").child_value("system-out"),
               "measured 12ms (too few samples: 28, and p99 needs 1,000)");
}

}  // namespace
}  // namespace s3lt
