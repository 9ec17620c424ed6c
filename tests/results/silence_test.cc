#include "results/silence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/closing_sentence.h"
#include "results/notes.h"
#include "results/sample_run.h"

namespace s3lt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

const CellKey get_1kb{"baseload", OperationKind::get, "1KB"},
    get_100mb{"baseload", OperationKind::get, "100MB"};

// So long did the slowest of its kind take.
Snapshot slowest(const CellKey& key, std::int64_t us) {
  Snapshot total;
  total.cells[key].service.record(us);
  return total;
}

TEST(Silence, IsToldOfEachEndpointWithHowManyWaitedAndHowLong) {
  Snapshot total = slowest(get_1kb, 20'000);
  total.silences[{"http://b", get_1kb}].record(5'800'000, 2);
  total.silences[{"http://c", get_1kb}].record(3'000'000, 1);
  EXPECT_THAT(
      notes_on_silence(silent_endpoints(total)),
      ElementsAre("silent: http://b: clients waited for an answer until the end of the run (2 attempts, "
                  "for up to 5.8s)",
                  "silent: http://c: clients waited for an answer until the end of the run (1 attempt, "
                  "for up to 3s)"));
  EXPECT_EQ(
      silence_warning(silent_endpoints(total)),
      "clients waited for an answer until the end of the run from http://b (2 attempts, for up to 5.8s), "
      "http://c (1 attempt, for up to 3s)");
}

TEST(Silence, IsMeasuredByTheSlowestOfTheSameOperationAndSize) {
  Snapshot total = slowest(get_100mb, 2'000'000);
  total.cells[get_1kb].service.record(20'000);
  total.silences[{"http://a", get_100mb}].record(5'000'000);
  EXPECT_THAT(silent_endpoints(total), IsEmpty()) << "an elephant that is merely slow";
  total.silences[{"http://a", get_100mb}].record(8'000'000);
  EXPECT_EQ(silent_endpoints(total).at("http://a").attempts, 1u) << "the long one of the two";
  total.silences[{"http://a", get_1kb}].record(1'500'000);
  EXPECT_EQ(silent_endpoints(total).at("http://a").attempts, 2u);
}

TEST(Silence, OfWhatNeverEndedWellMustBeLonger) {
  Snapshot total;
  total.silences[{"http://a", get_100mb}].record(9'000'000);
  EXPECT_THAT(silent_endpoints(total), IsEmpty()) << "nobody knows how long it takes";
  total.silences[{"http://a", get_100mb}].record(11'000'000);
  EXPECT_THAT(silent_endpoints(total), SizeIs(1));
  total.cells[get_1kb].service.record(4'000'000);
  EXPECT_THAT(silent_endpoints(total), IsEmpty()) << "where small objects take that long";
}

TEST(Silence, OfManyEndpointsNamesTheFirstOnes) {
  Snapshot total = slowest(get_1kb, 20'000);
  for (int i = 0; i < 30; ++i)
    total.silences[{"http://" + std::to_string(i + 10), get_1kb}].record(2'000'000);
  const auto notes = notes_on_silence(silent_endpoints(total));
  EXPECT_THAT(notes, SizeIs(7));
  EXPECT_THAT(notes.back(), HasSubstr("24 more endpoints were silent at the end"));
  EXPECT_THAT(silence_warning(silent_endpoints(total)), HasSubstr(", and 24 more"));
  EXPECT_EQ(silence_warning({}), "");
}

TEST(Silence, OfAnS3poolIsNotTheStorages) {
  Snapshot total = slowest(get_1kb, 20'000);
  total.silences[{"http://127.0.0.1:18080", get_1kb}].record(2'000'000);
  EXPECT_THAT(notes_on_silence(silent_endpoints(total), true),
              ElementsAre(StartsWith("silent: s3pool at http://127.0.0.1:18080: ")));
  EXPECT_THAT(silence_warning(silent_endpoints(total), true), HasSubstr("from s3pool at http://127.0.0.1:"));
  RunResult result = sample_run();
  result.proxy = ProxyRecord{.address = "127.0.0.1:18080", .log = {}};
  result.silent = silent_endpoints(total);
  EXPECT_THAT(closing_sentence(result), HasSubstr("cut it, from s3pool at http://127.0.0.1:18080; "));
}

TEST(Silence, StandsInTheClosingSentenceBesideTheErrors) {
  RunResult result = sample_run();
  Counters& put = result.total.cells.at({"baseload", OperationKind::put, "1KB"}).counters;
  put.errors = 0;
  put.outcomes = {};
  EXPECT_THAT(closing_sentence(result), HasSubstr(" without an error; neither"));
  result.silent["http://b"] = {.attempts = 2, .seconds = 5.8};
  EXPECT_THAT(closing_sentence(result),
              HasSubstr(" without an error; but 2 more attempts got no answer until "
                        "the end of the run cut them, from http://b"));
  result.silent["http://c"] = {.attempts = 1, .seconds = 1.1};
  EXPECT_THAT(closing_sentence(result), HasSubstr("cut them, from 2 endpoints"));
  result.total.cells.clear();
  EXPECT_THAT(closing_sentence(result), HasSubstr("Not one operation ended in 30s; but 3 more attempts got"));
}

}  // namespace
}  // namespace s3lt
