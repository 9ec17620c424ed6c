#include "report/report_data.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json.hpp>

#include "../results/sample_run.h"
#include "results/run_directory.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A run of these seconds, each with ten GETs, as its page has it.
json::value page_of(const std::vector<double>& ends) {
  std::string name = (fs::temp_directory_path() / "page-XXXXXX").string();
  const fs::path root = ::mkdtemp(name.data());
  RunResult result = sample_run();
  result.info.patterns = {"baseload"};
  auto directory = RunDirectory::create_at(root / "run", result.info);
  EXPECT_TRUE(directory) << directory.error().message;
  double from = 0;
  for (const double to : ends) {
    Snapshot second;
    second.from = seconds(from);
    second.to = seconds(to);
    Cell& get = second.cells[{"baseload", OperationKind::get, "1KB"}];
    get.counters.count = 10;
    get.response.record(1000, 10);
    EXPECT_TRUE((*directory)->append(second));
    from = to;
  }
  json::value data;
  if (const auto reader = RunReader::open(root / "run"); reader) {
    const auto run = rebuild_run(*reader);
    EXPECT_TRUE(run) << run.error().message;
    const auto page = report_data(*reader, *run, {});
    EXPECT_TRUE(page) << page.error().message;
    data = *page;
  }
  fs::remove_all(root);
  return data;
}

json::value counts_of(const json::value& page) {
  return page.at("patterns").at(0).at("operations").at(0).at("course").at("count");
}

TEST(ReportData, TheRestOfASecondGoesWithTheOneBefore) {
  const json::value stub = page_of({1, 2, 3, 3.035});
  EXPECT_EQ(stub.at("covered"), (json::array{1.0, 1.0, 1.035}));
  EXPECT_EQ(counts_of(stub), (json::array{10, 10, 20}));
  const json::value most = page_of({1, 2, 3, 3.6});
  EXPECT_EQ(counts_of(most), (json::array{10, 10, 10, 10}));
  const json::value only = page_of({0.2});
  EXPECT_EQ(counts_of(only), (json::array{10}));
}

}  // namespace
}  // namespace s3lt
