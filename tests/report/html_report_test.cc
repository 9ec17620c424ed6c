#include "report/html_report.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace s3lt {
namespace {

TEST(HtmlReport, HoldsTheDataSoThatNoTextOfItCanEndTheElement) {
  const std::string hostile = "</script><!--<script>{{code}}";
  const std::string page = report_html("a <b> & \"c\"", {{"key", hostile}});
  EXPECT_NE(page.find("<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"), std::string::npos);
  const std::string begin = R"(id="data">)";
  const std::size_t from = page.find(begin) + begin.size();
  const std::string data = page.substr(from, page.find("</script>", from) - from);
  EXPECT_EQ(data.find('<'), std::string::npos);
  EXPECT_EQ(boost::json::parse(data).at("key").as_string(), hostile);
}

TEST(HtmlReport, NamesNoAddressThatABrowserWouldAskFor) {
  const std::string page = report_html("x", {});
  for (const char* asks : {"src=", "@import", "url(", "<link rel=\"stylesheet\"", "fetch(", "XMLHttpRequest"})
    EXPECT_EQ(page.find(asks), std::string::npos) << asks;
  EXPECT_NE(page.find("Chart.js v"), std::string::npos);
  EXPECT_NE(page.find("The MIT License"), std::string::npos);
}

}  // namespace
}  // namespace s3lt
