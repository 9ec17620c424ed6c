#include "results/notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/sample_run.h"

namespace s3lt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// So many in a hundred thousand answers took that much longer than the others.
void fill(Snapshot& total, const CellKey& key, std::int64_t late_by, std::uint64_t late) {
  Histogram& service = total.cells[key].service;
  for (std::int64_t us = 550; us < 650; ++us) service.record(us, 1000);
  for (std::uint64_t i = 0; i < late; ++i)
    service.record(late_by + 600 + static_cast<std::int64_t>(i % 40) * 100);
}

TEST(Notes, NameADelayedAckWithTheWorstOperationFirst) {
  Snapshot total;
  fill(total, {"baseload", OperationKind::get, "1KB"}, 40'000, 800);
  fill(total, {"baseload", OperationKind::put, "1KB"}, 40'000, 200);
  fill(total, {"baseload", OperationKind::put, "10KB"}, 40'000, 0);
  EXPECT_THAT(
      notes_on(total),
      ElementsAre(
          "GET 1 KiB: 0.79% of the answers took 40.7ms to 44.3ms where most take 600us (also PUT 1 KiB "
          "0.2%): the usual cause is a delayed ACK meeting Nagle's algorithm (TCP_NODELAY missing on "
          "the storage's or a proxy's side)"));
}

TEST(Notes, NameARetransmissionTimeoutWithTheSegmentsThatWereSentAgain) {
  Snapshot total;
  fill(total, {"a", OperationKind::get, "1KB"}, 200'000, 300);
  fill(total, {"b", OperationKind::list, ""}, 200'000, 0);
  total.client.use.sockets.segments_sent = 12'000;
  total.client.use.sockets.retransmitted = 41;
  EXPECT_THAT(
      notes_on(total),
      ElementsAre(
          "a GET 1 KiB: 0.3% of the answers took 201ms to 204ms where most take 600us: the usual cause "
          "is a retransmission timeout: lost packets; of 12,000 segments that this client's sockets "
          "were seen to send, 41 were sent again"));
}

TEST(Notes, NameEndpointsThatStandOut) {
  Snapshot total;
  for (const char* url : {"http://a", "http://b", "http://c"}) {
    EndpointCell& cell = total.endpoints[{url, OperationKind::get}];
    cell.service.record(url == std::string("http://c") ? 5000 : 1000, 1000);
    cell.outcomes[static_cast<std::size_t>(Outcome::ok)] = 1000;
  }
  EXPECT_THAT(notes_on(total), ElementsAre(StartsWith("slow: http://c GET p50 ")));
}

TEST(Notes, TellThatConnectionsAreNotKeptForWantOfDescriptors) {
  Snapshot total;
  total.cells[{"p", OperationKind::get, "1KB"}].counters.requests = 40'000;
  total.client.idle_closed = 3000;
  EXPECT_THAT(notes_on(total), IsEmpty()) << "one in thirteen";
  total.client.idle_closed = 30'000;
  EXPECT_THAT(notes_on(total),
              ElementsAre(HasSubstr("closed 30,000 times to stay below this process's limit of file "
                                    "descriptors, and as many of 40,000 requests")));
}

TEST(Notes, HaveNothingToSayOfAPlainRun) {
  EXPECT_THAT(notes_on(sample_snapshot()), IsEmpty());
  EXPECT_THAT(notes_on({}), IsEmpty());
}

}  // namespace
}  // namespace s3lt
